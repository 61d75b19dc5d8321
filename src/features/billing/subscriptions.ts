import { AppError } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import { hashToken } from '../../lib/seal.ts'
import type { Database } from '../../platform/database/index.ts'
import type { SubscriptionFacts } from '../../platform/payments/index.ts'
import type { PaymentParts } from './checkout.ts'
import type { PlanId } from './plans.ts'
import { lockPurchases } from './store-payments.ts'
import {
  findOverdue,
  findSubscription,
  listSubscriptions,
  putSubscription,
  type SubscriptionRow,
} from './store-subscriptions.ts'

/** A subscription that has ended never comes back; the provider makes a new one. */
const isFinal = (status: string) => status === 'canceled' || status === 'incomplete_expired'
const isGoing = (status: string) => status === 'active' || status === 'trialing'

/** What was told of a subscription, by which event. */
export interface SubscriptionNews {
  provider: string
  accountId: string
  facts: SubscriptionFacts
  plan: PlanId
  at: Date
  by: { type: string; id: string }
}

/** Keeps what was told of a subscription, unless something later is known: any order of telling ends in the same. */
export async function subscriptionTold(db: Database, news: SubscriptionNews): Promise<void> {
  const { provider, accountId, facts, plan, at, by } = news
  const told: Omit<SubscriptionRow, 'paidUntil'> = {
    subscriptionId: facts.subscriptionId,
    accountId,
    plan,
    status: facts.status,
    currentPeriodEnd: facts.currentPeriodEnd === null ? null : new Date(facts.currentPeriodEnd * 1000),
    cancelAtPeriodEnd: facts.cancelAtPeriodEnd,
    toldAt: at,
    // Sorts events of one second: created, then updated, then deleted.
    toldBy: `${/created$/.test(by.type) ? 0 : /deleted$/.test(by.type) ? 2 : 1}:${by.id}`,
  }
  const known = await findSubscription(db, provider, facts.subscriptionId)
  if (known === null || isNewer(told, known)) await putSubscription(db, provider, told)
}

type Telling = Pick<SubscriptionRow, 'status' | 'toldAt' | 'toldBy'>

function isNewer(told: Telling, known: Telling): boolean {
  if (isFinal(told.status) !== isFinal(known.status)) return isFinal(told.status)
  const difference = told.toldAt.getTime() - known.toldAt.getTime()
  return difference === 0 ? told.toldBy > known.toldBy : difference > 0
}

/**
 * The plan that an account's subscriptions give. One whose payment failed gives it until the month that is paid for has
 * gone by.
 */
export async function planOf(
  db: Database,
  input: { provider: string; accountId: string; now: Date },
): Promise<PlanId> {
  const rows = await listSubscriptions(db, input.accountId, input.provider)
  return rows.some(row => givesPlan(row, input.now)) ? 'pro' : 'basic'
}

function givesPlan(row: SubscriptionRow, now: Date): boolean {
  return isGoing(row.status) || (row.status === 'past_due' && row.paidUntil !== null && row.paidUntil > now)
}

/** The subscription that counts: one that goes on, else one that is overdue, else the newest; null without any. */
export async function readSubscription(
  parts: PaymentParts,
  accountId: string,
): Promise<SubscriptionRow | null> {
  const rows = await listSubscriptions(parts.db, accountId, parts.payments.provider)
  const going = rows.find(row => isGoing(row.status))
  return going ?? rows.find(row => !isFinal(row.status)) ?? rows[0] ?? null
}

/** What a subscription is called outside; the payment provider's own number of it is told to nobody. */
export function subscriptionNumber({ subscriptionId }: SubscriptionRow): string {
  return `sub_${hashToken(subscriptionId).toString('hex').slice(0, 24)}`
}

/** Lets the account's subscription end with its period, or go on after all. Throws 404, 503. */
export async function setCancelling(
  parts: PaymentParts,
  accountId: string,
  cancel: boolean,
): Promise<SubscriptionRow> {
  const { db, payments } = parts
  const row = await readSubscription(parts, accountId)
  if (!row || isFinal(row.status))
    throw new AppError('missing', 'NO_SUBSCRIPTION', 'There is no subscription')
  const { subscriptionId } = row
  const facts = await payments.setCancelAtPeriodEnd({ subscriptionId, cancel, idempotencyKey: newId() })
  const kept = await db.transaction().execute(async within => {
    await lockPurchases(within, accountId)
    const known = await findSubscription(within, payments.provider, subscriptionId)
    if (!known || isFinal(known.status)) return known
    // Its time stays: the event that tells the same comes with the provider's own.
    const changed = { ...known, cancelAtPeriodEnd: facts.cancelAtPeriodEnd }
    await putSubscription(within, payments.provider, changed)
    return changed
  })
  return kept ?? row
}

/** Ends the plans of those whose payment is overdue and whose paid month has gone by. */
export async function endOverduePlans(parts: PaymentParts): Promise<void> {
  const { db, payments, accounts } = parts
  for (const accountId of await findOverdue(db, payments.provider)) {
    const plan = await db.transaction().execute(async within => {
      await lockPurchases(within, accountId)
      const due = await planOf(within, { provider: payments.provider, accountId, now: new Date(parts.now()) })
      if (due === 'basic') await accounts.putOnPlan(within, { accountId, plan: due })
      return due
    })
    if (plan === 'basic') await accounts.planChanged(accountId)
  }
}

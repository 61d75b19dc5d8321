import { AppError } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import { hashToken } from '../../lib/seal.ts'
import type { Database } from '../../platform/database/index.ts'
import type { SubscriptionFacts } from '../../platform/payments/index.ts'
import type { PaymentParts } from './parts.ts'
import type { Catalogue, Plan } from './plans.ts'
import { lockPurchases } from './store-payments.ts'
import {
  findSubscription,
  listSubscriptions,
  putSubscription,
  type SubscriptionRow,
} from './store-subscriptions.ts'

/** A subscription that has ended never comes back; the provider makes a new one. */
export const isFinal = (status: string) => status === 'canceled' || status === 'incomplete_expired'
export const isGoing = (status: string) => status === 'active' || status === 'trialing'
/** Those that are paid for, or wait to be: an account may have one of them. */
export const liveStatuses = ['active', 'trialing', 'past_due', 'unpaid', 'paused'] as const
export const isLive = (status: string) => (liveStatuses as readonly string[]).includes(status)

/** What was told of a subscription, by which event. */
export interface SubscriptionNews {
  provider: string
  accountId: string
  facts: SubscriptionFacts
  plan: string
  at: Date
  by: { type: string; id: string }
}

/** What is known of a subscription at a moment, so that one can tell whether it has moved on. */
export type Knowledge = Pick<SubscriptionRow, 'toldAt' | 'toldBy'>

/**
 * Keeps what was told of a subscription, unless something later is known: any order of telling ends in the same. Gives what was
 * known when news and knowledge are of one second and differ: then nothing is kept, since only the provider can tell which came
 * last. What it tells when it is asked is kept by giving it as the news, with `asked` being what was known then.
 */
export async function subscriptionTold(
  db: Database,
  news: SubscriptionNews,
  asked: Knowledge | null,
): Promise<Knowledge | null> {
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
    toldBy: `${rankOf(by.type)}:${by.id}`,
    begunAt: facts.begunAt === null ? null : new Date(facts.begunAt * 1000),
  }
  const known = await findSubscription(db, provider, facts.subscriptionId)
  if (known !== null && isTie(told, known)) {
    const isAnswered = asked !== null && asked.toldBy === known.toldBy && +asked.toldAt === +known.toldAt
    if (!isAnswered) return { toldAt: known.toldAt, toldBy: known.toldBy }
    await putSubscription(db, provider, told)
  } else if (known === null || isNewer(told, known)) await putSubscription(db, provider, told)
  return null
}

const rankOf = (type: string) => (type.endsWith('created') ? 0 : type.endsWith('deleted') ? 2 : 1)

type Telling = Omit<SubscriptionRow, 'paidUntil' | 'accountId' | 'begunAt'>

/** Two changes of one second: events tell their time in seconds, and their ids have no order that Stripe promises. */
function isTie(told: Telling, known: Telling): boolean {
  if (+told.toldAt !== +known.toldAt || told.toldBy[0] !== known.toldBy[0]) return false
  if (told.toldBy === known.toldBy || isFinal(known.status)) return false
  const facts = ({ plan, status, currentPeriodEnd, cancelAtPeriodEnd }: Telling) =>
    JSON.stringify([plan, status, currentPeriodEnd, cancelAtPeriodEnd])
  return facts(told) !== facts(known)
}

function isNewer(told: Telling, known: Telling): boolean {
  if (isFinal(told.status) !== isFinal(known.status)) return isFinal(told.status)
  const difference = told.toldAt.getTime() - known.toldAt.getTime()
  return difference === 0 ? told.toldBy > known.toldBy : difference > 0
}

/**
 * The plan that an account's subscriptions give: the dearest that is defined, else basic. One whose payment failed gives it
 * until the month that is paid for has gone by.
 */
export async function planOf(
  db: Database,
  input: { provider: string; accountId: string; catalogue: Catalogue; now: Date },
): Promise<string> {
  const { accountId, provider, catalogue, now } = input
  const rows = await listSubscriptions(db, accountId, provider)
  const plans: Plan[] = rows.filter(row => givesPlan(row, now)).map(row => catalogue.plan(row.plan))
  return plans.toSorted((one, other) => other.priceCents - one.priceCents)[0]?.id ?? 'basic'
}

function givesPlan(row: SubscriptionRow, now: Date): boolean {
  return isGoing(row.status) || (row.status === 'past_due' && row.paidUntil !== null && row.paidUntil > now)
}

/** Puts an account on the plan that it pays for, and tells every process; gives that plan. */
export async function settlePlan(parts: PaymentParts, accountId: string): Promise<string> {
  const { db, payments, accounts, catalogue } = parts
  const { provider } = payments
  const plan = await db.transaction().execute(async within => {
    await lockPurchases(within, accountId)
    const due = await planOf(within, { provider, accountId, catalogue, now: new Date(parts.now()) })
    await accounts.putOnPlan(within, { accountId, plan: due })
    return due
  })
  await accounts.planChanged(accountId)
  return plan
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

import type { PaymentParts } from './parts.ts'
import { addRemoval, dropRemoval, findCustomer, listRemovals } from './store-payments.ts'
import {
  findDoubled,
  findEntitled,
  findOnOtherPlans,
  findOverdue,
  listSubscriptions,
  type SubscriptionRow,
} from './store-subscriptions.ts'
import { isGoing, isLive, liveStatuses, settlePlan } from './subscriptions.ts'

/** What time and trouble make necessary: done at the start and then every hour. */
export async function keepUp(parts: PaymentParts): Promise<void> {
  for (const task of [endOverduePlans, settlePlans, undoDoubles, removeCustomers]) await task(parts)
}

/** Ends the plans of those whose payment is overdue and whose paid month has gone by. */
async function endOverduePlans(parts: PaymentParts): Promise<void> {
  for (const accountId of await findOverdue(parts.db, parts.payments.provider))
    await settlePlan(parts, accountId)
}

/** Whoever is on a plan that is not defined any more is put on basic, and back when it is defined again. */
async function settlePlans(parts: PaymentParts): Promise<void> {
  const { db, payments, catalogue } = parts
  const known = catalogue.plans.map(plan => plan.id)
  const lost: Record<string, number> = {}
  for (const { accountId, plan } of await findOnOtherPlans(db, known)) {
    await settlePlan(parts, accountId)
    lost[plan] = (lost[plan] ?? 0) + 1
  }
  for (const [plan, accounts] of Object.entries(lost))
    parts.note('a plan is not defined: its accounts are on basic until it is', { plan, accounts })
  const paid = catalogue.plans.filter(plan => plan.priceCents > 0).map(plan => plan.id)
  for (const accountId of await findEntitled(db, payments.provider, paid)) await settlePlan(parts, accountId)
}

async function undoDoubles(parts: PaymentParts): Promise<void> {
  for (const accountId of await findDoubled(parts.db, parts.payments.provider, liveStatuses))
    await keepOneSubscription(parts, accountId)
}

/**
 * Of several subscriptions that an account has (two checkouts may be paid at the same moment), keeps the first; the others are
 * ended at once, and what they took is given back. Throws 503 when the provider cannot be reached; repeated it goes on.
 */
export async function keepOneSubscription(parts: PaymentParts, accountId: string): Promise<void> {
  const { db, payments } = parts
  const rows = await listSubscriptions(db, accountId, payments.provider)
  const [kept, ...others] = rows.filter(row => isLive(row.status)).toSorted(firstFirst)
  for (const { subscriptionId } of others) {
    const idempotencyKey = `double:${subscriptionId}`
    const { isRefunded } = await payments.undoSubscription({ subscriptionId, idempotencyKey })
    const facts = { subscriptionId, kept: kept?.subscriptionId, isRefunded }
    parts.note('a second subscription of an account was ended', facts)
  }
}

/** Those that are paid for before others, then by when they began. */
function firstFirst(one: SubscriptionRow, other: SubscriptionRow): number {
  const going = Number(isGoing(other.status)) - Number(isGoing(one.status))
  const begun = (row: SubscriptionRow) => row.begunAt?.getTime() ?? 0
  return going || begun(one) - begun(other) || (one.subscriptionId < other.subscriptionId ? -1 : 1)
}

/**
 * Ends an account's subscriptions and its customer at the provider. When the provider cannot be reached, the account goes all the
 * same: what is left to do is kept, and done every hour until it is done.
 */
export async function removeAccount(parts: PaymentParts, accountId: string): Promise<void> {
  const { provider } = parts.payments
  const customerId = await findCustomer(parts.db, accountId, provider)
  if (customerId === null) return
  await addRemoval(parts.db, provider, customerId)
  await removeCustomer(parts, customerId)
}

async function removeCustomers(parts: PaymentParts): Promise<void> {
  for (const customerId of await listRemovals(parts.db, parts.payments.provider))
    await removeCustomer(parts, customerId)
}

async function removeCustomer({ db, payments, report }: PaymentParts, customerId: string): Promise<void> {
  try {
    await payments.removeCustomer(customerId)
    await dropRemoval(db, payments.provider, customerId)
  } catch (error) {
    report(error, `customer ${customerId} of an erased account is still at the payment provider`)
  }
}

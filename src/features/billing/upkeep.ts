import { AppError } from '../../lib/errors.ts'
import type { SubscriptionFacts } from '../../platform/payments/index.ts'
import type { PaymentParts } from './parts.ts'
import type { Catalogue } from './plans.ts'
import { addRemoval, dropRemoval, findCustomer, listRemovals } from './store-payments.ts'
import {
  findDoubled,
  findEntitled,
  findOnOtherPlans,
  findOverdue,
  listSubscriptions,
} from './store-subscriptions.ts'
import { isGoing, isLive, liveStatuses, settlePlan } from './subscriptions.ts'

/** What time and trouble make necessary: done at the start and then every hour. */
export async function keepUp(parts: PaymentParts): Promise<void> {
  for (const task of [endOverduePlans, settlePlans, undoDoubles, removeCustomers])
    await task(parts).catch(error =>
      parts.report(error, `${task.name} of billing failed; it is tried again within the hour`),
    )
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
 * ended at once, and what they took is given back; a refusal is reported. Throws 503 when the provider cannot be reached; repeated
 * it goes on.
 */
export async function keepOneSubscription(parts: PaymentParts, accountId: string): Promise<void> {
  const { db, payments } = parts
  const rows = (await listSubscriptions(db, accountId, payments.provider)).filter(row => isLive(row.status))
  if (rows.length < 2) return
  // One may have ended without our having heard of it, and not all that a customer has at the provider is a plan of ours.
  const told = await Promise.all(rows.map(row => payments.subscription(row.subscriptionId)))
  const [kept, ...others] = told
    .filter(facts => facts !== null)
    .filter(facts => isLive(facts.status) && isOfPlan(parts.catalogue, facts))
    .toSorted(firstFirst)
  for (const { subscriptionId } of others) {
    const idempotencyKey = `double:${subscriptionId}`
    try {
      const { isRefunded } = await payments.undoSubscription({ subscriptionId, idempotencyKey })
      const facts = { subscriptionId, kept: kept?.subscriptionId, isRefunded }
      parts.note('a second subscription of an account was ended', facts)
    } catch (error) {
      // What the provider refuses, it refuses again: a person has to look.
      if (!(error instanceof AppError && error.kind === 'upstream')) throw error
      parts.report(
        error,
        `subscription ${subscriptionId} is one too many and must be ended at the provider by hand`,
      )
    }
  }
}

/** Whether a subscription was made by a checkout of ours, or has the price of a plan. */
function isOfPlan({ plans }: Catalogue, { planId, priceId }: SubscriptionFacts): boolean {
  return planId !== null || plans.some(plan => priceId !== null && plan.providerPriceId === priceId)
}

/** Those that are paid for before others, then by when they began. */
function firstFirst(one: SubscriptionFacts, other: SubscriptionFacts): number {
  const going = Number(isGoing(other.status)) - Number(isGoing(one.status))
  const begun = (one.begunAt ?? 0) - (other.begunAt ?? 0)
  return going || begun || (one.subscriptionId < other.subscriptionId ? -1 : 1)
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

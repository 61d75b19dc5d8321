import { AppError } from '../../lib/errors.ts'
import type { Database } from '../../platform/database/index.ts'
import type { ChargeFacts, Fact, PaymentEvent, SubscriptionFacts } from '../../platform/payments/index.ts'
import type { PaymentParts } from './parts.ts'
import { invoiceTold, packageFailed, packagePaid, type Told, takenBack } from './purchases.ts'
import {
  findCustomersAccount,
  findPaymentByIntent,
  isNoted,
  lockPurchases,
  noteEvent,
} from './store-payments.ts'
import { type Knowledge, planOf, subscriptionTold } from './subscriptions.ts'
import { keepOneSubscription } from './upkeep.ts'

/** What an event came to: `foreign` ones are about customers that are not ours. */
export type Reception = 'done' | 'repeated' | 'ignored' | 'foreign'

/**
 * Receives an event: the very bytes that arrived and their signature. Its effect and the note that it had it are one
 * transaction. Throws 400 for what is not signed by the provider, 503 without a secret and while the provider cannot be asked.
 */
export async function receiveEvent(
  parts: PaymentParts,
  body: Uint8Array,
  signature: string | undefined,
): Promise<Reception> {
  const event = parts.payments.readEvent(body, signature)
  if (event.fact === null) return 'ignored'
  try {
    return await takeIn(parts, event, event.fact)
  } catch (error) {
    // What the provider refuses to tell us now is asked again when it sends the event again.
    if (!(error instanceof AppError && error.kind === 'upstream')) throw error
    throw new AppError('unavailable', error.code, error.message, {
      cause: error.cause,
      retryAfterSeconds: 60,
    })
  }
}

async function takeIn(parts: PaymentParts, event: PaymentEvent, told: Fact): Promise<Reception> {
  const fact = await complete(parts, told)
  const accountId = fact && (await accountOf(parts, fact))
  if (!accountId) return 'foreign'
  const effect = await applyOrAsk(parts, { event, fact, accountId })
  if (effect.isPlanChanged) await parts.accounts.planChanged(accountId)
  if (fact.kind === 'subscription' && !effect.isRepeated) noteUnknownPlan(parts, fact)
  // Also when the event is repeated: the provider could not be reached the last time.
  if (fact.kind === 'subscription') await keepOneSubscription(parts, accountId)
  return effect.isRepeated ? 'repeated' : 'done'
}

function noteUnknownPlan({ catalogue, note }: PaymentParts, facts: SubscriptionFacts): void {
  const plan = catalogue.paidPlan(facts)
  if (catalogue.findPlan(plan)) return
  const { subscriptionId } = facts
  note('a subscription is for a plan that is not defined: it gives basic until it is', {
    subscriptionId,
    plan,
  })
}

interface Heard {
  event: PaymentEvent
  fact: Fact
  accountId: string
  /** Set when `fact` is what the provider told when it was asked: what was known of the subscription before. */
  asked?: Knowledge
}

/** How often what is known may move on while the provider is asked. */
const mostQuestions = 5

/** Applies an event; where only the provider knows which of two changes came last, it is asked how things stand now. */
async function applyOrAsk(parts: PaymentParts, heard: Heard): Promise<Effect> {
  let current = heard
  for (let question = 0; question < mostQuestions; question++) {
    const effect = await parts.db.transaction().execute(db => apply(parts, db, current))
    const { fact } = heard
    if (effect.tie === null || fact.kind !== 'subscription') return effect
    const facts = await parts.payments.subscription(fact.subscriptionId)
    // One that the provider does not know any more stays as the event told it.
    const isOurs = facts?.customerId === fact.customerId
    current = { ...heard, fact: isOurs ? { kind: 'subscription', ...facts } : fact, asked: effect.tie }
  }
  throw new AppError('unavailable', 'CHANGED_MEANWHILE', 'This was changed by other events; send it again', {
    retryAfterSeconds: 1,
  })
}

/** Of a charge, an event may tell its payment only: the rest is asked for, before anything is locked. */
async function complete({ db, payments }: PaymentParts, fact: Fact): Promise<Fact | null> {
  if (fact.kind !== 'refund' && fact.kind !== 'dispute') return fact
  const { charge } = fact
  if (charge.customerId !== null && (charge.paymentId ?? charge.invoiceId) !== null) return fact
  if (charge.paymentIntentId === null) return null
  const known = await findPaymentByIntent(db, payments.provider, charge.paymentIntentId)
  if (known) return fact
  const asked = await payments.chargeOf(charge.paymentIntentId)
  return asked && { ...fact, charge: merged(charge, asked) }
}

function merged(told: ChargeFacts, asked: ChargeFacts): ChargeFacts {
  return {
    paymentIntentId: told.paymentIntentId ?? asked.paymentIntentId,
    paymentId: told.paymentId ?? asked.paymentId,
    customerId: told.customerId ?? asked.customerId,
    invoiceId: told.invoiceId ?? asked.invoiceId,
  }
}

async function accountOf({ db, payments }: PaymentParts, fact: Fact): Promise<string | null> {
  const isCharge = fact.kind === 'refund' || fact.kind === 'dispute'
  const customerId = isCharge ? fact.charge.customerId : fact.customerId
  if (customerId !== null) return findCustomersAccount(db, payments.provider, customerId)
  const intent = isCharge ? fact.charge.paymentIntentId : null
  return intent === null
    ? null
    : ((await findPaymentByIntent(db, payments.provider, intent))?.accountId ?? null)
}

interface Effect {
  isRepeated: boolean
  isPlanChanged: boolean
  /** What was known when nothing was done, because the provider must be asked first. */
  tie: Knowledge | null
}

const nothing: Effect = { isRepeated: false, isPlanChanged: false, tie: null }

async function apply(parts: PaymentParts, db: Database, heard: Heard): Promise<Effect> {
  const { event, fact, accountId } = heard
  const { catalogue, payments, accounts } = parts
  const { provider } = payments
  await lockPurchases(db, accountId)
  if (await isNoted(db, provider, event.id)) return { ...nothing, isRepeated: true }
  const at = new Date(event.createdAt * 1000)
  const told: Told = { provider, accountId, catalogue, at }
  const tie = await tell(db, told, heard)
  if (tie) return { ...nothing, tie }
  await noteEvent(db, { provider, id: event.id, accountId, type: event.type })
  if (fact.kind !== 'subscription' && fact.kind !== 'invoice') return nothing
  const plan = await planOf(db, { provider, accountId, catalogue, now: new Date(parts.now()) })
  await accounts.putOnPlan(db, { accountId, plan })
  return { ...nothing, isPlanChanged: true }
}

/** Folds a fact into what is kept; gives what was known when the provider must be asked first. */
async function tell(db: Database, told: Told, { event, fact, asked }: Heard): Promise<Knowledge | null> {
  switch (fact.kind) {
    case 'package-paid':
      await packagePaid(db, told, fact)
      break
    case 'package-failed':
      await packageFailed(db, told, fact)
      break
    case 'invoice':
      await invoiceTold(db, told, fact)
      break
    case 'refund':
    case 'dispute':
      await takenBack(db, told, fact)
      break
    case 'subscription': {
      const plan = told.catalogue.paidPlan(fact)
      return subscriptionTold(db, { ...told, facts: fact, plan, by: event }, asked ?? null)
    }
  }
  return null
}

import type { Database } from '../../platform/database/index.ts'
import type { ChargeFacts, Fact, PaymentEvent } from '../../platform/payments/index.ts'
import type { PaymentParts } from './checkout.ts'
import { invoiceTold, packageFailed, packagePaid, type Told, takenBack } from './purchases.ts'
import { findCustomersAccount, findPaymentByIntent, lockPurchases, noteEvent } from './store-payments.ts'
import { planOf, subscriptionTold } from './subscriptions.ts'

/** What an event came to: `foreign` ones are about customers that are not ours. */
export type Reception = 'done' | 'repeated' | 'ignored' | 'foreign'

/**
 * Receives an event: the very bytes that arrived and their signature. Its effect and the note that it had it are one
 * transaction. Throws 400 for what is not signed by the provider, 503 without a secret.
 */
export async function receiveEvent(
  parts: PaymentParts,
  body: Uint8Array,
  signature: string | undefined,
): Promise<Reception> {
  const event = parts.payments.readEvent(body, signature)
  if (event.fact === null) return 'ignored'
  const fact = await complete(parts, event.fact)
  const accountId = fact && (await accountOf(parts, fact))
  if (!accountId) return 'foreign'
  const told = await parts.db.transaction().execute(db => apply(parts, db, { event, fact, accountId }))
  if (told.isPlanChanged) await parts.accounts.planChanged(accountId)
  return told.isRepeated ? 'repeated' : 'done'
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

async function apply(
  parts: PaymentParts,
  db: Database,
  { event, fact, accountId }: { event: PaymentEvent; fact: Fact; accountId: string },
): Promise<{ isRepeated: boolean; isPlanChanged: boolean }> {
  const { catalogue, payments, accounts } = parts
  const { provider } = payments
  await lockPurchases(db, accountId)
  const isNew = await noteEvent(db, { provider, id: event.id, accountId, type: event.type })
  if (!isNew) return { isRepeated: true, isPlanChanged: false }
  const at = new Date(event.createdAt * 1000)
  const told: Told = { provider, accountId, catalogue, at }
  await tell(db, told, event, fact)
  if (fact.kind !== 'subscription' && fact.kind !== 'invoice')
    return { isRepeated: false, isPlanChanged: false }
  const plan = await planOf(db, { provider, accountId, now: new Date(parts.now()) })
  await accounts.putOnPlan(db, { accountId, plan })
  return { isRepeated: false, isPlanChanged: true }
}

async function tell(db: Database, told: Told, event: PaymentEvent, fact: Fact): Promise<void> {
  switch (fact.kind) {
    case 'package-paid':
      return packagePaid(db, told, fact)
    case 'package-failed':
      return packageFailed(db, told, fact)
    case 'invoice':
      return invoiceTold(db, told, fact)
    case 'refund':
    case 'dispute':
      return takenBack(db, told, fact)
    case 'subscription': {
      const plan = told.catalogue.findPlan(fact.planId ?? '')?.id ?? 'pro'
      return subscriptionTold(db, { ...told, facts: fact, plan, by: event })
    }
  }
}

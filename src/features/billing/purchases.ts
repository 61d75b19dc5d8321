import { newId } from '../../lib/ids.ts'
import type { Database } from '../../platform/database/index.ts'
import type { ChargeFacts, Fact } from '../../platform/payments/index.ts'
import { enter, microCreditsPerCredit } from './ledger.ts'
import type { Catalogue } from './plans.ts'
import {
  describeInvoice,
  findPayment,
  findPaymentByIntent,
  markFailed,
  markPaid,
  markTakenBack,
  needInvoice,
  type PaymentRow,
  setClawed,
} from './store-payments.ts'

/** Where a fact about a payment belongs, and when the provider told it. */
export interface Told {
  provider: string
  accountId: string
  catalogue: Catalogue
  at: Date
}

/**
 * A package was paid: its credits are entered, once. What it gives was decided when it began; a payment of less than its
 * price, or in another currency, gives nothing.
 */
export async function packagePaid(
  db: Database,
  told: Told,
  fact: Extract<Fact, { kind: 'package-paid' }>,
): Promise<void> {
  const row = await findPayment(db, { ...told, id: fact.paymentId })
  if (row?.kind !== 'package') return
  if (fact.amountCents < row.amountCents || fact.currency.toLowerCase() !== row.currency) return
  await markPaid(db, row.id, {
    at: told.at,
    sessionId: fact.sessionId,
    paymentIntentId: fact.paymentIntentId,
  })
  await balanceOut(db, told, row.id)
}

export async function packageFailed(
  db: Database,
  told: Told,
  fact: Extract<Fact, { kind: 'package-failed' }>,
): Promise<void> {
  const row = await findPayment(db, { ...told, id: fact.paymentId })
  if (row) await markFailed(db, row.id, { at: told.at, reason: fact.reason })
}

/** An invoice of a subscription was paid, which gives the month's credits once, or its payment failed. */
export async function invoiceTold(
  db: Database,
  told: Told,
  fact: Extract<Fact, { kind: 'invoice' }>,
): Promise<void> {
  const item = told.catalogue.paidPlan(fact)
  const plan = told.catalogue.plan(item)
  const { provider, accountId } = told
  const { invoiceId } = fact
  const row = await needInvoice(db, { id: newId(), provider, accountId, item, invoiceId })
  // An amount that was paid is not unsaid by an attempt that failed before, whichever is heard first.
  if (row.paidAt === null || fact.isPaid) {
    await describeInvoice(db, row.id, {
      item,
      amountCents: fact.amountCents,
      currency: fact.currency.toLowerCase() || plan.currency,
      microCredits: fact.isForMonth && fact.amountCents > 0 ? plan.monthlyCredits * microCreditsPerCredit : 0,
      subscriptionId: fact.subscriptionId,
      periodStart: new Date(fact.periodStart * 1000),
      periodEnd: new Date(fact.periodEnd * 1000),
    })
  }
  if (fact.isPaid)
    await markPaid(db, row.id, { at: told.at, sessionId: null, paymentIntentId: fact.paymentIntentId })
  else await markFailed(db, row.id, { at: told.at, reason: fact.reason })
  await balanceOut(db, told, row.id)
}

/** Money went back, or is claimed back: what it had bought is taken back in proportion. */
export async function takenBack(
  db: Database,
  told: Told,
  fact: Extract<Fact, { kind: 'refund' | 'dispute' }>,
): Promise<void> {
  const row = await paymentOf(db, told, fact.charge)
  if (!row) return
  await markTakenBack(db, row.id, {
    refundedCents: fact.kind === 'refund' ? fact.refundedCents : 0,
    disputedCents: fact.kind === 'dispute' ? fact.disputedCents : 0,
    dispute: fact.kind === 'dispute' ? fact.state : null,
    paymentIntentId: fact.charge.paymentIntentId,
  })
  await balanceOut(db, told, row.id)
}

async function paymentOf(db: Database, told: Told, charge: ChargeFacts): Promise<PaymentRow | null> {
  const { provider, accountId } = told
  if (charge.paymentId !== null) return findPayment(db, { provider, accountId, id: charge.paymentId })
  if (charge.invoiceId !== null)
    return needInvoice(db, { id: newId(), provider, accountId, item: 'pro', invoiceId: charge.invoiceId })
  return charge.paymentIntentId === null ? null : findPaymentByIntent(db, provider, charge.paymentIntentId)
}

/** Brings the ledger in line with what is known of a payment, whatever was heard first. */
async function balanceOut(db: Database, told: Told, id: string): Promise<void> {
  const row = await findPayment(db, { ...told, id })
  if (!row || row.paidAt === null || row.microCredits === 0) return
  const { accountId } = row
  await enter(db, {
    accountId,
    kind: row.kind === 'package' ? 'purchase' : 'grant',
    amountMicroCredits: row.microCredits,
    reference: `payment:${id}`,
    note: row.kind === 'package' ? 'Credits bought' : 'Credits of the month',
  })
  const wanted = takenOf(row)
  const change = wanted - row.clawedMicroCredits
  if (change === 0) return
  // Each state of a payment has its own entry, made once.
  const reference = `payment:${id}:${row.refundedCents}:${row.dispute ?? 'none'}`
  await enter(
    db,
    change > 0
      ? {
          accountId,
          kind: 'clawback',
          amountMicroCredits: -change,
          reference,
          note: 'The payment was taken back',
        }
      : {
          accountId,
          kind: 'refund',
          amountMicroCredits: -change,
          reference,
          note: 'The payment was not taken back after all',
        },
  )
  await setClawed(db, id, wanted)
}

/** How much of what a payment gave has to be taken back, all in all. */
function takenOf(row: PaymentRow): number {
  const disputed = row.dispute === 'open' || row.dispute === 'lost' ? row.disputedCents : 0
  const cents = Math.min(row.refundedCents + disputed, row.amountCents)
  return cents === 0 ? 0 : Number((BigInt(row.microCredits) * BigInt(cents)) / BigInt(row.amountCents))
}

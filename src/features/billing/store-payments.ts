import { type Database, statement } from '../../platform/database/index.ts'

const lock = statement('select pg_advisory_xact_lock(hashtextextended($1::text, 6))')

/** Until the transaction ends, nobody else changes what this account has bought. */
export async function lockPurchases(db: Database, accountId: string): Promise<void> {
  await lock(db, accountId)
}

const customerOf = statement<{ id: string }>(
  'select customer_id as id from payment_customers where account_id = $1 and provider = $2',
)
const accountOf = statement<{ id: string }>(
  `select account_id as id from payment_customers c join accounts a on a.id = c.account_id
   where provider = $1 and customer_id = $2 and a.erasing_at is null`,
)
const keepCustomer = statement(
  `insert into payment_customers (provider, customer_id, account_id) values ($1, $2, $3)
   on conflict (account_id, provider) do nothing`,
)
const dropCustomer = statement('delete from payment_customers where provider = $1 and customer_id = $2')

/** The account's customer at the provider, or null. */
export async function findCustomer(
  db: Database,
  accountId: string,
  provider: string,
): Promise<string | null> {
  return (await customerOf(db, accountId, provider))[0]?.id ?? null
}

/** Whose customer it is; null when it is nobody's. */
export async function findCustomersAccount(
  db: Database,
  provider: string,
  customerId: string,
): Promise<string | null> {
  return (await accountOf(db, provider, customerId))[0]?.id ?? null
}

/** Keeps the account's customer; the first one stays. */
export async function addCustomer(
  db: Database,
  customer: { provider: string; customerId: string; accountId: string },
): Promise<void> {
  await keepCustomer(db, customer.provider, customer.customerId, customer.accountId)
}

export async function forgetCustomer(db: Database, provider: string, customerId: string): Promise<void> {
  await dropCustomer(db, provider, customerId)
}

const insertRemoval = statement(
  'insert into customer_removals (provider, customer_id) values ($1, $2) on conflict do nothing',
)
const removals = statement<{ id: string }>(
  'select customer_id as id from customer_removals where provider = $1 order by asked_at limit 100',
)
const deleteRemoval = statement('delete from customer_removals where provider = $1 and customer_id = $2')

/** Keeps that a customer is to be removed at the provider, whatever becomes of its account meanwhile. */
export async function addRemoval(db: Database, provider: string, customerId: string): Promise<void> {
  await insertRemoval(db, provider, customerId)
}

/** Customers that are yet to be removed, the oldest first. */
export async function listRemovals(db: Database, provider: string): Promise<string[]> {
  return (await removals(db, provider)).map(row => row.id)
}

export async function dropRemoval(db: Database, provider: string, customerId: string): Promise<void> {
  await deleteRemoval(db, provider, customerId)
}

const findEvent = statement<{ id: string }>(
  'select event_id as id from payment_events where provider = $1 and event_id = $2',
)
const addEvent = statement(
  'insert into payment_events (provider, event_id, account_id, type) values ($1, $2, $3, $4)',
)

/** Whether an event had its effect before; ask under `lockPurchases`. */
export async function isNoted(db: Database, provider: string, id: string): Promise<boolean> {
  return (await findEvent(db, provider, id)).length > 0
}

/** Notes that an event has its effect in this transaction; fails when it was noted for another account meanwhile. */
export async function noteEvent(
  db: Database,
  event: { provider: string; id: string; accountId: string; type: string },
): Promise<void> {
  await addEvent(db, event.provider, event.id, event.accountId, event.type)
}

/** A package or an invoice, with what the provider has told of it so far. */
export interface PaymentRow {
  id: string
  accountId: string
  kind: 'package' | 'plan'
  item: string
  microCredits: number
  amountCents: number
  currency: string
  paidAt: Date | null
  failedAt: Date | null
  failure: string | null
  refundedCents: number
  disputedCents: number
  dispute: 'open' | 'won' | 'lost' | null
  clawedMicroCredits: number
  subscriptionId: string | null
  periodStart: Date | null
  periodEnd: Date | null
  createdAt: Date
}

const paymentColumns = `id, account_id as "accountId", kind, item, micro_credits as "microCredits",
  amount_cents as "amountCents", currency, paid_at as "paidAt", failed_at as "failedAt", failure,
  refunded_cents as "refundedCents", disputed_cents as "disputedCents", dispute,
  clawed_micro_credits as "clawedMicroCredits", subscription_id as "subscriptionId",
  period_start as "periodStart", period_end as "periodEnd", created_at as "createdAt"`

const insertPackage = statement(
  `insert into payments (id, account_id, provider, kind, item, micro_credits, amount_cents, currency)
   values ($1, $2, $3, 'package', $4, $5, $6, $7)`,
)

/** Keeps what somebody sets out to buy, before the provider hears of it. */
export async function addPackagePayment(
  db: Database,
  payment: {
    id: string
    accountId: string
    provider: string
    item: string
    microCredits: number
    amountCents: number
    currency: string
  },
): Promise<void> {
  const { id, accountId, provider, item, microCredits, amountCents, currency } = payment
  await insertPackage(db, id, accountId, provider, item, microCredits, amountCents, currency)
}

const upsertInvoice = statement<PaymentRow>(
  `insert into payments (id, account_id, provider, kind, item, micro_credits, amount_cents, currency, invoice_id)
   values ($1, $2, $3, 'plan', $4, 0, 0, 'usd', $5)
   on conflict (provider, invoice_id) where invoice_id is not null do update set invoice_id = excluded.invoice_id
   returning ${paymentColumns}`,
)

/** The row of an invoice, made when it is first heard of. */
export async function needInvoice(
  db: Database,
  invoice: { id: string; accountId: string; provider: string; item: string; invoiceId: string },
): Promise<PaymentRow> {
  const { id, accountId, provider, item, invoiceId } = invoice
  const [row] = await upsertInvoice(db, id, accountId, provider, item, invoiceId)
  if (!row) throw new Error('an invoice was not kept')
  return row
}

const byId = statement<PaymentRow>(
  `select ${paymentColumns} from payments where provider = $1 and id::text = $2 and account_id = $3`,
)
const byIntent = statement<PaymentRow>(
  `select ${paymentColumns} from payments where provider = $1 and payment_intent_id = $2`,
)

/** The account's payment by our id, which may be any text that came from outside. */
export async function findPayment(
  db: Database,
  key: { provider: string; id: string; accountId: string },
): Promise<PaymentRow | null> {
  return (await byId(db, key.provider, key.id, key.accountId))[0] ?? null
}

export async function findPaymentByIntent(
  db: Database,
  provider: string,
  intentId: string,
): Promise<PaymentRow | null> {
  return (await byIntent(db, provider, intentId))[0] ?? null
}

const paid = statement(
  `update payments set paid_at = coalesce(least(paid_at, $2), $2), session_id = coalesce($3, session_id),
     payment_intent_id = coalesce($4, payment_intent_id) where id = $1`,
)
const invoicePaid = statement(
  `update payments set item = $2, amount_cents = $3, currency = $4, micro_credits = $5, subscription_id = $6,
     period_start = $7, period_end = $8 where id = $1`,
)
const failed = statement(
  `update payments set failure = $3, failed_at = $2
   where id = $1 and (failed_at is null or (failed_at, failure) < ($2::timestamptz, $3::text))`,
)
const told = statement(
  `update payments set refunded_cents = greatest(refunded_cents, $2),
     disputed_cents = greatest(disputed_cents, $3),
     dispute = case when dispute in ('won', 'lost') then dispute else coalesce($4, dispute) end,
     payment_intent_id = coalesce(payment_intent_id, $5)
   where id = $1`,
)
const clawed = statement('update payments set clawed_micro_credits = $2 where id = $1')

export async function markPaid(
  db: Database,
  id: string,
  by: { at: Date; sessionId: string | null; paymentIntentId: string | null },
): Promise<void> {
  await paid(db, id, by.at, by.sessionId, by.paymentIntentId)
}

export interface InvoiceDetails {
  item: string
  amountCents: number
  currency: string
  microCredits: number
  subscriptionId: string
  periodStart: Date
  periodEnd: Date
}

export async function describeInvoice(db: Database, id: string, details: InvoiceDetails): Promise<void> {
  const { item, amountCents, currency, microCredits, subscriptionId, periodStart, periodEnd } = details
  await invoicePaid(db, id, item, amountCents, currency, microCredits, subscriptionId, periodStart, periodEnd)
}

/** Notes a try that failed; the last one is kept. */
export async function markFailed(
  db: Database,
  id: string,
  failure: { at: Date; reason: string },
): Promise<void> {
  await failed(db, id, failure.at, failure.reason)
}

/** Notes what went back, or is claimed back, in all; amounts only grow, and a decided dispute stays decided. */
export async function markTakenBack(
  db: Database,
  id: string,
  taken: {
    refundedCents: number
    disputedCents: number
    dispute: 'open' | 'won' | 'lost' | null
    paymentIntentId: string | null
  },
): Promise<void> {
  await told(db, id, taken.refundedCents, taken.disputedCents, taken.dispute, taken.paymentIntentId)
}

export async function setClawed(db: Database, id: string, microCredits: number): Promise<void> {
  await clawed(db, id, microCredits)
}

const page = statement<PaymentRow>(
  `select ${paymentColumns} from payments where account_id = $1 and ($2::uuid is null or id < $2)
   order by id desc limit $3`,
)

/** The account's payments, the newest first. */
export function listPayments(
  db: Database,
  accountId: string,
  cut: { before: string | null; limit: number },
): Promise<PaymentRow[]> {
  return page(db, accountId, cut.before, cut.limit)
}

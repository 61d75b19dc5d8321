import type { ChargeFacts, CheckoutState, Fact, InvoiceFacts, SubscriptionFacts } from './index.ts'

/** An event as it came; nothing in it is believed to have a form. */
export interface ProviderEvent {
  id: string
  type: string
  created: number
  data?: { object?: unknown }
}

type Fields = Record<string, unknown>

/** What an event of Stripe's tells us; null for events that we do not follow, or that lack what we follow them by. */
export function factOf(event: ProviderEvent): Fact | null {
  const object = fields(event.data?.object)
  switch (event.type) {
    case 'checkout.session.completed':
    case 'checkout.session.async_payment_succeeded':
      return packagePaid(object)
    case 'checkout.session.async_payment_failed':
      return packageFailed(object, 'The payment failed')
    case 'payment_intent.payment_failed':
      return packageFailed(object, text(fields(object.last_payment_error).message) ?? 'The payment failed')
    case 'customer.subscription.created':
    case 'customer.subscription.updated':
    case 'customer.subscription.deleted':
      return withKind('subscription', subscriptionFacts(object))
    case 'invoice.paid':
    case 'invoice.payment_succeeded':
      return invoice(object, true)
    case 'invoice.payment_failed':
      return invoice(object, false)
    case 'charge.refunded':
      return {
        kind: 'refund',
        refundedCents: number(object.amount_refunded) ?? 0,
        charge: chargeFacts(object),
      }
    case 'charge.dispute.created':
    case 'charge.dispute.closed':
      return dispute(object, event.type)
    default:
      return null
  }
}

function packagePaid(session: Fields): Fact | null {
  const paymentId = text(fields(session.metadata).paymentId)
  const customerId = idOf(session.customer)
  const sessionId = text(session.id)
  // Unpaid so far: the provider tells later whether it was paid.
  if (session.mode !== 'payment' || session.payment_status !== 'paid') return null
  if (!paymentId || !customerId || !sessionId) return null
  return {
    kind: 'package-paid',
    paymentId,
    customerId,
    sessionId,
    paymentIntentId: idOf(session.payment_intent),
    amountCents: number(session.amount_total) ?? 0,
    currency: text(session.currency) ?? '',
  }
}

function packageFailed(object: Fields, reason: string): Fact | null {
  const paymentId = text(fields(object.metadata).paymentId)
  const customerId = idOf(object.customer)
  if (!paymentId || !customerId) return null
  return { kind: 'package-failed', paymentId, customerId, reason: reason.slice(0, 300) }
}

/** A subscription's facts from Stripe's object, of older and newer versions of its API; null when it has no id. */
export function subscriptionFacts(object: unknown): SubscriptionFacts | null {
  const subscription = fields(object)
  const subscriptionId = text(subscription.id)
  const customerId = idOf(subscription.customer)
  const status = text(subscription.status)
  if (!subscriptionId || !customerId || !status) return null
  const items = list(fields(subscription.items).data).map(fields)
  const ends = items.map(item => number(item.current_period_end) ?? 0)
  const end = Math.max(number(subscription.current_period_end) ?? 0, ...ends)
  return {
    subscriptionId,
    customerId,
    planId: text(fields(subscription.metadata).planId),
    priceId: idOf(items[0]?.price),
    begunAt: number(subscription.created),
    status,
    currentPeriodEnd: end > 0 ? end : null,
    // The portal of newer versions writes a date instead.
    cancelAtPeriodEnd: subscription.cancel_at_period_end === true || number(subscription.cancel_at) !== null,
  }
}

function invoice(object: Fields, isPaid: boolean): Fact | null {
  const facts = invoiceFacts(object, isPaid)
  if (!facts) return null
  const reason = isPaid ? '' : (text(fields(object.last_finalization_error).message) ?? 'The payment failed')
  return { kind: 'invoice', isPaid, reason: reason.slice(0, 300), ...facts }
}

function invoiceFacts(object: Fields, isPaid: boolean): InvoiceFacts | null {
  const details = fields(fields(object.parent).subscription_details)
  const invoiceId = text(object.id)
  const customerId = idOf(object.customer)
  const subscriptionId = idOf(details.subscription) ?? idOf(object.subscription)
  if (!invoiceId || !customerId || !subscriptionId) return null
  const lines = list(fields(object.lines).data).map(fields)
  const periods = lines.map(line => fields(line.period))
  const starts = periods.map(period => number(period.start)).filter(value => value !== null)
  const ends = periods.map(period => number(period.end)).filter(value => value !== null)
  return {
    invoiceId,
    customerId,
    subscriptionId,
    planId:
      text(fields(details.metadata).planId) ??
      text(fields(fields(object.subscription_details).metadata).planId),
    priceId: priceOf(lines),
    amountCents: number(isPaid ? object.amount_paid : object.amount_due) ?? 0,
    currency: text(object.currency) ?? '',
    // What a renewal pays for is in its lines; the invoice's own period is the one before.
    periodStart: starts.length > 0 ? Math.max(...starts) : (number(object.period_start) ?? 0),
    periodEnd: ends.length > 0 ? Math.max(...ends) : (number(object.period_end) ?? 0),
    paymentIntentId: idOf(object.payment_intent),
    isForMonth: !['subscription_update', 'subscription_threshold', 'manual'].includes(
      text(object.billing_reason) ?? '',
    ),
  }
}

/** The price of the line that reaches furthest: others are for what changed within a month. */
function priceOf(lines: readonly Fields[]): string | null {
  const [last] = lines.toSorted(
    (one, other) => (number(fields(other.period).end) ?? 0) - (number(fields(one.period).end) ?? 0),
  )
  return idOf(fields(fields(last?.pricing).price_details).price) ?? idOf(last?.price)
}

function dispute(object: Fields, type: string): Fact {
  const isOver = type === 'charge.dispute.closed'
  const isWon = object.status === 'won' || object.status === 'warning_closed'
  return {
    kind: 'dispute',
    state: isOver ? (isWon ? 'won' : 'lost') : 'open',
    disputedCents: number(object.amount) ?? 0,
    charge: { ...noCharge, paymentIntentId: idOf(object.payment_intent) },
  }
}

/** How a checkout stands, from Stripe's object. */
export function checkoutState(object: unknown): CheckoutState | null {
  const { status, url, subscription } = fields(object)
  if (status !== 'open' && status !== 'complete' && status !== 'expired') return null
  return { status, url: typeof url === 'string' ? url : null, subscriptionId: idOf(subscription) }
}

/** A charge that tells nothing. */
export const noCharge: ChargeFacts = {
  paymentIntentId: null,
  paymentId: null,
  customerId: null,
  invoiceId: null,
}

function chargeFacts(charge: Fields): ChargeFacts {
  return {
    paymentIntentId: idOf(charge.payment_intent),
    paymentId: text(fields(charge.metadata).paymentId),
    customerId: idOf(charge.customer),
    invoiceId: idOf(charge.invoice),
  }
}

function withKind<Kind extends string, Facts>(
  kind: Kind,
  facts: Facts | null,
): ({ kind: Kind } & Facts) | null {
  return facts && { kind, ...facts }
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' && value.length <= 1000 ? value : null
}

/** A whole number that is none below zero: whatever else is told as an amount or a time counts as not told. */
function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value < 1e11 ? value : null
}

/** The id of a thing that is told by its id or whole. */
function idOf(value: unknown): string | null {
  return text(value) ?? text(fields(value).id)
}

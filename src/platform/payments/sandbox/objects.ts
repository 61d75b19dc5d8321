import { randomBytes } from 'node:crypto'
import type { CheckoutOrder } from '../index.ts'
import type { Body } from './store.ts'

/** A plan that is sold; its price is in the smallest unit of the currency. */
export interface SandboxPlan {
  id: string
  name: string
  priceCents: number
  currency: string
}

/** A new id in Stripe's form. */
export function newObjectId(prefix: string): string {
  return `${prefix}_sandbox_${randomBytes(18).toString('base64url').replace(/[-_]/g, 'x')}`
}

let lastEvent = 0

/** The id of a new event. Ids rise, since events tell their time in seconds only, and two of one second have an order. */
export function newEventId(): string {
  lastEvent = Math.max(lastEvent + 1, Date.now() * 1000)
  return `evt_sandbox_${lastEvent.toString(36).padStart(11, '0')}${randomBytes(9).toString('hex')}`
}

export const seconds = (time = Date.now()) => Math.floor(time / 1000)

/** A checkout session as Stripe tells of it; `order` is what was asked for. */
export function newSession(id: string, order: CheckoutOrder): Body {
  const { item, customerId, accountId, successUrl, cancelUrl } = order
  return {
    id,
    object: 'checkout.session',
    mode: item.kind === 'package' ? 'payment' : 'subscription',
    status: 'open',
    payment_status: 'unpaid',
    customer: customerId,
    client_reference_id: accountId,
    metadata: item.kind === 'package' ? { paymentId: item.paymentId } : { planId: item.planId },
    amount_total: item.amountCents,
    currency: item.currency,
    success_url: successUrl,
    cancel_url: cancelUrl,
    created: seconds(),
    item_name: item.name,
  }
}

/** What a subscription's first month and its renewals begin with. */
export function newSubscription(session: Body, intervalEnd: number): Body {
  const id = newObjectId('sub')
  const now = seconds()
  return {
    id,
    object: 'subscription',
    customer: session.customer,
    status: 'active',
    cancel_at_period_end: false,
    metadata: session.metadata,
    created: now,
    items: { data: [{ current_period_start: now, current_period_end: intervalEnd }] },
    amount: session.amount_total,
    currency: session.currency,
  }
}

/** An invoice for a period of a subscription. */
export function newInvoice(
  subscription: Pick<Body, 'id' | 'customer' | 'metadata' | 'amount' | 'currency'>,
  details: { isPaid: boolean; start: number; end: number; reason: string },
): Body {
  const { isPaid, start, end, reason } = details
  return {
    id: newObjectId('in'),
    object: 'invoice',
    customer: subscription.customer,
    status: isPaid ? 'paid' : 'open',
    billing_reason: reason,
    amount_due: subscription.amount,
    amount_paid: isPaid ? subscription.amount : 0,
    currency: subscription.currency,
    parent: { subscription_details: { subscription: subscription.id, metadata: subscription.metadata } },
    lines: { data: [{ period: { start, end } }] },
    period_start: start,
    period_end: end,
    created: seconds(),
  }
}

/** The same day of the next month, or its last day. */
export function monthAfter(start: number): number {
  const date = new Date(start * 1000)
  const day = date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() + 1)
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  date.setUTCDate(Math.min(day, last))
  return seconds(date.getTime())
}

import type { Database } from '../../database/index.ts'
import { type Card, judgeCard } from './cards.ts'
import {
  monthAfter,
  newEventId,
  newInvoice,
  newObjectId,
  newSubscription,
  type SandboxPlan,
  seconds,
} from './objects.ts'
import { addObject, type Body, changeObject, listObjects, lockObject, queueEvent } from './store.ts'

/** How a try to pay ended. */
export type Outcome =
  | { kind: 'paid'; url: string }
  | { kind: 'refused'; message: string }
  | { kind: 'over' }
  | { kind: 'unknown' }

/** Takes a card at an open checkout; what it leads to is told by events, as with Stripe. */
export async function payWithCard(db: Database, sessionId: string, card: Card): Promise<Outcome> {
  const verdict = judgeCard(card)
  return db.transaction().execute(async transaction => {
    const session = (await lockObject(transaction, 'session', sessionId))?.body
    if (!session) return { kind: 'unknown' }
    if (session.status !== 'open') return { kind: 'over' }
    if ('problem' in verdict) return { kind: 'refused', message: verdict.problem }
    if (!verdict.isAccepted) {
      await decline(transaction, session, verdict.reason)
      return { kind: 'refused', message: verdict.reason }
    }
    await complete(transaction, sessionId, session)
    return { kind: 'paid', url: String(session.success_url).replaceAll('{CHECKOUT_SESSION_ID}', sessionId) }
  })
}

async function complete(db: Database, sessionId: string, session: Body): Promise<void> {
  const paid = { ...session, status: 'complete', payment_status: 'paid' }
  if (session.mode === 'payment') {
    const intent = await keepIntent(db, session)
    await settle(db, sessionId, { ...paid, payment_intent: intent })
    return
  }
  const start = seconds()
  const subscription = newSubscription(session, monthAfter(start))
  const id = String(subscription.id)
  await addObject(db, { id, kind: 'subscription', customerId: String(session.customer), body: subscription })
  await settle(db, sessionId, { ...paid, subscription: id })
  await tell(db, 'customer.subscription.created', subscription)
  await charge(db, subscription, { start, end: monthAfter(start), reason: 'subscription_create' })
}

async function settle(db: Database, sessionId: string, session: Body): Promise<void> {
  await changeObject(db, sessionId, session)
  await tell(db, 'checkout.session.completed', session)
}

/** A try that failed: told as Stripe does, by the payment for packages and by the invoice for subscriptions. */
async function decline(db: Database, session: Body, reason: string): Promise<void> {
  const { customer, metadata, amount_total: amount, currency } = session
  if (session.mode === 'payment') {
    const last_payment_error = { code: 'card_declined', message: reason }
    await tell(db, 'payment_intent.payment_failed', {
      id: newObjectId('pi'),
      object: 'payment_intent',
      customer,
      metadata,
      amount,
      currency,
      last_payment_error,
    })
    return
  }
  const start = seconds()
  const subscription = { id: newObjectId('sub'), customer, metadata, amount, currency }
  const invoice = newInvoice(subscription, {
    isPaid: false,
    start,
    end: monthAfter(start),
    reason: 'subscription_create',
  })
  await tell(db, 'invoice.payment_failed', { ...invoice, last_finalization_error: { message: reason } })
}

async function charge(
  db: Database,
  subscription: Body,
  period: { start: number; end: number; reason: string },
): Promise<void> {
  const intent = await keepIntent(db, subscription)
  const invoice = { ...newInvoice(priced(subscription), { isPaid: true, ...period }), payment_intent: intent }
  const body: Body = invoice
  await addObject(db, { id: String(body.id), kind: 'invoice', customerId: String(body.customer), body })
  await tell(db, 'invoice.payment_succeeded', invoice)
}

async function keepIntent(
  db: Database,
  { customer, metadata, amount_total, amount, currency }: Body,
): Promise<string> {
  const id = newObjectId('pi')
  const body = { id, object: 'payment_intent', customer, metadata, amount: amount_total ?? amount, currency }
  await addObject(db, { id, kind: 'intent', customerId: String(customer), body })
  return id
}

function priced({ id, customer, metadata, amount, currency }: Body) {
  return { id, customer, metadata, amount, currency }
}

/** Closes a checkout that nobody has paid; false when it was over already. */
export async function closeSession(db: Database, sessionId: string): Promise<boolean> {
  return db.transaction().execute(async transaction => {
    const session = (await lockObject(transaction, 'session', sessionId))?.body
    if (session?.status !== 'open') return false
    await changeObject(transaction, sessionId, { ...session, status: 'expired' })
    return true
  })
}

/** Ends a subscription at once and gives back what its only invoice took; tells whether it did. */
export async function undoSubscription(db: Database, subscriptionId: string): Promise<boolean> {
  return db.transaction().execute(async transaction => {
    const found = await lockObject(transaction, 'subscription', subscriptionId)
    if (!found || !isLive(found)) return false
    await changeSubscription(transaction, found.body, { status: 'canceled', canceled_at: seconds() })
    const invoices = (await listObjects(transaction, 'invoice', found.customerId)).filter(
      ({ body }) => subscriptionOf(body) === subscriptionId,
    )
    const [invoice] = invoices
    if (!invoice || invoices.length > 1) return false
    const { customer, amount_paid: amount, payment_intent } = invoice.body
    const refund = { id: newObjectId('ch'), object: 'charge', customer, payment_intent, invoice: invoice.id }
    await tell(transaction, 'charge.refunded', { ...refund, amount, amount_refunded: amount })
    return true
  })
}

function subscriptionOf(invoice: Body): unknown {
  const parent = invoice.parent as { subscription_details?: { subscription?: unknown } } | undefined
  return parent?.subscription_details?.subscription
}

export const portalDeeds = ['cancel', 'reactivate', 'pass-month'] as const

/** Does what the person asks on the portal page; false when there is nothing to do it to. */
export async function manage(
  db: Database,
  customerId: string,
  deed: (typeof portalDeeds)[number] | SandboxPlan,
): Promise<boolean> {
  return db.transaction().execute(async transaction => {
    const live = (await listObjects(transaction, 'subscription', customerId)).find(isLive)
    const locked = live && (await lockObject(transaction, 'subscription', live.id))
    if (!locked || !isLive(locked)) return false
    if (typeof deed === 'object') await changePlan(transaction, locked.body, deed)
    else if (deed === 'pass-month') await passMonth(transaction, locked.body)
    else await changeSubscription(transaction, locked.body, { cancel_at_period_end: deed === 'cancel' })
    return true
  })
}

/** From the next month on the other plan is charged; what it allows counts at once. */
async function changePlan(db: Database, subscription: Body, plan: SandboxPlan): Promise<void> {
  const metadata = { ...(subscription.metadata as Body), planId: plan.id }
  await changeSubscription(db, subscription, { metadata, amount: plan.priceCents, currency: plan.currency })
}

export function isLive({ body }: { body: Body }): boolean {
  return body.status !== 'canceled'
}

/** Changes a subscription and tells it. */
export async function changeSubscription(db: Database, subscription: Body, change: Body): Promise<Body> {
  const changed = { ...subscription, ...change }
  await changeObject(db, String(subscription.id), changed)
  const isOver = changed.status === 'canceled'
  await tell(db, `customer.subscription.${isOver ? 'deleted' : 'updated'}`, changed)
  return changed
}

/** As if the paid month had gone by: the subscription ends, or the next month is paid. */
async function passMonth(db: Database, subscription: Body): Promise<void> {
  if (subscription.cancel_at_period_end === true) {
    await changeSubscription(db, subscription, { status: 'canceled', canceled_at: seconds() })
    return
  }
  const { items } = subscription as { items: { data: { current_period_end: number }[] } }
  const start = items.data[0]?.current_period_end ?? seconds()
  const end = monthAfter(start)
  const renewed = await changeSubscription(db, subscription, {
    items: { data: [{ current_period_start: start, current_period_end: end }] },
  })
  await charge(db, renewed, { start, end, reason: 'subscription_cycle' })
}

async function tell(db: Database, type: string, object: Body): Promise<void> {
  const id = newEventId()
  const body = JSON.stringify({
    id,
    object: 'event',
    type,
    created: seconds(),
    livemode: false,
    data: { object },
  })
  await queueEvent(db, { id, customerId: String(object.customer), body })
}

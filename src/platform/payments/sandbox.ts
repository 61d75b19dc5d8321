import { createHmac } from 'node:crypto'
import { AppError } from '../../lib/errors.ts'
import type { Database } from '../database/index.ts'
import { checkoutState, noCharge, subscriptionFacts } from './facts.ts'
import type { Payments, SubscriptionFacts } from './index.ts'
import type { Card } from './sandbox/cards.ts'
import {
  changeSubscription,
  closeSession,
  isLive,
  manage,
  payWithCard,
  portalDeeds,
  undoSubscription,
} from './sandbox/counter.ts'
import { Deliveries } from './sandbox/deliveries.ts'
import { newObjectId, newSession, type SandboxPlan } from './sandbox/objects.ts'
import { addObject, type Body, dropCustomer, findObject, listObjects, lockObject } from './sandbox/store.ts'
import { readSignedEvent } from './signature.ts'

export type { SandboxPlan } from './sandbox/objects.ts'

export interface SandboxSettings {
  db: Database
  /** Signs and proves the events. */
  secret: string
  /** What the portal may change a subscription to; those that are free are left out. */
  plans: readonly SandboxPlan[]
  /** Where people reach our pages. */
  publicUrl: () => string
  report: (error: unknown) => void
}

export type SandboxPayments = ReturnType<typeof createSandboxPayments>

/**
 * Payments without money: a checkout and a portal of our own, whose events come to our endpoint as Stripe's would. What it
 * keeps is in the database, so it goes on after a restart.
 */
export function createSandboxPayments(settings: SandboxSettings) {
  const { db, secret } = settings
  const deliveries = new Deliveries(settings)
  const idFor = (prefix: string, key: string) =>
    `${prefix}_sandbox_${createHmac('sha256', secret).update(`${prefix}\0${key}`).digest('hex').slice(0, 40)}`
  const payments: Payments = {
    provider: 'sandbox',
    async createCustomer({ accountId, email, idempotencyKey }) {
      const id = idFor('cus', idempotencyKey)
      await addObject(db, {
        id,
        kind: 'customer',
        customerId: id,
        body: { id, email, metadata: { accountId } },
      })
      return id
    },
    removeCustomer: customerId => db.transaction().execute(within => dropCustomer(within, customerId)),
    async checkout(order) {
      await needCustomer(db, order.customerId)
      const id = idFor('cs', order.idempotencyKey)
      await addObject(db, { id, kind: 'session', customerId: order.customerId, body: newSession(id, order) })
      return { sessionId: id, url: `${settings.publicUrl()}/sandbox/checkout/${id}` }
    },
    async portal({ customerId, returnUrl }) {
      await needCustomer(db, customerId)
      const id = newObjectId('bps')
      await addObject(db, {
        id,
        kind: 'portal',
        customerId,
        body: { id, customer: customerId, return_url: returnUrl },
      })
      return { url: `${settings.publicUrl()}/sandbox/portal/${id}` }
    },
    async checkoutState(sessionId) {
      const body = (await findObject(db, 'session', sessionId))?.body
      return checkoutState(body && { ...body, url: `${settings.publicUrl()}/sandbox/checkout/${sessionId}` })
    },
    closeCheckout: sessionId => closeSession(db, sessionId),
    async subscription(subscriptionId) {
      return subscriptionFacts((await findObject(db, 'subscription', subscriptionId))?.body)
    },
    async setCancelAtPeriodEnd({ subscriptionId, cancel }) {
      const facts = await setCancel(db, subscriptionId, cancel)
      await deliveries.flush()
      return facts
    },
    async undoSubscription({ subscriptionId }) {
      const isRefunded = await undoSubscription(db, subscriptionId)
      // Not awaited: this is asked for while an event is received, and the next one waits for that.
      void deliveries.flush()
      return { isRefunded }
    },
    async chargeOf(paymentIntentId) {
      const intent = (await findObject(db, 'intent', paymentIntentId))?.body as
        | { customer: string; metadata?: { paymentId?: string } }
        | undefined
      if (!intent) return null
      const invoices = await listObjects(db, 'invoice', intent.customer)
      const invoiceId = invoices.find(one => one.body.payment_intent === paymentIntentId)?.id ?? null
      const paymentId = intent.metadata?.paymentId ?? null
      return { ...noCharge, paymentIntentId, customerId: intent.customer, paymentId, invoiceId }
    },
    readEvent: (body, signature) => readSignedEvent({ body, signature, secret }),
    close: () => deliveries.close(),
  }
  return {
    ...payments,
    ...pageOperations(settings, deliveries),
    start: (url: string) => deliveries.start(url),
  }
}

/** What the sandbox's own pages show and do. */
function pageOperations({ db, plans }: SandboxSettings, deliveries: Deliveries) {
  const sold = plans.filter(plan => plan.priceCents > 0)
  return {
    session: async (id: string): Promise<Body | null> => (await findObject(db, 'session', id))?.body ?? null,
    async pay(id: string, card: Card) {
      const outcome = await payWithCard(db, id, card)
      // So that whoever comes back from the page finds what was paid for.
      await deliveries.flush()
      return outcome
    },
    /** The portal's page by its id: where it leads back to, and the subscription that lives. */
    async portalPage(id: string): Promise<{
      returnUrl: string
      subscription: SubscriptionFacts | null
      others: readonly SandboxPlan[]
    } | null> {
      const portal = (await findObject(db, 'portal', id))?.body
      if (!portal) return null
      const live = (await listObjects(db, 'subscription', String(portal.customer))).find(isLive)
      const subscription = live ? subscriptionFacts(live.body) : null
      const others = sold.filter(plan => plan.id !== subscription?.planId)
      return { returnUrl: String(portal.return_url), subscription, others }
    },
    /** Does one of the deeds, or `plan:` and the id of another plan. */
    async manage(id: string, wish: string): Promise<void> {
      const portal = await findObject(db, 'portal', id)
      const plan = sold.find(one => wish === `plan:${one.id}`)
      const deed = plan ?? portalDeeds.find(one => one === wish)
      if (!portal || !deed) return
      await manage(db, portal.customerId, deed)
      await deliveries.flush()
    },
  }
}

async function needCustomer(db: Database, customerId: string): Promise<void> {
  if (await findObject(db, 'customer', customerId)) return
  throw new AppError('missing', 'CUSTOMER_UNKNOWN', 'The payment provider does not know the customer')
}

async function setCancel(db: Database, subscriptionId: string, cancel: boolean): Promise<SubscriptionFacts> {
  const changed = await db.transaction().execute(async within => {
    const found = await lockObject(within, 'subscription', subscriptionId)
    if (!found) return null
    if (!isLive(found))
      throw new AppError('upstream', 'PAYMENT_PROVIDER_REFUSED', 'The payment provider refused the request')
    return changeSubscription(within, found.body, { cancel_at_period_end: cancel })
  })
  const facts = subscriptionFacts(changed)
  if (!facts) throw new AppError('missing', 'NOT_FOUND', 'The payment provider does not know it')
  return facts
}

import Stripe from 'stripe'
import { AppError } from '../../lib/errors.ts'
import { checkoutState, noCharge, subscriptionFacts } from './facts.ts'
import type { ChargeFacts, CheckoutOrder, Payments, SubscriptionFacts } from './index.ts'
import { readSignedEvent } from './signature.ts'

export interface StripeSettings {
  secretKey: string
  webhookSecret: string | undefined
  /** Where Stripe's API is, when it is not at Stripe's. */
  apiBase?: string | undefined
}

/** The version of Stripe's API that this code was written for and that its calls ask for, whatever the account's default is. */
export const stripeApiVersion = '2026-10-28.endive'

/** Payments by Stripe: its hosted checkout and portal, and its signed events. */
export function createStripePayments({ secretKey, webhookSecret, apiBase }: StripeSettings): Payments {
  const stripe = new Stripe(secretKey, {
    apiVersion: stripeApiVersion,
    maxNetworkRetries: 2,
    timeout: 20_000,
    telemetry: false,
    ...(apiBase ? at(new URL(apiBase)) : {}),
  })
  return {
    provider: 'stripe',
    async createCustomer({ accountId, email, idempotencyKey }) {
      const params = { ...(email ? { email } : {}), metadata: { accountId } }
      return (await asked(stripe.customers.create(params, { idempotencyKey }))).id
    },
    async removeCustomer(customerId) {
      await asked(stripe.customers.del(customerId)).catch(ignoreMissing)
    },
    async checkout(order) {
      const session = await asked(
        stripe.checkout.sessions.create(sessionParams(order), { idempotencyKey: order.idempotencyKey }),
      )
      if (!session.url)
        throw new AppError('upstream', 'PAYMENT_PROVIDER_FAILED', 'The payment provider gave no page')
      return { sessionId: session.id, url: session.url }
    },
    async portal({ customerId, returnUrl }) {
      const params = { customer: customerId, return_url: returnUrl }
      return { url: (await asked(stripe.billingPortal.sessions.create(params))).url }
    },
    async checkoutState(sessionId) {
      return checkoutState(await asked(stripe.checkout.sessions.retrieve(sessionId)).catch(ignoreMissing))
    },
    async closeCheckout(sessionId) {
      try {
        await asked(stripe.checkout.sessions.expire(sessionId))
        return true
      } catch (error) {
        // Stripe refuses to close what is paid or closed already.
        if (error instanceof AppError && (error.kind === 'upstream' || error.kind === 'missing')) return false
        throw error
      }
    },
    async subscription(subscriptionId) {
      const found = await asked(stripe.subscriptions.retrieve(subscriptionId)).catch(ignoreMissing)
      return found ? subscriptionFacts(found) : null
    },
    async setCancelAtPeriodEnd({ subscriptionId, cancel, idempotencyKey }) {
      const change = { cancel_at_period_end: cancel }
      return known(
        subscriptionFacts(
          await asked(stripe.subscriptions.update(subscriptionId, change, { idempotencyKey })),
        ),
      )
    },
    undoSubscription: input => undoSubscription(stripe, input),
    chargeOf: paymentIntentId => chargeOf(stripe, paymentIntentId),
    readEvent: (body, signature) => readSignedEvent({ body, signature, secret: webhookSecret }),
    close: async () => undefined,
  }
}

function at({ hostname, port, protocol }: URL) {
  const isPlain = protocol === 'http:'
  return {
    host: hostname,
    port: port || (isPlain ? 80 : 443),
    protocol: isPlain ? ('http' as const) : ('https' as const),
  }
}

function sessionParams({ customerId, accountId, item, successUrl, cancelUrl }: CheckoutOrder) {
  const price = {
    currency: item.currency,
    unit_amount: item.amountCents,
    product_data: { name: item.name },
  }
  const shared = {
    customer: customerId,
    client_reference_id: accountId,
    success_url: successUrl,
    cancel_url: cancelUrl,
  }
  if (item.kind === 'package') {
    const metadata = { paymentId: item.paymentId }
    return {
      ...shared,
      mode: 'payment' as const,
      metadata,
      payment_intent_data: { metadata },
      line_items: [{ quantity: 1, price_data: price }],
    }
  }
  const metadata = { planId: item.planId }
  const recurring = { interval: 'month' as const }
  return {
    ...shared,
    mode: 'subscription' as const,
    metadata,
    subscription_data: { metadata },
    line_items: [
      { quantity: 1, ...(item.priceId ? { price: item.priceId } : { price_data: { ...price, recurring } }) },
    ],
  }
}

async function undoSubscription(
  stripe: Stripe,
  { subscriptionId, idempotencyKey }: { subscriptionId: string; idempotencyKey: string },
): Promise<{ isRefunded: boolean }> {
  const expand = ['latest_invoice']
  const found = await asked(stripe.subscriptions.retrieve(subscriptionId, { expand })).catch(ignoreMissing)
  if (!found || found.status === 'canceled') return { isRefunded: false }
  const invoice = typeof found.latest_invoice === 'object' ? found.latest_invoice : null
  const isFirst = invoice?.billing_reason === 'subscription_create'
  // Before the end: as long as it lives, whoever comes by will see that it must still be undone.
  const isRefunded = isFirst && (await refundInvoice(stripe, invoice.id, idempotencyKey))
  await asked(stripe.subscriptions.cancel(subscriptionId)).catch(ignoreMissing)
  return { isRefunded }
}

async function refundInvoice(stripe: Stripe, invoice: string, idempotencyKey: string): Promise<boolean> {
  const paid = await asked(stripe.invoicePayments.list({ invoice, status: 'paid', limit: 10 }))
  const intents = paid.data.map(each => idOf(each.payment.payment_intent ?? null)).filter(id => id !== null)
  let isRefunded = false
  for (const payment_intent of intents) {
    const key = { idempotencyKey: `${idempotencyKey}:${payment_intent}` }
    try {
      await asked(stripe.refunds.create({ payment_intent, reason: 'duplicate' }, key))
      isRefunded = true
    } catch (error) {
      // What Stripe does not give back (it was given back before, or is disputed) does not keep it from ending.
      if (!(error instanceof AppError && error.kind === 'upstream')) throw error
    }
  }
  return isRefunded
}

async function chargeOf(stripe: Stripe, paymentIntentId: string): Promise<ChargeFacts | null> {
  const intent = await asked(stripe.paymentIntents.retrieve(paymentIntentId)).catch(ignoreMissing)
  if (!intent) return null
  const payments = await asked(
    stripe.invoicePayments.list({
      payment: { type: 'payment_intent', payment_intent: paymentIntentId },
      limit: 1,
    }),
  )
  return {
    ...noCharge,
    paymentIntentId,
    paymentId: intent.metadata.paymentId ?? null,
    customerId: idOf(intent.customer),
    invoiceId: idOf(payments.data[0]?.invoice ?? null),
  }
}

function idOf(value: string | { id: string } | null): string | null {
  return typeof value === 'string' ? value : (value?.id ?? null)
}

function known(facts: SubscriptionFacts | null): SubscriptionFacts {
  if (!facts)
    throw new AppError('upstream', 'PAYMENT_PROVIDER_FAILED', 'The payment provider gave no subscription')
  return facts
}

function ignoreMissing(error: unknown): null {
  if (error instanceof AppError && error.kind === 'missing') return null
  throw error
}

/** The answer, or Stripe's trouble as one of ours; what Stripe said stays in the cause, which is logged and not told. */
async function asked<Answer>(call: Promise<Answer>): Promise<Answer> {
  try {
    return await call
  } catch (cause) {
    throw appErrorOf(cause)
  }
}

function appErrorOf(cause: unknown): unknown {
  if (!(cause instanceof Stripe.errors.StripeError)) return cause
  const { type, code, param, statusCode = 0 } = cause
  // A copy without the request and its headers.
  const said = new Error(`${type} ${code ?? ''} ${param ?? ''} ${cause.requestId ?? ''}`.trim())
  if (code === 'resource_missing') {
    return param === 'customer'
      ? new AppError('missing', 'CUSTOMER_UNKNOWN', 'The payment provider does not know the customer', {
          cause: said,
        })
      : new AppError('missing', 'NOT_FOUND', 'The payment provider does not know it', { cause: said })
  }
  const isPassing = statusCode === 0 || statusCode === 409 || statusCode === 429 || statusCode >= 500
  return isPassing
    ? new AppError(
        'unavailable',
        'PAYMENT_PROVIDER_UNAVAILABLE',
        'The payment provider cannot be reached. Please try again.',
        { cause: said, retryAfterSeconds: 5 },
      )
    : new AppError('upstream', 'PAYMENT_PROVIDER_REFUSED', 'The payment provider refused the request', {
        cause: said,
      })
}

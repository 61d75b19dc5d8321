import Type from 'typebox'
import { type BillingPayments, subscriptionNumber } from '../../features/billing/index.ts'
import { acceptRawBytes } from '../../transport/bodies.ts'
import type { Server } from '../../transport/server.ts'
import { geminiBackend } from '../dialects.ts'
import type { DialectParts } from '../parts.ts'
import { speak } from '../speech.ts'

const endpoint = speak(geminiBackend)
type Subscription = Awaited<ReturnType<BillingPayments['cancel']>>

/** The published words: active, inactive, canceled; others are the provider's own. */
function statusOf(subscription: Subscription | null): string {
  if (subscription === null) return 'inactive'
  return subscription.status === 'trialing' ? 'active' : subscription.status
}

function viewSubscription(subscription: Subscription) {
  return {
    id: subscriptionNumber(subscription),
    status: statusOf(subscription),
    cancel_at_period_end: subscription.cancelAtPeriodEnd,
    current_period_end: subscription.currentPeriodEnd?.toISOString() ?? null,
  }
}

/** The plan pro: bought, read, ended with its month, gone on with. */
export function subscriptions(parts: DialectParts) {
  const { buying, accounts } = parts
  return async (server: Server) => {
    server.post('/api/subscription/pro', subscribing, async request => {
      const { success_url: successUrl, cancel_url: cancelUrl } = request.body ?? {}
      const { accountId } = request.identity
      const { sessionId, url } = await buying.checkout({ accountId, plan: 'pro', successUrl, cancelUrl })
      const message = 'Checkout session created successfully'
      return { success: true, message, session_id: sessionId, checkout_url: url }
    })
    server.get('/api/subscription/status', status, async request => {
      const { accountId } = request.identity
      const [account, subscription] = await Promise.all([
        accounts.read(accountId),
        buying.subscription(accountId),
      ])
      const current_period_end = subscription?.currentPeriodEnd?.toISOString() ?? null
      const told = { tier: account.plan, status: statusOf(subscription), current_period_end }
      return { success: true, subscription: told }
    })
    server.get('/api/subscription/plans', plans, async () => ({
      success: true,
      plans: buying.plans.map(({ id, name, priceCents, currency, features, dailyMessages }) => ({
        ...{ id, name, features, price: priceCents / 100, currency: currency.toUpperCase() },
        limits: { daily_messages: dailyMessages },
      })),
    }))
    server.post('/api/subscription/cancel', cancelling, async request => ({
      success: true,
      message: 'Subscription will be canceled at the end of the billing period',
      subscription: viewSubscription(await buying.cancel(request.identity.accountId)),
    }))
    server.post('/api/subscription/reactivate', reactivating, async request => ({
      success: true,
      message: 'Subscription reactivated successfully',
      subscription: viewSubscription(await buying.reactivate(request.identity.accountId)),
    }))
  }
}

const url = Type.Optional(Type.String({ maxLength: 2000 }))

const subscribing = endpoint({
  summary: 'Buy the plan pro',
  description:
    'Gives a page to pay on. All fields are optional; `price_id` is ignored, since prices are ours; the addresses must be of ' +
    'this server or of an origin that it allows.',
  asks: {
    body: Type.Union([
      Type.Object(
        { price_id: Type.Optional(Type.String({ maxLength: 200 })), success_url: url, cancel_url: url },
        {
          examples: [
            {
              price_id: 'price_1234567890',
              success_url: 'http://localhost:3000/success',
              cancel_url: 'http://localhost:3000/cancel',
            },
          ],
        },
      ),
      Type.Null(),
    ]),
  },
  answers: {
    200: {
      success: true,
      message: 'Checkout session created successfully',
      session_id: 'cs_test_a1',
      checkout_url: 'https://checkout.stripe.com/c/pay/cs_test_a1',
    },
  },
  failures: [400, 401, 403, 409, 429, 503],
  names: { successUrl: 'success_url', cancelUrl: 'cancel_url' },
})

const status = endpoint({
  summary: 'My subscription',
  answers: {
    200: { success: true, subscription: { tier: 'basic', status: 'inactive', current_period_end: null } },
  },
  failures: [401, 429],
})

const plans = endpoint({
  summary: 'The plans',
  auth: 'none',
  answers: {
    200: {
      success: true,
      plans: [
        {
          id: 'pro',
          name: 'Pro',
          features: ['1,000 messages a day'],
          price: 9.99,
          currency: 'USD',
          limits: { daily_messages: 1000 },
        },
      ],
    },
  },
  failures: [429],
})

const exampleSubscription = {
  id: 'sub_1234567890',
  status: 'active',
  cancel_at_period_end: true,
  current_period_end: '2026-12-20T09:30:00.000Z',
}
const noSubscription = { NO_SUBSCRIPTION: { message: 'No active subscription found' } }

const cancelling = endpoint({
  summary: 'End my subscription with its month',
  answers: {
    200: {
      success: true,
      message: 'Subscription will be canceled at the end of the billing period',
      subscription: exampleSubscription,
    },
  },
  failures: [401, 403, 404, 429, 503],
  codes: noSubscription,
})

const reactivating = endpoint({
  summary: 'Go on with my subscription after all',
  answers: {
    200: {
      success: true,
      message: 'Subscription reactivated successfully',
      subscription: { ...exampleSubscription, cancel_at_period_end: false },
    },
  },
  failures: [401, 403, 404, 429, 503],
  codes: noSubscription,
})

/** Where Stripe tells what happened: over the raw bytes, and beside the limits for people, since it comes in bursts. */
export function stripeWebhook({ buying }: DialectParts) {
  return async (server: Server) => {
    acceptRawBytes(server)
    server.post('/api/webhook/stripe', receiving, async request => {
      const signature = request.headers['stripe-signature']
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      await buying.receive(body, typeof signature === 'string' ? signature : undefined)
      return { success: true, received: true, message: 'Webhook processed successfully' }
    })
  }
}

const receiving = endpoint({
  summary: "Receive Stripe's events",
  description:
    'For Stripe: needs a right `Stripe-Signature` over the very bytes of the body; may be repeated. The same as /api/v1/webhooks/stripe.',
  auth: 'none',
  answers: { 200: { success: true, received: true, message: 'Webhook processed successfully' } },
  failures: [400, 503],
})

/** Whether payments are set up, and nothing that is secret: for administrators only in production. */
export function webhookTest({ buying, settings }: DialectParts) {
  const trying = endpoint({
    summary: 'Are payments set up?',
    description: 'Yes or no for each part, never a key. In production for administrators only.',
    auth: settings.isProduction ? 'admin' : 'none',
    answers: {
      200: {
        success: true,
        message: 'Webhook endpoint is accessible',
        configuration: {
          provider: 'sandbox',
          stripe_connected: false,
          webhook_secret_configured: true,
          stripe_key_configured: false,
        },
        timestamp: '2026-11-20T09:30:00.000Z',
      },
    },
    failures: [401, 403, 429],
  })
  return async (server: Server) => {
    server.get('/api/webhook/test', trying, async () => {
      const { provider } = buying
      const isStripe = provider === 'stripe'
      return {
        success: true,
        message: 'Webhook endpoint is accessible',
        configuration: {
          provider,
          stripe_connected: isStripe,
          webhook_secret_configured: provider !== 'none',
          stripe_key_configured: isStripe,
        },
        timestamp: new Date().toISOString(),
      }
    })
  }
}

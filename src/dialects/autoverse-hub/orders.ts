import Type from 'typebox'
import { microCreditsPerCredit } from '../../features/billing/index.ts'
import { AppError, invalidField, missing } from '../../lib/errors.ts'
import type { Server } from '../../transport/server.ts'
import { autoverseHub } from '../dialects.ts'
import type { DialectParts } from '../parts.ts'
import { speak } from '../speech.ts'
import { toCredits } from '../user.ts'

const endpoint = speak(autoverseHub)

/** Orders in the form of Razorpay, answered from our own payments: an order is paid when its payment is. */
export function orders(parts: DialectParts) {
  const { buying } = parts
  return async (server: Server) => {
    server.get('/api/payments/packages', offering, async () => ({
      success: true,
      creditPackages: buying.packages.map(({ id, name, credits, priceCents, currency }) => ({
        ...{ id, name, credits, price: priceCents / 100 },
        currency: currency.toUpperCase(),
      })),
      planPackages: buying.plans
        .filter(plan => plan.priceCents > 0)
        .map(({ id, name, priceCents, currency, monthlyCredits }) => ({
          ...{ id, name, credits: monthlyCredits, price: priceCents / 100 },
          currency: currency.toUpperCase(),
        })),
      addonPackages: [],
    }))
    server.post('/api/payments/create-order', ordering, async request => {
      const wanted = findPackage(parts, { package: request.body.package })
      return openOrder(parts, request.identity.accountId, wanted)
    })
    server.post('/api/payments/verify', verifying, async request =>
      verify(parts, request.identity.accountId, request.body.razorpayOrderId),
    )
  }
}

type Package = DialectParts['buying']['packages'][number]

/** What somebody wants to buy, in any of the published ways. */
export interface Wanted {
  package?: string | undefined
  packageId?: string | undefined
  amount?: number | undefined
  credits?: number | undefined
}

function findPackage({ buying }: DialectParts, wanted: Wanted): Package {
  const { packages } = buying
  const id = wanted.package ?? wanted.packageId
  const least = wanted.credits ?? wanted.amount
  const found =
    id === undefined && least !== undefined
      ? packages.toSorted((one, other) => one.credits - other.credits).find(one => one.credits >= least)
      : packages.find(one => one.id === id)
  if (!found) throw invalidField('package', `must be one of ${packages.map(one => one.id).join(', ')}`)
  return found
}

async function openOrder(parts: DialectParts, accountId: string, wanted: Package) {
  const { sessionId, url, paymentId } = await parts.buying.checkout({ accountId, packageId: wanted.id })
  const demo = parts.payInSandbox !== null
  return {
    success: true,
    orderId: `${demo ? 'demo_order' : 'order'}_${paymentId}${demo ? `_${sessionId}` : ''}`,
    amount: wanted.priceCents,
    currency: wanted.currency.toUpperCase(),
    description: wanted.name,
    checkoutUrl: url,
    demo,
  }
}

const orderPattern = /^(?:demo_)?order_([0-9a-f-]{36})(?:_(\w{1,100}))?$/

/** What an order gave; in the sandbox it is paid now, with a test card. Throws 402 while it is not paid. */
async function verify(parts: DialectParts, accountId: string, orderId: string) {
  const [, paymentId = '', sessionId] = orderPattern.exec(orderId) ?? []
  const { buying, payInSandbox } = parts
  const before = await buying.payment(accountId, paymentId)
  if (!before) throw missing('Order')
  if (before.paidAt === null && payInSandbox && sessionId !== undefined) await payInSandbox(sessionId)
  const payment = before.paidAt === null ? await buying.payment(accountId, paymentId) : before
  if (!payment?.paidAt)
    throw new AppError('payment', 'PAYMENT_NOT_COMPLETED', 'This order has not been paid yet')
  const creditsRemaining = toCredits(await parts.billing.balance(accountId))
  return {
    success: true,
    message: 'Credits purchased successfully',
    creditsAdded: payment.microCredits / microCreditsPerCredit,
    creditsRemaining,
    balance: creditsRemaining,
    transactionId: payment.id,
    demo: payInSandbox !== null,
  }
}

/** Buys a package: paid at once in the sandbox, at a checkout elsewhere. */
export async function buyPackage(parts: DialectParts, accountId: string, wanted: Wanted) {
  const order = await openOrder(parts, accountId, findPackage(parts, wanted))
  if (order.demo) return verify(parts, accountId, order.orderId)
  const creditsRemaining = toCredits(await parts.billing.balance(accountId))
  return {
    success: true,
    message: 'Please complete the payment',
    creditsAdded: 0,
    creditsRemaining,
    balance: creditsRemaining,
    transactionId: order.orderId,
    checkoutUrl: order.checkoutUrl,
    demo: false,
  }
}

const offering = endpoint({
  summary: 'What can be bought',
  auth: 'none',
  answers: {
    200: {
      success: true,
      creditPackages: [{ id: 'small', name: '500 credits', credits: 500, price: 5, currency: 'USD' }],
      planPackages: [{ id: 'pro', name: 'Pro', credits: 500, price: 9.99, currency: 'USD' }],
      addonPackages: [],
    },
  },
  failures: [429],
})

const ordering = endpoint({
  summary: 'Order a package of credits',
  description:
    'Opens a checkout at the price of our catalogue; `amount` is in cents. `demo` says that payments are a sandbox.',
  asks: {
    body: Type.Object(
      { type: Type.Optional(Type.String({ maxLength: 40 })), package: Type.String({ maxLength: 40 }) },
      { examples: [{ type: 'credits', package: 'small' }] },
    ),
  },
  answers: {
    200: {
      success: true,
      orderId: 'demo_order_01936b2e-9e55-7f00-8a3c-5d6e7f809106_cs_sandbox_a1',
      amount: 500,
      currency: 'USD',
      description: '500 credits',
      checkoutUrl: 'http://localhost:3000/sandbox/checkout/cs_sandbox_a1',
      demo: true,
    },
  },
  failures: [400, 401, 403, 429, 503],
})

const verifying = endpoint({
  summary: 'What an order gave',
  description:
    'Credits come with the payment, once; asking again gives the same answer. 402 PAYMENT_NOT_COMPLETED while it is not paid. ' +
    'Payment id and signature are not believed: the payment provider is asked.',
  asks: {
    body: Type.Object(
      {
        razorpayOrderId: Type.String({ maxLength: 300 }),
        razorpayPaymentId: Type.Optional(Type.String({ maxLength: 300 })),
        razorpaySignature: Type.Optional(Type.String({ maxLength: 300 })),
      },
      {
        examples: [
          {
            razorpayOrderId: 'demo_order_01936b2e-9e55-7f00-8a3c-5d6e7f809106_cs_sandbox_a1',
            razorpayPaymentId: 'demo_payment',
            razorpaySignature: 'demo_signature',
          },
        ],
      },
    ),
  },
  answers: {
    200: {
      success: true,
      message: 'Credits purchased successfully',
      creditsAdded: 500,
      creditsRemaining: 520,
      balance: 520,
      transactionId: '01936b2e-9e55-7f00-8a3c-5d6e7f809106',
      demo: true,
    },
  },
  failures: [400, 401, 402, 403, 404, 429],
})

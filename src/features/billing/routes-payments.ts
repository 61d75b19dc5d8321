import Type from 'typebox'
import { failures, ok, success } from '../../transport/envelope.ts'
import type { Server } from '../../transport/server.ts'
import { microCreditsPerCredit } from './ledger.ts'
import type { BillingPayments } from './payments.ts'
import type { Plan } from './plans.ts'
import { AccountIdParams } from './schema.ts'
import {
  CheckoutBody,
  CheckoutView,
  CreditsView,
  EntryView,
  HistoryQuery,
  nextCursor,
  PackageView,
  PaymentsQuery,
  PaymentView,
  PlanView,
  PortalBody,
  PortalView,
  SubscriptionView,
} from './schema-payments.ts'
import type { LedgerEntry } from './store.ts'
import type { PaymentRow } from './store-payments.ts'
import type { SubscriptionRow } from './store-subscriptions.ts'
import { subscriptionNumber } from './subscriptions.ts'

const tags = ['Billing']
const subscriptionAnswer = success(Type.Object({ subscription: Type.Union([SubscriptionView, Type.Null()]) }))

/** Plans, packages, buying, the subscription, payments, and the history of credits. */
export function paymentRoutes(billing: BillingPayments) {
  return async (server: Server) => {
    offers(server, billing)
    buying(server, billing)
    subscription(server, billing)
    history(server, billing)
    ledger(server, billing)
  }
}

function offers(server: Server, billing: BillingPayments): void {
  server.get(
    '/plans',
    {
      config: { auth: 'none' },
      schema: {
        tags,
        summary: 'See the plans',
        description: 'What there is, what it costs, what it allows.',
        response: { 200: success(Type.Object({ plans: Type.Array(PlanView) })), ...failures(429) },
      },
    },
    async () => ok({ plans: billing.plans.map(viewPlan) }),
  )
  server.get(
    '/billing/packages',
    {
      config: { auth: 'none' },
      schema: {
        tags,
        summary: 'See the packages of credits',
        description:
          '`provider` says who takes the payment: `stripe`, `sandbox`, or `none` when nothing can be bought.',
        response: {
          200: success(Type.Object({ provider: Type.String(), packages: Type.Array(PackageView) })),
          ...failures(429),
        },
      },
    },
    async () => ok({ provider: billing.provider, packages: [...billing.packages] }),
  )
}

function buying(server: Server, billing: BillingPayments): void {
  server.post(
    '/billing/checkout',
    {
      schema: {
        tags,
        summary: 'Begin to buy a plan or credits',
        description:
          'Gives a page where the person pays. What was bought is there when the provider has told us, which is usually before the person is back.',
        body: CheckoutBody,
        response: { 201: success(CheckoutView), ...failures(400, 401, 403, 409, 429, 502, 503) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.identity
      return reply.code(201).send(ok(await billing.checkout({ ...request.body, accountId })))
    },
  )
  server.post(
    '/billing/portal',
    {
      schema: {
        tags,
        summary: 'Manage the subscription at the provider',
        description: 'Gives a page of the provider: cards, invoices, cancelling.',
        body: PortalBody,
        response: { 201: success(PortalView), ...failures(400, 401, 403, 429, 502, 503) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.identity
      return reply.code(201).send(ok(await billing.portal({ ...request.body, accountId })))
    },
  )
}

function subscription(server: Server, billing: BillingPayments): void {
  server.get(
    '/billing/subscription',
    {
      schema: {
        tags,
        summary: 'See my subscription',
        description: 'Null when there never was one.',
        response: { 200: subscriptionAnswer, ...failures(401, 429) },
      },
    },
    async request => {
      const row = await billing.subscription(request.identity.accountId)
      return ok({ subscription: row && viewSubscription(row) })
    },
  )
  for (const { verb, act, summary, description } of [
    {
      verb: 'cancel',
      act: billing.cancel,
      summary: 'Cancel my subscription',
      description: 'It goes on until the paid month ends.',
    },
    {
      verb: 'reactivate',
      act: billing.reactivate,
      summary: 'Keep my subscription after all',
      description: 'Takes back a cancellation, as long as the month has not ended.',
    },
  ]) {
    server.post(
      `/billing/subscription/${verb}`,
      {
        schema: {
          tags,
          summary,
          description,
          response: { 200: subscriptionAnswer, ...failures(401, 403, 404, 429, 502, 503) },
        },
      },
      async request => ok({ subscription: viewSubscription(await act(request.identity.accountId)) }),
    )
  }
}

function history(server: Server, billing: BillingPayments): void {
  server.get(
    '/billing/payments',
    {
      schema: {
        tags,
        summary: 'See what I paid',
        description: 'Packages and months of a plan, the newest first; tries that failed among them.',
        querystring: PaymentsQuery,
        response: {
          200: success(Type.Object({ payments: Type.Array(PaymentView), nextCursor })),
          ...failures(400, 401, 429),
        },
      },
    },
    async request => {
      const page = await billing.payments(request.identity.accountId, request.query)
      return ok({ payments: page.payments.map(viewPayment), nextCursor: page.nextCursor })
    },
  )
  server.get(
    '/credits',
    {
      schema: {
        tags,
        summary: 'See my credits',
        response: { 200: success(CreditsView), ...failures(401, 429) },
      },
    },
    async request => {
      const balanceMicroCredits = await billing.balance(request.identity.accountId)
      return ok({ balanceMicroCredits, credits: balanceMicroCredits / microCreditsPerCredit })
    },
  )
  server.get(
    '/credits/history',
    {
      schema: {
        tags,
        summary: 'See how my credits came and went',
        description: 'Every change of the balance, the newest first; their sum is the balance.',
        querystring: HistoryQuery,
        response: {
          200: success(Type.Object({ entries: Type.Array(EntryView), nextCursor })),
          ...failures(400, 401, 429),
        },
      },
    },
    async request => {
      const page = await billing.history(request.identity.accountId, request.query)
      return ok({ entries: page.entries.map(viewEntry), nextCursor: page.nextCursor })
    },
  )
}

/** What administrators see of an account's credits. */
function ledger(server: Server, billing: BillingPayments): void {
  server.get(
    '/admin/accounts/:id/credits',
    {
      config: { auth: 'admin' },
      schema: {
        tags: ['Administration'],
        summary: "See an account's credits and how they came and went",
        description:
          'Its balance and its ledger, the newest entry first; an account that is absent has neither.',
        params: AccountIdParams,
        querystring: HistoryQuery,
        response: {
          200: success(
            Type.Object({ balanceMicroCredits: Type.Integer(), entries: Type.Array(EntryView), nextCursor }),
          ),
          ...failures(400, 401, 403),
        },
      },
    },
    async request => {
      const { id } = request.params
      const [balanceMicroCredits, page] = await Promise.all([
        billing.balance(id),
        billing.history(id, request.query),
      ])
      return ok({ balanceMicroCredits, entries: page.entries.map(viewEntry), nextCursor: page.nextCursor })
    },
  )
}

function viewPlan(plan: Plan): PlanView {
  const { id, name, description, priceCents, currency, features, dailyMessages, monthlyCredits } = plan
  const interval = priceCents > 0 ? ('month' as const) : null
  const limits = { dailyMessages, monthlyCredits }
  return { id, name, description, priceCents, currency, interval, features: [...features], limits }
}

function viewSubscription(row: SubscriptionRow): SubscriptionView {
  const { plan, status, cancelAtPeriodEnd } = row
  return {
    id: subscriptionNumber(row),
    plan,
    status,
    cancelAtPeriodEnd,
    currentPeriodEnd: row.currentPeriodEnd?.toISOString() ?? null,
  }
}

function viewPayment(row: PaymentRow): PaymentView {
  const { id, kind, item, amountCents, refundedCents, currency, failure } = row
  return {
    id,
    kind,
    item,
    status: statusOf(row),
    amountCents,
    refundedCents,
    currency,
    credits: row.microCredits / microCreditsPerCredit,
    failure,
    createdAt: row.createdAt.toISOString(),
    paidAt: row.paidAt?.toISOString() ?? null,
    failedAt: row.failedAt?.toISOString() ?? null,
  }
}

function statusOf(row: PaymentRow): PaymentView['status'] {
  if (row.paidAt === null) return row.failedAt === null ? 'open' : 'failed'
  if (row.dispute === 'open' || row.dispute === 'lost') return 'disputed'
  return row.refundedCents > 0 ? 'refunded' : 'paid'
}

function viewEntry(entry: LedgerEntry): EntryView {
  const { id, seq, kind, amountMicroCredits, balanceMicroCredits, generationId, note, createdAt } = entry
  return {
    id,
    seq,
    kind,
    amountMicroCredits,
    balanceMicroCredits,
    generationId,
    note,
    createdAt: createdAt.toISOString(),
  }
}

import Type, { type Static } from 'typebox'

const dateTime = Type.String({ format: 'date-time' })
const nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const cents = Type.Integer({ minimum: 0, description: 'In the smallest unit of the currency.' })
const closed = { additionalProperties: false }

export const PlanView = Type.Object(
  {
    id: Type.String({ examples: ['pro'] }),
    name: Type.String(),
    description: Type.String(),
    priceCents: cents,
    currency: Type.String({ examples: ['usd'] }),
    interval: nullable(Type.Literal('month')),
    features: Type.Array(Type.String()),
    limits: Type.Object({ dailyMessages: Type.Integer(), monthlyCredits: Type.Integer() }),
  },
  { title: 'Plan' },
)
export type PlanView = Static<typeof PlanView>

export const PackageView = Type.Object(
  {
    id: Type.String({ examples: ['small'] }),
    name: Type.String(),
    credits: Type.Integer(),
    priceCents: cents,
    currency: Type.String({ examples: ['usd'] }),
  },
  { title: 'CreditPackage' },
)

const url = Type.String({
  maxLength: 2000,
  description: 'An address of this server, or of an origin in CORS_ORIGINS.',
})

export const CheckoutBody = Type.Object(
  {
    plan: Type.Optional(Type.String({ minLength: 1, maxLength: 40, examples: ['pro'] })),
    packageId: Type.Optional(Type.String({ minLength: 1, maxLength: 40, examples: ['small'] })),
    successUrl: Type.Optional(url),
    cancelUrl: Type.Optional(url),
  },
  {
    ...closed,
    description: 'A plan or a package; the price is ours.',
    examples: [{ plan: 'pro' }, { packageId: 'small' }],
  },
)

export const CheckoutView = Type.Object(
  { sessionId: Type.String(), url: Type.String({ description: 'Send the person there.' }) },
  {
    title: 'Checkout',
    examples: [{ sessionId: 'cs_test_a1', url: 'https://checkout.stripe.com/c/pay/cs_test_a1' }],
  },
)

export const PortalBody = Type.Union([
  Type.Object({ returnUrl: Type.Optional(url) }, { ...closed, examples: [{}] }),
  Type.Null(),
])

export const PortalView = Type.Object({ url: Type.String() }, { title: 'Portal' })

export const SubscriptionView = Type.Object(
  {
    id: Type.String(),
    plan: Type.String({ examples: ['pro'] }),
    status: Type.String({
      description: "The provider's word.",
      examples: ['active', 'past_due', 'canceled'],
    }),
    currentPeriodEnd: nullable(dateTime),
    cancelAtPeriodEnd: Type.Boolean(),
  },
  { title: 'Subscription' },
)
export type SubscriptionView = Static<typeof SubscriptionView>

export const PaymentView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    kind: Type.Union([Type.Literal('package'), Type.Literal('plan')]),
    item: Type.String({ examples: ['small', 'pro'] }),
    status: Type.Union(
      [
        Type.Literal('open'),
        Type.Literal('paid'),
        Type.Literal('failed'),
        Type.Literal('refunded'),
        Type.Literal('disputed'),
      ],
      { description: 'A failed one may still be paid by another try at the same checkout.' },
    ),
    amountCents: cents,
    refundedCents: cents,
    currency: Type.String({ examples: ['usd'] }),
    credits: Type.Number({ description: 'What it gave, or will give.' }),
    failure: nullable(Type.String({ description: 'Why the last try failed.' })),
    createdAt: dateTime,
    paidAt: nullable(dateTime),
    failedAt: nullable(dateTime),
  },
  { title: 'Payment' },
)
export type PaymentView = Static<typeof PaymentView>

const EntryKindName = Type.Union([
  Type.Literal('grant'),
  Type.Literal('purchase'),
  Type.Literal('hold'),
  Type.Literal('settle'),
  Type.Literal('release'),
  Type.Literal('refund'),
  Type.Literal('clawback'),
  Type.Literal('adjustment'),
])

export const EntryView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    seq: Type.Integer({ description: 'The order in which entries were written.' }),
    kind: EntryKindName,
    amountMicroCredits: Type.Integer(),
    balanceMicroCredits: Type.Integer({ description: 'The balance after it.' }),
    generationId: nullable(Type.String({ format: 'uuid' })),
    note: nullable(Type.String()),
    createdAt: dateTime,
  },
  { title: 'LedgerEntry' },
)
export type EntryView = Static<typeof EntryView>

export const CreditsView = Type.Object(
  {
    balanceMicroCredits: Type.Integer({
      description: '1 credit = 1,000,000 micro-credits; below 0 is a debt.',
    }),
    credits: Type.Number({ description: 'The same in credits.', examples: [20] }),
  },
  { title: 'Credits' },
)

const limit = Type.Integer({ minimum: 1, maximum: 100, default: 20 })
const cursor = Type.Optional(Type.String({ maxLength: 100, description: '`nextCursor` of the page before.' }))

export const PaymentsQuery = Type.Object({ cursor, limit })
export const HistoryQuery = Type.Object({ kind: Type.Optional(EntryKindName), cursor, limit })
export const nextCursor = nullable(Type.String())

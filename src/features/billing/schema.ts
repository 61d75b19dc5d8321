import Type, { type Static } from 'typebox'

const dateTime = Type.String({ format: 'date-time' })
const microCredits = (description: string) =>
  Type.Integer({ description: `${description} 1 credit = 1,000,000 micro-credits.` })

/** What an account may do now. Errors 402 and 429 of a submit carry the same object as `entitlements`. */
export const EntitlementsView = Type.Object(
  {
    plan: Type.String({ examples: ['basic'] }),
    payer: Type.Union([Type.Literal('credits'), Type.Literal('key')], {
      description: 'Who pays for the next answer of the default model: credits, or an own provider key.',
    }),
    canSend: Type.Boolean(),
    reason: Type.Union([Type.Object({ code: Type.String(), message: Type.String() }), Type.Null()], {
      description: 'Why nothing can be sent; null when it can.',
    }),
    credits: Type.Object({
      balanceMicroCredits: microCredits('What can be spent.'),
      heldMicroCredits: microCredits('Reserved for answers that have not ended.'),
    }),
    messages: Type.Object({
      limit: Type.Integer({ description: 'Messages a day of the plan.' }),
      used: Type.Integer(),
      remaining: Type.Integer(),
      resetsAt: dateTime,
    }),
  },
  { title: 'Entitlements' },
)
export type EntitlementsView = Static<typeof EntitlementsView>

const day = Type.String({ format: 'date', examples: ['2026-11-20'] })

export const UsageQuery = Type.Object({
  from: Type.Optional(day),
  to: Type.Optional(day),
})

/** What was used on one day, of one model, for one kind of generation, by one payer. */
export const UsageView = Type.Object(
  {
    day,
    model: Type.String({ examples: ['sandbox/sandbox'] }),
    kind: Type.String({ examples: ['chat'] }),
    payer: Type.String({ description: '`credits`, or the id of the provider key that paid.' }),
    runs: Type.Integer(),
    failures: Type.Integer({ description: 'Of the runs, those that came to nothing; they cost nothing.' }),
    inputTokens: Type.Integer(),
    outputTokens: Type.Integer(),
    costMicroCredits: microCredits('What they cost.'),
  },
  { title: 'Usage' },
)

export const AdjustBody = Type.Object(
  {
    amountMicroCredits: Type.Integer({
      minimum: -1_000_000_000_000_000,
      maximum: 1_000_000_000_000_000,
      description: 'Positive adds, negative takes; not 0.',
    }),
    reason: Type.String({ minLength: 3, maxLength: 500, pattern: '\\S' }),
    reference: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: 'Makes a repeated call safe: used once.' }),
    ),
  },
  {
    additionalProperties: false,
    examples: [{ amountMicroCredits: 5_000_000, reason: 'Apology for the outage of 20 November' }],
  },
)

export const AccountIdParams = Type.Object({ id: Type.String({ format: 'uuid' }) })

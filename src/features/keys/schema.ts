import Type, { type Static } from 'typebox'
import { baseUrlRule, ownKeyProviders } from '../../platform/models/index.ts'

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])
const time = Type.String({ format: 'date-time' })

const Failure = Type.Object({ code: Type.String(), message: Type.String(), at: time })

/** A provider key as our API shows it: never the key. */
export const KeyView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    provider: Type.String({ enum: [...ownKeyProviders] }),
    name: Type.String(),
    isActive: Type.Boolean({ description: 'Whether it pays; at most one of a provider does.' }),
    baseUrl: nullable(Type.String({ description: "null for the provider's own address." })),
    models: Type.Array(Type.String(), { description: 'Names of models that are offered besides the known.' }),
    fallbackToCredits: Type.Boolean({
      description: 'Whether credits pay when the provider refuses the key.',
    }),
    lastFour: nullable(
      Type.String({ description: 'The end of the key; null when it is too short to tell.' }),
    ),
    fingerprint: Type.String({
      description: 'Equal for equal keys of an account; tells nothing of the key.',
    }),
    lastUsedAt: nullable(time),
    lastError: nullable(Failure),
    createdAt: time,
    updatedAt: time,
  },
  { title: 'ProviderKey' },
)
export type KeyView = Static<typeof KeyView>

const name = Type.String({ minLength: 1, maxLength: 100, pattern: '\\S', examples: ['My key'] })
const apiKey = Type.String({
  minLength: 8,
  maxLength: 500,
  pattern: '^\\s*[\\x21-\\x7e]{8,}\\s*$',
  description: 'The key as the provider gave it. It is sealed, and never shown again.',
})
const baseUrl = Type.String({
  maxLength: 300,
  description: `What comes before /chat/completions and the like; ${baseUrlRule}. Required for custom.`,
})
const models = Type.Array(Type.String({ pattern: '^[\\w.:@/+-]{1,150}$' }), {
  maxItems: 100,
  description: 'Names of models that the server of a custom key has.',
})
const fallbackToCredits = Type.Boolean({
  description: 'Whether credits pay when the provider refuses the key; false unless given.',
})

/** Body of POST /keys. */
export const CreateKeyBody = Type.Object(
  {
    provider: Type.Enum([...ownKeyProviders], { description: 'custom: any OpenAI-compatible server.' }),
    name: Type.Optional(name),
    apiKey: Type.Optional(apiKey),
    baseUrl: Type.Optional(baseUrl),
    models: Type.Optional(models),
    isActive: Type.Optional(Type.Boolean({ description: 'true unless given.' })),
    fallbackToCredits: Type.Optional(fallbackToCredits),
  },
  {
    additionalProperties: false,
    examples: [
      { provider: 'openai', name: 'Work', apiKey: 'sk-…' },
      {
        provider: 'custom',
        name: 'Llama at home',
        baseUrl: 'https://llama.example.com/v1',
        models: ['llama3.2'],
      },
    ],
  },
)
export type CreateKeyBody = Static<typeof CreateKeyBody>

/** Body of PATCH /keys/:id. */
export const UpdateKeyBody = Type.Object(
  {
    name: Type.Optional(name),
    apiKey: Type.Optional(apiKey),
    baseUrl: Type.Optional(Type.Union([baseUrl, Type.Null()])),
    models: Type.Optional(models),
    isActive: Type.Optional(Type.Boolean()),
    fallbackToCredits: Type.Optional(fallbackToCredits),
  },
  { additionalProperties: false, minProperties: 1, examples: [{ isActive: false }, { apiKey: 'sk-…' }] },
)
export type UpdateKeyBody = Static<typeof UpdateKeyBody>

/** Body of POST /keys/:id/test. */
export const TryKeyBody = Type.Union([
  Type.Object(
    {
      model: Type.Optional(Type.String({ pattern: '^[\\w.:@/+-]{1,150}$', description: 'A model to ask.' })),
    },
    { additionalProperties: false, examples: [{}] },
  ),
  Type.Null(),
])
export type TryKeyBody = Static<typeof TryKeyBody>

/** How a key does. */
export const TrialView = Type.Object({
  verdict: Type.String({
    enum: ['works', 'refused', 'out-of-credit', 'limited', 'unreachable', 'unexpected'],
  }),
  message: Type.String({ description: 'The verdict for a person.' }),
  models: Type.Array(Type.String(), { description: 'What a custom server says that it offers.' }),
})
export type TrialView = Static<typeof TrialView>

const counts = {
  calls: Type.Integer({ description: 'Requests to the provider.' }),
  errors: Type.Integer({ description: 'Those of them that failed.' }),
  inputTokens: Type.Integer(),
  outputTokens: Type.Integer(),
}

/** What a key was used for. */
export const KeyUsageView = Type.Object({
  ...counts,
  lastUsedAt: nullable(time),
  lastError: nullable(Failure),
  days: Type.Array(Type.Object({ day: Type.String({ format: 'date' }), ...counts }), {
    description: 'The days (UTC) on which it was used, oldest first.',
  }),
})
export type KeyUsageView = Static<typeof KeyUsageView>

export const KeyParams = Type.Object({ id: Type.String({ maxLength: 200 }) })
export const UsageQuery = Type.Object({
  days: Type.Integer({ minimum: 1, maximum: 366, default: 30, description: 'How far back, today included.' }),
})

import Type, { type Static } from 'typebox'

/** Where a generation is in its life; the last four are final. */
export const GenerationStatus = Type.Union(
  ['queued', 'running', 'completed', 'failed', 'cancelled', 'interrupted'].map(status =>
    Type.Literal(status),
  ),
)

export type Status = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled' | 'interrupted'

const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])

/** A generation as our API shows it. */
export const GenerationView = Type.Object({
  id: Type.String(),
  kind: Type.String({ description: 'chat, plugin, content …', examples: ['chat'] }),
  status: Type.String({
    enum: ['queued', 'running', 'completed', 'failed', 'cancelled', 'interrupted'],
    examples: ['completed'],
  }),
  finishReason: Nullable(
    Type.String({ description: 'stop, length, filtered, cancelled, unknown', examples: ['stop'] }),
  ),
  model: Type.String(),
  conversationId: Nullable(Type.String()),
  messageId: Nullable(Type.String({ description: 'The message that asked.' })),
  replyId: Nullable(Type.String({ description: 'The message that answers.' })),
  usage: Nullable(
    Type.Object({
      inputTokens: Type.Integer(),
      outputTokens: Type.Integer(),
      cachedInputTokens: Type.Integer(),
      isEstimated: Type.Boolean({ description: 'true when the provider did not count.' }),
    }),
  ),
  costMicroCredits: Type.Integer({ description: '1 credit = 1,000,000.' }),
  keyId: Nullable(Type.String({ description: 'The provider key that pays; null when credits do.' })),
  error: Type.Union([Type.Object({ code: Type.String(), message: Type.String() }), Type.Null()], {
    examples: [null],
  }),
  lastSeq: Type.Integer({ description: 'Position of the event log at the last checkpoint.' }),
  createdAt: Type.String({ format: 'date-time' }),
  startedAt: Nullable(Type.String({ format: 'date-time' })),
  finishedAt: Nullable(Type.String({ format: 'date-time' })),
})
export type GenerationView = Static<typeof GenerationView>

const sampling = {
  model: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: 'A model id from GET /models.' }),
  ),
  temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2, description: '0.7 unless given.' })),
  topK: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: '40 unless given.' })),
  topP: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1, description: '0.95 unless given.' })),
  maxOutputTokens: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 65_536, description: '8,192 unless given.' }),
  ),
}

const fallback = {
  fallbackModels: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
      maxItems: 5,
      description: 'Models to ask, in this order, when the one before does not begin to answer.',
    }),
  ),
}

const delivery = {
  stream: Type.Optional(Type.Boolean({ description: 'true (default): answer with server-sent events.' })),
  background: Type.Optional(
    Type.Boolean({
      description:
        'true: answer 202 at once and run as a queued job, also when this server dies; follow the events later.',
    }),
  ),
  onDisconnect: Type.Optional(
    Type.Enum(['continue', 'cancel'], { description: 'What a leaving client means; continue by default.' }),
  ),
}

/** Body of POST /generations. */
export const StartBody = Type.Object(
  {
    message: Type.String({ minLength: 1, maxLength: 100_000, pattern: '\\S' }),
    conversationId: Type.Optional(Type.String({ format: 'uuid' })),
    ...sampling,
    ...fallback,
    ...delivery,
  },
  { additionalProperties: false, examples: [{ message: 'Create a React button component' }] },
)
export type StartBody = Static<typeof StartBody>

/** Body of POST /generations/:id/continue and /regenerate. */
export const AgainBody = Type.Union([
  Type.Object(
    { ...sampling, ...fallback, ...delivery },
    { additionalProperties: false, examples: [{ temperature: 0.2, stream: false }] },
  ),
  Type.Null(),
])
export type AgainBody = Partial<Omit<StartBody, 'message' | 'conversationId'>>

/** The client's own name for a submit: the same name and body give the same generation, another body is refused. */
export const SubmitHeaders = Type.Object({
  'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
})

export const IdParams = Type.Object({ id: Type.String({ maxLength: 200 }) })

export const After = Type.Integer({
  minimum: 0,
  maximum: 9_007_199_254_740_000,
  description: 'Position after which to go on; 0 is the beginning.',
})

export const EventsQuery = Type.Object({ after: Type.Optional(After) })

/** How a queued generation is doing, as its queue knows it. */
export const JobView = Type.Object({
  status: Type.String({ enum: ['waiting', 'active', 'delayed', 'completed', 'failed'] }),
  attempts: Type.Integer({ description: 'Tries begun so far.' }),
  maxAttempts: Type.Integer(),
  progress: Type.Number({ description: '0 to 100: how much of the longest possible answer is written.' }),
  reason: Nullable(
    Type.String({
      description: 'Why the last try failed, or why it was put off.',
      examples: ['PROVIDER_UNAVAILABLE'],
    }),
  ),
})

/** How much work there is. */
export const QueueView = Type.Object({
  waiting: Type.Integer(),
  active: Type.Integer(),
  delayed: Type.Integer(),
  completed: Type.Integer({ description: 'Within the last day.' }),
  failed: Type.Integer({ description: 'Within the last day.' }),
})

/** Events after a position, as far as there are any now. */
export const EventsPage = Type.Object({
  events: Type.Array(Type.Any(), { examples: [[{ seq: 3, type: 'text-delta', text: 'Here is ' }]] }),
  lastSeq: Type.Integer({ description: 'Ask again after this.' }),
  done: Type.Boolean({ description: 'There will be no more.' }),
})

/** What every way of starting tells at once. */
export const StartedView = Type.Object({
  generation: GenerationView,
  conversationId: Type.String(),
  messageId: Type.String(),
  replyId: Type.String(),
})

/** The answer of `stream: false`. */
export const FinishedView = Type.Object({
  generation: GenerationView,
  message: Type.Object({ id: Type.String(), content: Type.String() }),
  reply: Type.Object({ id: Type.String(), content: Type.String() }),
})

/** What a run is asked for beyond its words. Defaults are the published ones. */
export interface Settings {
  temperature: number
  topK: number
  topP: number
  maxOutputTokens: number
  onDisconnect: 'continue' | 'cancel'
  /** Models to ask when the first does not begin to answer, in this order. */
  fallbackModels?: readonly string[]
  /** A job does not begin before this time (ISO 8601). */
  notBefore?: string | undefined
  /** What its kind wants to know of it, and nobody else reads. */
  attributes?: Readonly<Record<string, string>> | undefined
}

export const defaultSettings: Settings = {
  temperature: 0.7,
  topK: 40,
  topP: 0.95,
  maxOutputTokens: 8192,
  onDisconnect: 'continue',
}

/**
 * The size of an end that is written for a process that died: more than any reader can have seen beyond the last
 * checkpoint, so that the end of the log is beyond every reader.
 */
export const crashSpan = 1_000_000

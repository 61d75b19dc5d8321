import Type, { type Static } from 'typebox'

const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])
const time = () => Type.String({ format: 'date-time' })

export const jobStatuses = ['queued', 'running', 'completed', 'failed', 'cancelled'] as const
export type JobStatus = (typeof jobStatuses)[number]

export const longestPrompt = 20_000
const longestBody = 500_000

/** One line of plain words, since it becomes a line of the model's instructions. */
const Words = (description: string) =>
  Type.String({ minLength: 1, maxLength: 60, pattern: '^[^\\r\\n]*\\S[^\\r\\n]*$', description })

export const TypeView = Type.Object({
  slug: Type.String(),
  name: Type.String(),
  lengths: Type.Object({ short: Type.String(), medium: Type.String(), long: Type.String() }),
})

export const JobView = Type.Object({
  id: Type.String(),
  prompt: Type.String(),
  contentType: Type.String({ description: 'As it was sent.' }),
  type: Type.String({ description: 'The slug of the type that was meant.' }),
  tone: Nullable(Type.String()),
  length: Type.String({ enum: ['short', 'medium', 'long'] }),
  language: Nullable(Type.String()),
  status: Type.String({ enum: [...jobStatuses] }),
  text: Type.String({ description: 'What is written so far; in lists at most 400 characters of it.' }),
  finishReason: Nullable(Type.String({ description: '`length` when the model stopped at its limit.' })),
  error: Nullable(Type.Object({ code: Type.String(), message: Type.String() })),
  attempts: Type.Integer(),
  model: Type.String(),
  generationId: Type.String(),
  entryId: Nullable(Type.String({ description: 'The library entry that the result was saved as.' })),
  costMicroCredits: Type.Integer({ description: '1 credit = 1,000,000.' }),
  scheduledFor: time(),
  createdAt: time(),
  startedAt: Nullable(time()),
  finishedAt: Nullable(time()),
})
export type JobView = Static<typeof JobView>

export const RequestBody = Type.Object(
  {
    prompt: Type.String({ minLength: 1, maxLength: longestPrompt, pattern: '\\S' }),
    contentType: Type.String({
      minLength: 1,
      maxLength: 100,
      description: 'A name or slug from GET /content/types, in any case.',
    }),
    tone: Type.Optional(Words('For example `friendly`.')),
    length: Type.Optional(Type.Enum(['short', 'medium', 'long'], { description: 'medium unless given.' })),
    language: Type.Optional(Words('For example `German`; the language of the prompt unless given.')),
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'From GET /models.' })),
    scheduledFor: Type.Optional(
      Type.String({ format: 'date-time', description: 'Not before this time, at most 30 days from now.' }),
    ),
  },
  {
    additionalProperties: false,
    examples: [{ prompt: 'Why small bakeries smell better', contentType: 'blog-post', tone: 'warm' }],
  },
)
export type RequestBody = Static<typeof RequestBody>

export const SaveBody = Type.Object(
  { title: Type.Optional(Type.String({ minLength: 1, maxLength: 300, pattern: '\\S' })) },
  { additionalProperties: false, examples: [{ title: 'Small bakeries' }] },
)

export const IdParams = Type.Object({ id: Type.String({ maxLength: 200 }) })

const page = {
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 30 }),
  cursor: Type.Optional(Type.String({ maxLength: 200, description: '`nextCursor` of the page before.' })),
}

export const JobsQuery = Type.Object({ ...page, status: Type.Optional(Type.Enum([...jobStatuses])) })

export const EntriesQuery = Type.Object({
  ...page,
  search: Type.Optional(
    Type.String({
      maxLength: 200,
      description: 'Words or their beginnings, all of them; or a part of the text.',
    }),
  ),
})

export const ExportQuery = Type.Object({
  format: Type.Enum(['markdown', 'html'], { default: 'markdown' }),
})

export const EntryView = Type.Object({
  id: Type.String(),
  title: Type.String(),
  type: Type.String(),
  body: Type.String({ description: 'In lists at most 400 characters of it.' }),
  provenance: Nullable(
    Type.Object(
      { jobId: Type.String(), generationId: Type.String(), model: Type.String() },
      { description: 'What wrote it first; null for what a person wrote.' },
    ),
  ),
  version: Type.Integer({ description: 'Counts edits.' }),
  createdAt: time(),
  updatedAt: time(),
})
export type EntryView = Static<typeof EntryView>

const entryFields = {
  title: Type.String({ minLength: 1, maxLength: 300, pattern: '\\S' }),
  type: Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' }),
  body: Type.String({ maxLength: longestBody }),
}

export const CreateBody = Type.Object(entryFields, {
  additionalProperties: false,
  examples: [{ title: 'About us', type: 'Page', body: '# About us' }],
})

export const UpdateBody = Type.Object(
  {
    title: Type.Optional(entryFields.title),
    type: Type.Optional(entryFields.type),
    body: Type.Optional(entryFields.body),
    version: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 2_000_000_000,
        description:
          'The version that was edited: 409 when it is no longer the newest. Without it the last edit wins.',
      }),
    ),
  },
  { additionalProperties: false, minProperties: 1, examples: [{ title: 'About our bakery', version: 1 }] },
)

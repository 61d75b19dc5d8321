import Type, { type Static } from 'typebox'
import { ArtifactSummary } from '../artifacts/schema.ts'
import { GenerationView } from '../generations/schema.ts'

export const ConversationView = Type.Object({
  id: Type.String(),
  kind: Type.String({ description: 'chat or plugin', examples: ['chat'] }),
  title: Type.String(),
  systemPrompt: Type.Union([Type.String(), Type.Null()], { examples: [null] }),
  description: Type.Union([Type.String(), Type.Null()], {
    description: 'What it is for, in words of its owner.',
    examples: [null],
  }),
  messageCount: Type.Integer(),
  createdAt: Type.String({ format: 'date-time' }),
  updatedAt: Type.String({ format: 'date-time' }),
})
export type ConversationView = Static<typeof ConversationView>

export const MessageView = Type.Object({
  id: Type.String(),
  role: Type.String({ enum: ['user', 'assistant'] }),
  content: Type.String(),
  position: Type.Integer(),
  version: Type.Integer({ description: 'Above 1 when the answer was regenerated.' }),
  createdAt: Type.String({ format: 'date-time' }),
  generation: Type.Union([GenerationView, Type.Null()]),
  artifacts: Type.Array(ArtifactSummary),
})

const Title = Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' })
const SystemPrompt = Type.Union([Type.String({ maxLength: 20_000 }), Type.Null()])

export const CreateBody = Type.Object(
  { title: Type.Optional(Title), systemPrompt: Type.Optional(SystemPrompt) },
  { additionalProperties: false, examples: [{ title: 'Shop ideas' }] },
)

export const UpdateBody = Type.Object(
  { title: Type.Optional(Title), systemPrompt: Type.Optional(SystemPrompt) },
  { additionalProperties: false, minProperties: 1, examples: [{ title: 'Shop ideas' }] },
)

export const IdParams = Type.Object({ id: Type.String({ maxLength: 200 }) })

/** Of a message in its conversation; the column takes up to 2^31 - 1. */
const position = { minimum: 1, maximum: 2_000_000_000 }

export const VersionsParams = Type.Object({
  id: Type.String({ maxLength: 200 }),
  position: Type.Integer(position),
})

export const ListQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 30 }),
  cursor: Type.Optional(Type.String({ maxLength: 200, description: '`nextCursor` of the page before.' })),
  search: Type.Optional(
    Type.String({
      maxLength: 200,
      description: 'Text in the title or in a message; refused when finding it would take long.',
    }),
  ),
})

export const ReadQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 100 }),
  before: Type.Optional(Type.Integer({ ...position, description: 'Only messages before this position.' })),
})

export const ExportQuery = Type.Object({
  format: Type.Optional(Type.String({ enum: ['json', 'markdown'], default: 'json' })),
})

import Type, { type Static } from 'typebox'
import { StartBody } from '../generations/schema.ts'

const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])
const Moment = Type.String({ format: 'date-time' })

/** One thing that a check found in a plugin. */
export const FindingView = Type.Object({
  rule: Type.String({ description: 'Name of the rule; docs/plugin-checks.md lists them.' }),
  severity: Type.String({ enum: ['error', 'warning'] }),
  line: Type.Integer({ description: '1-based.' }),
  message: Type.String({ description: 'What is wrong here.' }),
  advice: Type.String({ description: 'What to do instead.' }),
})
export type Finding = Omit<Static<typeof FindingView>, 'severity'> & { severity: 'error' | 'warning' }

/** What the checks found, with how long they took. */
export const ReportView = Type.Object({
  findings: Type.Array(FindingView),
  errors: Type.Integer(),
  warnings: Type.Integer(),
  durationMs: Type.Number(),
})
export interface Report {
  findings: Finding[]
  errors: number
  warnings: number
  durationMs: number
}

export const VersionSummary = Type.Object({
  version: Type.Integer(),
  origin: Type.String({ enum: ['model', 'client'], description: 'Who wrote the code.' }),
  errors: Type.Integer(),
  warnings: Type.Integer(),
  isFinal: Type.Boolean({ description: 'Finalized, with no errors.' }),
  generationId: Nullable(Type.String()),
  createdAt: Moment,
})

export const VersionView = Type.Object({
  ...VersionSummary.properties,
  code: Type.String(),
  report: ReportView,
})

export const TurnView = Type.Object({
  id: Type.String(),
  purpose: Type.String({ enum: ['draft', 'final'] }),
  outcome: Type.String({
    enum: ['open', 'passed', 'answered', 'errors', 'failed'],
    description:
      'open: still running; passed: code without errors; answered: no code; errors: errors remain after the repairs; failed: no whole answer.',
  }),
  repairs: Type.Integer({ description: 'How often findings went back to the model: 0, 1 or 2.' }),
  version: Nullable(Type.Integer()),
  generationIds: Type.Array(Type.String(), { description: 'The answer, then its repairs.' }),
  createdAt: Moment,
})

export const PluginView = Type.Object({
  id: Type.String(),
  name: Type.String(),
  slug: Type.String(),
  conversationId: Type.String(),
  status: Type.String({
    enum: ['empty', 'draft', 'final'],
    description: 'final: the newest version was finalized without errors.',
  }),
  latestVersion: Nullable(VersionSummary),
  finalVersion: Nullable(Type.Integer()),
  savedVersion: Nullable(
    Type.Integer({ description: 'What a client saved as the generated plugin, or our last final one.' }),
  ),
  openTurn: Nullable(TurnView),
  createdAt: Moment,
  updatedAt: Moment,
})

export const HistoryMessage = Type.Object({
  id: Type.String(),
  sender: Type.String({ enum: ['user', 'plugin_generator'] }),
  origin: Type.String({
    enum: ['person', 'model', 'checks', 'client'],
    description:
      'checks: findings that went back to the model. client: put there by a client; the model does not see it.',
  }),
  content: Type.String(),
  prose: Type.String({ description: 'The content without its code.' }),
  code: Nullable(Type.String()),
  version: Nullable(Type.Integer({ description: 'The version that it made.' })),
  generationId: Nullable(Type.String()),
  status: Nullable(
    Type.String({
      description: "An answer's: queued, running, completed, failed, cancelled or interrupted.",
    }),
  ),
  error: Nullable(Type.Object({ code: Type.String(), message: Type.String() })),
  createdAt: Moment,
})

const Name = Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' })
export const NameBody = Type.Object(
  { name: Name },
  { additionalProperties: false, examples: [{ name: 'Gift wrapping' }] },
)

const { conversationId: _, message: __, ...runSettings } = StartBody.properties

export const MessageBody = Type.Object(
  { message: Type.String({ minLength: 1, maxLength: 100_000, pattern: '\\S' }), ...runSettings },
  { additionalProperties: false, examples: [{ message: 'Let customers add gift wrapping to an order' }] },
)

export const FinalizeBody = Type.Union([
  Type.Object({ ...runSettings }, { additionalProperties: false, examples: [{ stream: false }] }),
  Type.Null(),
])

export const CodeBody = Type.Object(
  { code: Type.String({ minLength: 1 }) },
  { additionalProperties: false, examples: [{ code: '<?php\n/* Plugin Name: Gift wrapping */\n' }] },
)

export const IdParams = Type.Object({ id: Type.String({ maxLength: 200 }) })
export const VersionParams = Type.Object({
  id: Type.String({ maxLength: 200 }),
  version: Type.Integer({ minimum: 1, maximum: 2_000_000_000 }),
})
export const ZipQuery = Type.Object({
  version: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 2_000_000_000, description: 'Instead of the final one.' }),
  ),
})
export const ListQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 50 }),
  cursor: Type.Optional(Type.String({ maxLength: 200, description: '`nextCursor` of the page before.' })),
})

import Type, { type Static } from 'typebox'

const nullableText = Type.Union([Type.String(), Type.Null()])

/** One sign-in on one device. */
export const SessionView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    name: Type.String({ examples: ['Firefox on Linux'] }),
    ip: nullableText,
    userAgent: nullableText,
    isCurrent: Type.Boolean({ description: 'Whether it is the session of this very call.' }),
    createdAt: Type.String({ format: 'date-time' }),
    lastUsedAt: Type.String({ format: 'date-time', description: 'When its tokens were last renewed.' }),
    expiresAt: Type.String({ format: 'date-time' }),
  },
  { title: 'Session' },
)
export type SessionView = Static<typeof SessionView>

export const SessionParams = Type.Object({ id: Type.String({ maxLength: 100 }) })

export const SessionNameBody = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      maxLength: 100,
      pattern: '\\S',
      examples: ['The laptop in the kitchen'],
    }),
  },
  { additionalProperties: false },
)

/** A page of a list that is read newest first. */
export const PageQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 30 }),
  cursor: Type.Optional(Type.String({ maxLength: 100, description: '`nextCursor` of the page before.' })),
})

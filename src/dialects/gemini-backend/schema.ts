import Type from 'typebox'

export const ById = Type.Object({ id: Type.String({ maxLength: 200 }) })
export const ByMessage = Type.Object({ messageId: Type.String({ maxLength: 200 }) })

export const RoomBody = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 255, pattern: '\\S' }),
    description: Type.Optional(Type.Union([Type.String({ maxLength: 1000 }), Type.Null()])),
  },
  { examples: [{ name: 'My First Chatroom', description: 'A test chatroom' }] },
)

export const MessageBody = Type.Object(
  { content: Type.String({ minLength: 1, maxLength: 10_000, pattern: '\\S' }) },
  { examples: [{ content: 'Hello, how are you?' }] },
)

export const NameBody = Type.Object(
  { name: Type.Optional(Type.String({ minLength: 2, maxLength: 100, pattern: '\\S' })) },
  { examples: [{ name: 'Jane Doe' }] },
)

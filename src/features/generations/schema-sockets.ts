import Type, { type Static } from 'typebox'
import { After, StartBody } from './schema.ts'

const { message, conversationId, model, temperature, topK, topP, maxOutputTokens, onDisconnect } =
  StartBody.properties
const settings = { model, temperature, topK, topP, maxOutputTokens, onDisconnect }
const generationId = Type.String({ minLength: 1, maxLength: 200 })
const id = Type.Optional(
  Type.String({ maxLength: 100, description: 'Comes back in the answer, so that the two can be matched.' }),
)

const shape = <Fields extends Parameters<typeof Type.Object>[0]>(fields: Fields) =>
  Type.Object(fields, { additionalProperties: false })

/** What a client may send on a socket: the fields of each frame beside its `type`. */
export const SocketFrames = {
  start: shape({
    id,
    clientMessageId: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        pattern: '^[\\x20-\\x7e]+$',
        description: 'The same for a message that is sent again: it is answered once.',
      }),
    ),
    message,
    conversationId,
    ...settings,
  }),
  regenerate: shape({ id, generationId, ...settings }),
  continue: shape({ id, generationId, ...settings }),
  follow: shape({ id, generationId, after: Type.Optional(After) }),
  unfollow: shape({ id, generationId }),
  cancel: shape({ id, generationId }),
  ping: shape({ id }),
}

export type StartFrame = Static<(typeof SocketFrames)['start']>
export type AgainFrame = Static<(typeof SocketFrames)['continue']>
export type FollowFrame = Static<(typeof SocketFrames)['follow']>

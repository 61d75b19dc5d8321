import type { Conversation } from '../../features/conversations/index.ts'
import { missing } from '../../lib/errors.ts'
import type { Server } from '../../transport/server.ts'
import { geminiBackend } from '../dialects.ts'
import type { DialectParts } from '../parts.ts'
import { speak } from '../speech.ts'
import { listedRoom, messageStatus, newRoom, roomMessages, wholeRoom } from './present.ts'
import { ById, ByMessage, MessageBody, RoomBody } from './schema.ts'

const endpoint = speak(geminiBackend)
const pageSize = 100
/** A room with more tells its newest messages only. */
const mostMessages = 2000
const mostRooms = 2000

/** Chatrooms are our conversations; a message is a question that the queue answers. */
export function chatrooms(parts: DialectParts) {
  const { conversations, generations } = parts
  return async (server: Server) => {
    server.post('/api/chatroom', creating, async (request, reply) => {
      const { name: title, description } = request.body
      const room = await conversations.create(request.identity.accountId, { title, description })
      reply.code(201)
      return { success: true, message: 'Chatroom created successfully', chatroom: newRoom(room) }
    })
    server.get('/api/chatroom', listing, async request => {
      const rooms = await allRooms(parts, request.identity.accountId)
      return { success: true, chatrooms: rooms.map(listedRoom), cached: false }
    })
    server.get('/api/chatroom/:id', reading, async request => {
      const { accountId } = request.identity
      const { room, messages } = await wholeOf(parts, accountId, request.params.id)
      return { success: true, chatroom: wholeRoom(room, accountId), messages: roomMessages(messages) }
    })
    server.delete('/api/chatroom/:id', deleting, async request => {
      const { accountId } = request.identity
      await ownRoom(parts, accountId, request.params.id)
      await conversations.remove(accountId, request.params.id)
      return { success: true, message: 'Chatroom deleted successfully' }
    })
    server.post('/api/chatroom/:id/message', sending, async (request, reply) => {
      const { accountId } = request.identity
      const { content } = request.body
      const { id: conversationId } = await ownRoom(parts, accountId, request.params.id)
      const asked = { accountId, kind: 'chat', message: content, conversationId, asJob: true }
      const { messageId, generation } = await generations.start(asked)
      const created_at = generation.createdAt.toISOString()
      const message = {
        id: messageId,
        content,
        message_type: 'user',
        processing_status: 'pending',
        created_at,
      }
      reply.code(201)
      return { success: true, message, queue_status: 'processing' }
    })
    server.get('/api/chatroom/message/:messageId/status', following, async request => ({
      success: true,
      message: messageStatus(
        await conversations.progress(request.identity.accountId, request.params.messageId),
      ),
    }))
  }
}

async function allRooms({ conversations }: DialectParts, accountId: string): Promise<Conversation[]> {
  const rooms: Conversation[] = []
  let cursor: string | null | undefined
  do {
    const page = await conversations.list({ accountId, limit: pageSize, cursor: cursor ?? undefined })
    rooms.push(...page.conversations.filter(isRoom))
    cursor = page.nextCursor
  } while (cursor && rooms.length < mostRooms)
  return rooms.toSorted((one, other) => other.createdAt.getTime() - one.createdAt.getTime())
}

function isRoom({ kind }: Conversation): boolean {
  return kind === 'chat'
}

/** A chatroom of the account with its newest message. Throws 404. */
async function ownRoom(
  { conversations }: DialectParts,
  accountId: string,
  id: string,
): Promise<Conversation> {
  return (await page(conversations, { accountId, id, limit: 1 })).conversation
}

async function wholeOf({ conversations }: DialectParts, accountId: string, id: string) {
  let { conversation: room, messages, hasMore } = await page(conversations, { accountId, id, limit: 200 })
  while (hasMore && messages.length < mostMessages) {
    const before = messages[0]?.position
    const earlier = await page(conversations, { accountId, id, limit: 200, before })
    messages = [...earlier.messages, ...messages]
    hasMore = earlier.hasMore
  }
  return { room, messages }
}

async function page(
  conversations: DialectParts['conversations'],
  request: Parameters<DialectParts['conversations']['read']>[0],
) {
  const found = await conversations.read(request)
  if (!isRoom(found.conversation)) throw missing('Conversation')
  return found
}

const exampleRoom = {
  id: '01936b2e-9a11-7f00-8a3c-5d6e7f809102',
  name: 'My First Chatroom',
  description: 'A test chatroom',
  created_at: '2026-11-20T09:30:00.000Z',
}
const exampleMessage = {
  id: '01936b2e-9b22-7f00-8a3c-5d6e7f809103',
  content: 'Hello, how are you?',
  message_type: 'user',
  processing_status: 'pending',
  created_at: '2026-11-20T09:31:00.000Z',
}
const noRoom = { NOT_FOUND: { message: 'Chatroom not found' } }

const creating = endpoint({
  summary: 'Create a chatroom',
  asks: { body: RoomBody },
  answers: { 201: { success: true, message: 'Chatroom created successfully', chatroom: exampleRoom } },
  failures: [400, 401, 403, 429],
})

const listing = endpoint({
  summary: 'List my chatrooms',
  description: 'The newest first. `message_count` is a text, as published.',
  answers: {
    200: {
      success: true,
      chatrooms: [{ ...exampleRoom, message_count: '2', last_message_at: '2026-11-20T09:31:02.000Z' }],
      cached: false,
    },
  },
  failures: [401, 429],
})

const reading = endpoint({
  summary: 'Read a chatroom with its messages',
  description: 'The oldest message first. A question says how far its answer is.',
  asks: { params: ById },
  answers: {
    200: {
      success: true,
      chatroom: { ...exampleRoom, user_id: '01936b2e-8f6a-7c3d-9f7e-2a4b6c8d0e1f' },
      messages: [exampleMessage],
    },
  },
  failures: [401, 404, 429],
  codes: noRoom,
})

const deleting = endpoint({
  summary: 'Delete a chatroom',
  asks: { params: ById },
  answers: { 200: { success: true, message: 'Chatroom deleted successfully' } },
  failures: [401, 403, 404, 429],
  codes: noRoom,
})

const sending = endpoint({
  summary: 'Send a message',
  description:
    'It is stored and queued; `message` is the object. Ask for its status, or read the chatroom, for the answer. 429 ' +
    'DAILY_LIMIT_REACHED names the limit of the plan.',
  asks: { params: ById, body: MessageBody },
  answers: { 201: { success: true, message: exampleMessage, queue_status: 'processing' } },
  failures: [400, 401, 402, 403, 404, 429, 503],
  codes: noRoom,
})

const following = endpoint({
  summary: 'How far the answer to a message is',
  description: 'pending, processing, then completed or failed; failed only when no other attempt follows.',
  asks: { params: ByMessage },
  answers: {
    200: {
      success: true,
      message: {
        ...exampleMessage,
        processing_status: 'completed',
        chatroom_id: exampleRoom.id,
        chatroom_name: exampleRoom.name,
      },
    },
  },
  failures: [401, 404, 429],
  codes: { NOT_FOUND: { message: 'Message not found' } },
})

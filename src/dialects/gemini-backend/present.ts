import type { Conversation, Conversations, MessageProgress } from '../../features/conversations/index.ts'

type Told = Awaited<ReturnType<Conversations['read']>>['messages'][number]

/** How far an answer is, in the published words: `failed` only when no other attempt follows. */
export function processingStatus(status: string | null, hasBegun: boolean): string {
  if (status === 'queued') return hasBegun ? 'processing' : 'pending'
  if (status === 'running') return 'processing'
  return status === 'completed' || status === null ? 'completed' : 'failed'
}

/** A chatroom as its list shows it; its count is a text, as published. */
export function listedRoom(room: Conversation) {
  return {
    ...newRoom(room),
    message_count: String(room.messageCount),
    last_message_at: room.messageCount > 0 ? room.updatedAt.toISOString() : null,
  }
}

export function newRoom(room: Conversation) {
  return {
    id: room.id,
    name: room.title,
    description: room.description,
    created_at: room.createdAt.toISOString(),
  }
}

export function wholeRoom(room: Conversation, accountId: string) {
  return { ...newRoom(room), user_id: accountId, updated_at: room.updatedAt.toISOString() }
}

/** The messages of a chatroom: questions with how far their answers are, and the answers that there are. */
export function roomMessages(messages: readonly Told[]) {
  return messages.flatMap((message, at) => {
    const { id, content, createdAt } = message
    const run = message.role === 'user' ? messages[at + 1]?.generation : message.generation
    const status = processingStatus(run?.status ?? null, Boolean(run?.startedAt))
    const told = { id, content, processing_status: status, created_at: createdAt.toISOString() }
    if (message.role === 'user') return [{ ...told, message_type: 'user' }]
    return content === '' || status !== 'completed' ? [] : [{ ...told, message_type: 'ai' }]
  })
}

export function messageStatus(found: MessageProgress) {
  return {
    id: found.id,
    content: found.content,
    message_type: found.role === 'user' ? 'user' : 'ai',
    processing_status: processingStatus(found.status, found.startedAt !== null),
    created_at: found.createdAt.toISOString(),
    chatroom_id: found.conversationId,
    chatroom_name: found.conversationTitle,
  }
}

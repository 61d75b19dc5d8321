import {
  canSendAgain,
  continueGeneration,
  regenerate,
  type Started,
  startGeneration,
} from '../../api/live.ts'
import type { Generation, GenerationRequest, Message } from '../../api/types.ts'
import { cacheNewConversation, changeNewestPage, refreshConversationList } from '../conversations/queries.ts'

/** A message on its way: sent, not yet accepted, or refused. Kept by conversation id, or 'new'. */
export interface Outgoing {
  text: string
  request: GenerationRequest
  /** Makes sending again harmless when the first try did arrive. */
  key: string
  error: unknown
}

const entries = new Map<string, Outgoing>()
const listeners = new Set<() => void>()

/** Messages on their way, as a store. */
export const outbox = {
  read: (place: string): Outgoing | undefined => entries.get(place),
  subscribe(listener: () => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  },
  discard(place: string): void {
    put(place, null)
  },
  clear(): void {
    entries.clear()
    for (const listener of listeners) listener()
  },
}

function put(place: string, outgoing: Outgoing | null): void {
  if (outgoing) entries.set(place, outgoing)
  else entries.delete(place)
  for (const listener of listeners) listener()
}

/**
 * Sends a message; the conversation's cache shows it as soon as its answer begins. Resolves with the start, or with
 * null when it was refused: the reason is then in the outbox.
 */
export async function sendMessage(request: GenerationRequest): Promise<Started | null> {
  return deliver({ text: request.message, request, key: crypto.randomUUID(), error: null })
}

/** Sends the refused message of a place once more. */
export async function sendAgain(place: string): Promise<Started | null> {
  const outgoing = entries.get(place)
  if (!outgoing) return null
  const key = canSendAgain(outgoing.error) ? outgoing.key : crypto.randomUUID()
  return deliver({ ...outgoing, key, error: null })
}

async function deliver(outgoing: Outgoing): Promise<Started | null> {
  const place = outgoing.request.conversationId ?? 'new'
  put(place, outgoing)
  try {
    const started = await startGeneration(outgoing.request, outgoing.key)
    remember(started, outgoing.text)
    put(place, null)
    return started
  } catch (thrown) {
    put(place, { ...outgoing, error: thrown })
    return null
  }
}

/** Goes on with a cut answer. Throws ApiError when it is refused. */
export async function goOn(generationId: string): Promise<Started> {
  const started = await continueGeneration(generationId, crypto.randomUUID())
  remember(started, null)
  return started
}

/** Answers the same question again. Throws ApiError when it is refused. */
export async function answerAgain(generationId: string): Promise<Started> {
  const started = await regenerate(generationId, crypto.randomUUID())
  let version = 1
  changeNewestPage(started.conversationId, page => {
    const replaced = page.messages.find(message => message.generation?.id === generationId)
    if (replaced) version = replaced.version + 1
    return { ...page, messages: page.messages.filter(message => message !== replaced) }
  })
  remember(started, null, version)
  return started
}

function remember(started: Started, text: string | null, version = 1): void {
  const now = new Date().toISOString()
  const generation = startedGeneration(started, now)
  changeNewestPage(started.conversationId, page => {
    const known = new Set(page.messages.map(message => message.id))
    const messages = page.messages.map(message =>
      message.id === started.replyId ? { ...message, generation } : message,
    )
    const next = () => (messages.at(-1)?.position ?? 0) + 1
    if (text !== null && started.messageId && !known.has(started.messageId)) {
      messages.push(question(started.messageId, text, next()))
    }
    if (!known.has(started.replyId)) messages.push({ ...reply(started, generation, next()), version })
    return { ...page, messages }
  })
  if (text !== null && started.messageId) {
    const messages = [question(started.messageId, text, 1), reply(started, generation, 2)]
    const { conversationId: id, title } = started
    const fresh = {
      id,
      kind: 'chat',
      title,
      systemPrompt: null,
      messageCount: 2,
      createdAt: now,
      updatedAt: now,
    }
    cacheNewConversation(fresh, messages)
  }
  refreshConversationList()
}

function question(id: string, content: string, position: number): Message {
  const createdAt = new Date().toISOString()
  return { id, role: 'user', content, position, version: 1, createdAt, generation: null, artifacts: [] }
}

function reply(started: Started, generation: Generation, position: number): Message {
  const { replyId: id } = started
  return {
    id,
    role: 'assistant',
    content: '',
    position,
    version: 1,
    createdAt: generation.createdAt,
    generation,
    artifacts: [],
  }
}

function startedGeneration(started: Started, now: string): Generation {
  return {
    id: started.generationId,
    kind: 'chat',
    status: 'running',
    finishReason: null,
    model: started.model,
    conversationId: started.conversationId,
    messageId: started.messageId,
    replyId: started.replyId,
    usage: null,
    costMicroCredits: 0,
    error: null,
    lastSeq: 0,
    createdAt: now,
    startedAt: now,
    finishedAt: null,
  }
}

import { send } from './client.ts'
import { ApiError } from './errors.ts'
import { followGeneration } from './stream.ts'
import type { ArtifactSummary, GenerationEvent, GenerationRequest, GenerationStatus, Usage } from './types.ts'

/** A generation as this page has followed it so far. Snapshots are replaced, never changed. */
export interface LiveGeneration {
  id: string
  conversationId: string
  messageId: string | null
  replyId: string
  model: string
  /** Where in the reply the text begins; null when the server did not say. */
  replyOffset: number | null
  text: string
  reasoning: string
  artifacts: readonly ArtifactSummary[]
  /** The title of the artifact that is being written now. */
  making: string | null
  status: GenerationStatus
  finishReason: string | null
  usage: Usage | null
  costMicroCredits: number
  error: { code: string; message: string } | null
  connection: 'open' | 'lost'
}

export type Started = Extract<GenerationEvent, { type: 'generation-start' }>

type Listener = () => void
type EventListener = (event: GenerationEvent, live: LiveGeneration) => void

const working = new Map<string, LiveGeneration>()
const published = new Map<string, LiveGeneration>()
const followers = new Map<string, AbortController>()
const listeners = new Set<Listener>()
const eventListeners = new Set<EventListener>()
let isScheduled = false
let publishedAt = 0
// Thirty times a second is as smooth as text needs to be, and leaves the reader's scrolling its frames.
const betweenMs = 24

/** The live generations as a store: snapshots change at most thirty times a second. */
export const liveGenerations = {
  read: (id: string | undefined): LiveGeneration | undefined => (id ? published.get(id) : undefined),
  subscribe(listener: Listener): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  },
  /** Each event once, as it arrives; for what must happen besides showing it. */
  onEvent(listener: EventListener): () => void {
    eventListeners.add(listener)
    return () => eventListeners.delete(listener)
  },
  /** Forgets a generation whose stored answer has been read. */
  drop(id: string): void {
    if (followers.has(id)) return
    working.delete(id)
    published.delete(id)
  },
  /** Leaves all of them (log-out); they go on at the server. */
  clear(): void {
    for (const follower of followers.values()) follower.abort()
    followers.clear()
    working.clear()
    published.clear()
    publish()
  },
}

/**
 * Sends a message and follows its answer. Resolves when the answer has begun; rejects with ApiError when it was
 * refused or the connection was lost before that. `key` makes sending the same message again harmless.
 */
export function startGeneration(request: GenerationRequest, key: string): Promise<Started> {
  return begin('/generations', { ...request, stream: true }, key)
}

/** Says something about a plugin, or asks for it finished when nothing is said; as startGeneration. */
export function startPluginTurn(
  pluginId: string,
  { message, ...settings }: Partial<GenerationRequest>,
  key: string,
): Promise<Started> {
  const body = { ...settings, stream: true }
  if (message === undefined) return begin(`/plugins/${pluginId}/finalize`, body, key)
  return begin(`/plugins/${pluginId}/messages`, { ...body, message }, key)
}

/** Goes on with an answer that was interrupted or reached its length limit; as startGeneration. */
export function continueGeneration(id: string, key: string): Promise<Started> {
  return begin(`/generations/${id}/continue`, { stream: true }, key)
}

/** Another answer to the same question; the earlier one is kept by the server. As startGeneration. */
export function regenerate(id: string, key: string): Promise<Started> {
  return begin(`/generations/${id}/regenerate`, { stream: true }, key)
}

/** Follows a generation that began elsewhere (before a reload, in another tab) from its first event. */
export function attachGeneration(id: string): void {
  if (followers.has(id)) return
  const leave = new AbortController()
  followers.set(id, leave)
  const first = (signal: AbortSignal) => openLog(id, 0, signal)
  void run({ id, leave, first, onStart: () => undefined }).catch(() => fail(id))
}

/** Stops a generation at the server; what has arrived is kept. */
export async function stopGeneration(id: string): Promise<void> {
  await send(`/generations/${id}/cancel`, { method: 'POST' })
}

function begin(path: string, body: unknown, key: string): Promise<Started> {
  return new Promise((resolve, reject) => {
    const headers = { accept: 'text/event-stream', 'idempotency-key': key }
    const first = (signal: AbortSignal) => send(path, { method: 'POST', body, headers, signal })
    const leave = new AbortController()
    let startedId: string | null = null
    const onStart = (started: Started) => {
      startedId = started.generationId
      resolve(started)
    }
    run({ id: null, leave, first, onStart }).catch((thrown: unknown) => {
      if (startedId) fail(startedId)
      else reject(thrown)
    })
  })
}

interface Run {
  id: string | null
  leave: AbortController
  first: (signal: AbortSignal) => Promise<Response>
  onStart: (started: Started) => void
}

async function run({ id, leave, first, onStart }: Run): Promise<void> {
  let current = id
  try {
    await followGeneration({
      open: (seq, signal) => (seq === 0 || !current ? first(signal) : openLog(current, seq, signal)),
      pause,
      signal: leave.signal,
      onConnection: connection => current && change(current, { connection }),
      onEvent: event => {
        if (event.type === 'generation-start') {
          current = event.generationId
          followers.set(current, leave)
          working.set(current, newLive(event))
          onStart(event)
        }
        if (current) apply(current, event)
      },
    })
  } finally {
    if (current) followers.delete(current)
  }
}

function openLog(id: string, seq: number, signal: AbortSignal): Promise<Response> {
  const headers = { accept: 'text/event-stream', 'last-event-id': String(seq) }
  return send(`/generations/${id}/events?after=${seq}`, { headers, signal })
}

function newLive(started: Started): LiveGeneration {
  return {
    id: started.generationId,
    conversationId: started.conversationId,
    messageId: started.messageId,
    replyId: started.replyId,
    model: started.model,
    replyOffset: started.replyOffset ?? null,
    text: '',
    reasoning: '',
    artifacts: [],
    making: null,
    status: 'running',
    finishReason: null,
    usage: null,
    costMicroCredits: 0,
    error: null,
    connection: 'open',
  }
}

function apply(id: string, event: GenerationEvent): void {
  const live = working.get(id)
  if (!live) return
  change(id, changeOf(live, event))
  const after = working.get(id) ?? live
  if (event.type === 'generation-end') {
    followers.delete(id)
    publish()
  }
  for (const listener of eventListeners) listener(event, after)
}

function changeOf(live: LiveGeneration, event: GenerationEvent): Partial<LiveGeneration> {
  switch (event.type) {
    case 'text-delta':
      return { text: live.text + event.text }
    case 'text-snapshot':
      return { text: event.text }
    case 'generation-restart':
      return { text: '', reasoning: '', artifacts: [], making: null }
    case 'reasoning-delta':
      return { reasoning: live.reasoning + event.text }
    case 'artifact-start':
      return { making: event.title || 'code' }
    case 'artifact-ready': {
      const others = live.artifacts.filter(artifact => artifact.id !== event.artifact.id)
      return { artifacts: [...others, event.artifact], making: null }
    }
    case 'generation-end':
      return {
        status: event.status,
        finishReason: event.finishReason,
        usage: event.usage,
        costMicroCredits: event.costMicroCredits,
        error: event.error,
        making: null,
      }
    default:
      return {}
  }
}

function change(id: string, fields: Partial<LiveGeneration>): void {
  const live = working.get(id)
  if (!live) return
  working.set(id, { ...live, ...fields })
  schedule()
}

/** The server would not let us follow any further: show what we have as interrupted. */
function fail(id: string): void {
  change(id, { status: 'interrupted', making: null })
}

function schedule(): void {
  if (isScheduled) return
  isScheduled = true
  // A hidden page gets no animation frames, but its title and announcements should still be right.
  if (document.hidden) setTimeout(publish, 250)
  else
    setTimeout(() => requestAnimationFrame(publish), Math.max(0, publishedAt + betweenMs - performance.now()))
}

function publish(): void {
  isScheduled = false
  publishedAt = performance.now()
  for (const [id, live] of working) published.set(id, live)
  for (const listener of listeners) listener()
}

/** Waits 0.5 s, 1 s, 2 s … 10 s (with some chance), or until the browser says that the network is back. */
function pause(count: number, signal: AbortSignal): Promise<void> {
  const waitMs = Math.min(500 * 2 ** (count - 1), 10_000) * (0.75 + Math.random() / 2)
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer)
      removeEventListener('online', done)
      resolve()
    }
    const timer = setTimeout(done, waitMs)
    addEventListener('online', done)
    signal.addEventListener('abort', done, { once: true })
  })
}

/** Whether a refused submit may be sent again as it is. */
export function canSendAgain(thrown: unknown): boolean {
  return !(thrown instanceof ApiError) || thrown.status === 0 || thrown.status === 429 || thrown.status >= 500
}

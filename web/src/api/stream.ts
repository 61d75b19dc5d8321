import { createParser } from 'eventsource-parser'
import { ApiError, errorFromResponse } from './errors.ts'
import type { GenerationEvent } from './types.ts'

/** How to follow one generation to its end over connections that may be lost. */
export interface Following {
  /** Opens the log after `seq`. The first call may be the one that starts the generation. */
  open: (seq: number, signal: AbortSignal) => Promise<Response>
  /** Waits before the attempt `count` (1, 2, …) to connect again; may end early when the network is back. */
  pause: (count: number, signal: AbortSignal) => Promise<void>
  onEvent: (event: GenerationEvent) => void
  onConnection?: (connection: 'open' | 'lost') => void
  /** Leaves; the generation itself goes on at the server. */
  signal: AbortSignal
  /** A connection without a byte for so long is taken for lost. The server pings every 15 s. */
  silenceMs?: number
}

/**
 * Gives each event of a generation exactly once and in order, whatever happens to the connection, and returns after
 * `generation-end`. Throws ApiError when the server refuses (not found, not allowed), and when it could not be reached
 * before the first event, because only the caller knows whether sending again is right.
 */
export async function followGeneration(following: Following): Promise<void> {
  let seq = 0
  let failures = 0
  while (!following.signal.aborted) {
    try {
      for await (const event of connect(following, seq)) {
        const fresh = withoutSeen(event, seq)
        if (!fresh) continue
        seq = fresh.seq
        failures = 0
        following.onEvent(fresh)
        if (fresh.type === 'generation-end') return
      }
    } catch (thrown) {
      if (following.signal.aborted) return
      if (seq === 0 || !isPassing(thrown)) throw thrown
    }
    if (following.signal.aborted) return
    if (seq === 0) throw new ApiError(0, 'CUT', 'The connection was lost before the answer began.')
    failures += 1
    following.onConnection?.('lost')
    await following.pause(failures, following.signal)
  }
}

async function* connect(following: Following, seq: number): AsyncGenerator<GenerationEvent> {
  const watch = new AbortController()
  const signal = AbortSignal.any([following.signal, watch.signal])
  const silenceMs = following.silenceMs ?? 45_000
  let timer = setTimeout(() => watch.abort(), silenceMs)
  try {
    const response = await following.open(seq, signal)
    if (!response.ok) throw await errorFromResponse(response)
    following.onConnection?.('open')
    yield* readEvents(response, () => {
      clearTimeout(timer)
      timer = setTimeout(() => watch.abort(), silenceMs)
    })
  } finally {
    clearTimeout(timer)
    watch.abort()
  }
}

/** The events of one SSE answer, in order, until its connection ends. Frames that are no JSON are skipped. */
export async function* readEvents(response: Response, onBytes?: () => void): AsyncGenerator<GenerationEvent> {
  if (!response.body) return
  const ready: GenerationEvent[] = []
  const parser = createParser({
    onEvent: message => {
      const event = parseEvent(message.data)
      if (event) ready.push(event)
    },
  })
  const decoder = new TextDecoder()
  const reader = response.body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      onBytes?.()
      parser.feed(decoder.decode(value, { stream: true }))
      yield* ready.splice(0)
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

function parseEvent(data: string): GenerationEvent | null {
  try {
    const event = JSON.parse(data) as GenerationEvent
    return typeof event?.seq === 'number' && typeof event.type === 'string' ? event : null
  } catch {
    return null
  }
}

/**
 * The part of an event that lies after `seq`: null when all of it is known, a shorter text when it was joined from
 * pieces of which some have been seen.
 */
export function withoutSeen(event: GenerationEvent, seq: number): GenerationEvent | null {
  if (event.seq <= seq) return null
  if (event.type !== 'text-delta' && event.type !== 'reasoning-delta') return event
  const fresh = event.seq - seq
  return fresh < event.text.length ? { ...event, text: event.text.slice(-fresh) } : event
}

function isPassing(thrown: unknown): boolean {
  if (!(thrown instanceof ApiError)) return true
  return thrown.status === 0 || thrown.status === 429 || thrown.status >= 500
}

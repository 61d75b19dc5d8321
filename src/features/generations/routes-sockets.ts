import { AppError, toAppError } from '../../lib/errors.ts'
import type { Identity } from '../../transport/auth.ts'
import { portions, type StreamedEvent } from '../../transport/portions.ts'
import { cancelWhenGone } from './deliver.ts'
import { type Generations, presentGeneration, type Started } from './index.ts'
import type { Settings } from './schema.ts'
import type { AgainFrame, FollowFrame, StartFrame } from './schema-sockets.ts'

export interface SocketWireDeps {
  generations: Generations
  /** Called before each start: counts it as REST does, and throws AppError limited. */
  admitStart?: (identity: Identity) => Promise<void>
  /** Told of bugs, which clients are not. */
  report: (error: unknown) => void
}

/** Where the events of one client go, whatever the wire. */
export interface Reader {
  identity: Identity
  /** Aborts when the client has gone. */
  signal: AbortSignal
  /** Sends events when the client has taken what was sent before; false when it has gone. */
  events(generationId: string, events: readonly StreamedEvent[]): Promise<boolean>
  /** Says that there will be no more events of a generation, and why if it was not its end. */
  done(generationId: string, error: AppError | null): void
}

const maxFollows = 32

export type Conversing = ReturnType<typeof createConversing>

/**
 * What one client on a socket can do with generations: the calls of REST on a connection that stays. What it starts or
 * follows is sent to it until the end; a client that leaves stops nothing but what it started with `onDisconnect: cancel`.
 */
export function createConversing(deps: SocketWireDeps, reader: Reader) {
  const { generations } = deps
  const { accountId } = reader.identity
  const follows = new Map<string, AbortController>()
  reader.signal.addEventListener('abort', () => {
    for (const follow of follows.values()) follow.abort()
  })

  async function follow(generationId: string, after: number): Promise<void> {
    const earlier = follows.get(generationId)
    if (!earlier && follows.size >= maxFollows) {
      throw new AppError('limited', 'TOO_MANY_FOLLOWS', `One socket can follow ${maxFollows} generations`)
    }
    earlier?.abort()
    const stop = new AbortController()
    if (reader.signal.aborted) stop.abort()
    follows.set(generationId, stop)
    const forget = () => {
      if (follows.get(generationId) === stop) follows.delete(generationId)
    }
    try {
      const batches = await generations.follow({ accountId, id: generationId, after, signal: stop.signal })
      void pump(deps, { reader, generationId, batches, signal: stop.signal }).finally(forget)
    } catch (error) {
      forget()
      throw error
    }
  }

  async function begun(started: Started, onDisconnect: string | undefined) {
    const { id } = started.generation
    if (onDisconnect === 'cancel') cancelWithReader(deps, reader, id)
    return { ...started, generation: presentGeneration(started.generation) }
  }

  return {
    /** Stores a question and begins to answer it; follow it to get the answer. */
    async start({ message, conversationId, clientMessageId, ...rest }: Omit<StartFrame, 'id'>) {
      await deps.admitStart?.(reader.identity)
      const started = await generations.start({
        accountId,
        kind: 'chat',
        message,
        conversationId,
        idempotencyKey: clientMessageId,
        ...settingsOf(rest),
      })
      return begun(started, rest.onDisconnect)
    },
    /** Answers once more, or goes on; follow it to get the answer. */
    async again(how: 'regenerate' | 'continue', { generationId, ...rest }: Omit<AgainFrame, 'id'>) {
      await deps.admitStart?.(reader.identity)
      const started = await generations[how]({ accountId, generationId, ...settingsOf(rest) })
      return begun(started, rest.onDisconnect)
    },
    /** Sends what was just begun from its beginning, unless that is being done: a repeated start is one generation. */
    async followBegun(generationId: string) {
      if (!follows.has(generationId)) await follow(generationId, 0)
    },
    /** Sends the events after a position from now on, instead of an earlier follow of the same generation. */
    async follow({ generationId, after = 0 }: Omit<FollowFrame, 'id'>) {
      await follow(generationId, after)
      return { generationId, after }
    },
    unfollow({ generationId }: { generationId: string }) {
      follows.get(generationId)?.abort()
      follows.delete(generationId)
      return { generationId }
    },
    async cancel({ generationId }: { generationId: string }) {
      return { generation: presentGeneration(await generations.cancel(accountId, generationId)) }
    },
  }
}

/** The settings of a frame as the engine takes them; the schema has checked their values. */
function settingsOf(frame: Omit<AgainFrame, 'id' | 'generationId'>): Partial<Settings> & { model?: string } {
  return frame as Partial<Settings> & { model?: string }
}

function cancelWithReader({ generations, report }: SocketWireDeps, reader: Reader, id: string): void {
  const { identity, signal } = reader
  cancelWhenGone(generations, { accountId: identity.accountId, id, signal, report })
}

interface Pumping {
  reader: Reader
  generationId: string
  batches: AsyncIterable<readonly StreamedEvent[]>
  signal: AbortSignal
}

/** Sends batches to their reader, no faster than it takes them. */
async function pump(deps: SocketWireDeps, pumping: Pumping): Promise<void> {
  const { reader, generationId, batches, signal } = pumping
  let failure: AppError | null = null
  try {
    for await (const batch of batches) {
      for (const portion of portions(batch)) {
        if (signal.aborted || !(await reader.events(generationId, portion))) return
      }
    }
  } catch (thrown) {
    failure = toAppError(thrown)
    if (failure.kind === 'internal') deps.report(thrown)
  }
  if (!signal.aborted) reader.done(generationId, failure)
}

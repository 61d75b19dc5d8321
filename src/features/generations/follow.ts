import { setTimeout as sleep } from 'node:timers/promises'
import { missing } from '../../lib/errors.ts'
import { isId } from '../../lib/ids.ts'
import { joined, type LogEvent } from '../../platform/events/index.ts'
import type { JobState } from '../../platform/queue/index.ts'
import type { Engine } from './engine.ts'
import { isFinal, replay } from './replay.ts'
import { type Generation, readGeneration, type StoredLog } from './store.ts'

export interface FollowRequest {
  accountId: string
  id: string
  /** Position after which to go on; 0 is the beginning. */
  after: number
  signal?: AbortSignal
}

/** A generation of the account. Throws AppError missing. */
export async function readOwn(engine: Engine, accountId: string, id: string): Promise<Generation> {
  const generation = isId(id) ? await readGeneration(engine.db, id, accountId) : null
  if (!generation) throw missing('Generation')
  return generation
}

/** What the queue knows of a generation of the account. Throws AppError missing, also for one that was not queued. */
export async function readJobState(engine: Engine, accountId: string, id: string): Promise<JobState> {
  const generation = await readOwn(engine, accountId, id)
  const state = generation.isJob ? await engine.queue.state(id) : null
  if (!state) throw missing('Job')
  return state
}

async function readOwnLog(engine: Engine, accountId: string, id: string): Promise<StoredLog> {
  const stored = isId(id) ? await engine.sharedLogs.read(accountId, id) : null
  if (!stored) throw missing('Generation')
  return stored
}

/** Events after a position until the end, in batches. Throws AppError missing before the first one. */
export async function follow(
  engine: Engine,
  request: FollowRequest,
): Promise<AsyncIterable<readonly LogEvent[]>> {
  const run = engine.runs.get(request.id)
  if (run?.accountId !== request.accountId)
    return followAnywhere(engine, request, await readOwnLog(engine, request.accountId, request.id))
  const live = run.generation.isJob ? null : await engine.events.follow(request.id, request)
  return live ?? followAnywhere(engine, request, null)
}

const pollEveryMs = 300
const lookAgainMs = 1000

/**
 * Follows a generation wherever it is: in its live log while there is one, else by what is stored. A log may end without
 * the generation: its process died, or a job will be tried again by another. `before` is what was stored a moment ago.
 */
async function* followAnywhere(
  engine: Engine,
  request: FollowRequest,
  before: StoredLog | null,
): AsyncGenerator<readonly LogEvent[]> {
  const { id, accountId, signal } = request
  let position = request.after
  let waiting = before?.status === 'queued' ? before : null
  while (!signal?.aborted) {
    const live = await engine.events.follow(id, { ...request, after: position })
    for await (const batch of live ?? []) {
      position = batch.at(-1)?.seq ?? position
      yield batch
      if (batch.at(-1)?.type === 'generation-end') return
    }
    if (signal?.aborted) return
    // A job that waited, and has no live log yet, waits still.
    const stored = (live ? null : waiting) ?? (await readOwnLog(engine, accountId, id))
    waiting = null
    const events = replay(stored, position)
    position = events.at(-1)?.seq ?? position
    if (events.length > 0) yield events
    if (isFinal(stored.status)) return
    await engine.events.opened(id, { withinMs: lookAgainMs, ...(signal ? { signal } : {}) })
  }
}

/** Events after a position as far as there are any now, the position after them, and whether there will be more. */
export async function poll(engine: Engine, accountId: string, id: string, after: number) {
  const isHere = engine.runs.get(id)?.accountId === accountId
  if (!isHere) await readOwn(engine, accountId, id)
  const live = await engine.events.read(id, after)
  if (live && !live.isEnded) return page(live.events, after, false)
  const stored = await readOwnLog(engine, accountId, id)
  return page(replay(stored, after), after, isFinal(stored.status))
}

function page(events: readonly LogEvent[], after: number, isDone: boolean) {
  return { events: joined(events), lastSeq: events.at(-1)?.seq ?? after, done: isDone }
}

/** Resolves when a generation has ended, with its stored state and reply. */
export async function wait(
  engine: Engine,
  { accountId, id, signal }: { accountId: string; id: string; signal?: AbortSignal | undefined },
): Promise<StoredLog> {
  const run = engine.runs.get(id)
  const ended = run?.accountId === accountId ? await run?.done : null
  if (ended) return ended
  for (;;) {
    const stored = await readOwnLog(engine, accountId, id)
    if (isFinal(stored.status) || signal?.aborted) return stored
    await sleep(pollEveryMs, undefined, signal ? { signal } : {}).catch(() => {})
  }
}

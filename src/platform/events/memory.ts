import { type EventLogs, type EventLogWriter, joined, type LogEvent, restOf, sizeOf } from './index.ts'
import { Openings } from './openings.ts'

/** Short: what has ended is stored, and thousands of ended logs would keep the garbage collector busy. */
/** Long enough for what is on its way in this process; what is stored tells everybody else. */
const defaultLingerMs = 50
const maxBatchSize = 65_536

interface Log {
  events: LogEvent[]
  seq: number
  isEnded: boolean
  /** Readers that have read everything and wait for more. */
  waiting: Set<() => void>
}

/** Event logs in the memory of this process; a finished one lingers for a moment, for readers on their way. */
export function createMemoryEventLogs({ lingerMs = defaultLingerMs } = {}): EventLogs {
  const logs = new Map<string, Log>()
  const timers = new Set<NodeJS.Timeout>()
  const openings = new Openings()

  function forgetLater(id: string, log: Log): void {
    const timer = setTimeout(() => {
      timers.delete(timer)
      // The same id may have been opened again, for another attempt.
      if (logs.get(id) === log) logs.delete(id)
    }, lingerMs)
    timer.unref()
    timers.add(timer)
  }

  return {
    open(id) {
      const log: Log = { events: [], seq: 0, isEnded: false, waiting: new Set() }
      logs.set(id, log)
      openings.tell(id)
      return writer(log, () => forgetLater(id, log))
    },
    async read(id, after) {
      const log = logs.get(id)
      if (!log) return null
      return {
        events: eventsBetween(log, {
          from: firstAfter(log.events, after),
          to: log.events.length,
          position: after,
        }),
        isEnded: log.isEnded,
      }
    },
    async follow(id, { after, signal }) {
      const log = logs.get(id)
      return log ? read(log, after, signal) : null
    },
    async opened(id, options) {
      const log = logs.get(id)
      if (!log || log.isEnded) await openings.wait(id, options)
    },
    async close() {
      for (const timer of timers) clearTimeout(timer)
      for (const log of logs.values()) finish(log)
      logs.clear()
    },
  }
}

function writer(log: Log, onEnd: () => void): EventLogWriter {
  return {
    get seq() {
      return log.seq
    },
    append(event) {
      if (log.isEnded) throw new Error(`event ${event.type} appended to a log that has ended`)
      log.seq += sizeOf(event)
      const logged = { ...event, seq: log.seq }
      log.events.push(logged)
      wake(log)
      return logged
    },
    end() {
      if (log.isEnded) return
      finish(log)
      onEnd()
    },
  }
}

function finish(log: Log): void {
  log.isEnded = true
  wake(log)
}

function wake(log: Log): void {
  if (log.waiting.size === 0) return
  const waiting = [...log.waiting]
  log.waiting.clear()
  for (const resume of waiting) resume()
}

async function* read(
  log: Log,
  after: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly LogEvent[]> {
  let next = firstAfter(log.events, after)
  let cut = after
  let resume = () => {}
  const leave = () => {
    log.waiting.delete(resume)
    resume()
  }
  // One listener for the whole stay: they cost more than the rest of a step.
  signal?.addEventListener('abort', leave)
  try {
    while (!signal?.aborted) {
      if (next < log.events.length) {
        const end = batchEnd(log.events, next)
        const batch = eventsBetween(log, { from: next, to: end, position: cut })
        next = end
        cut = 0
        yield batch
      } else if (log.isEnded) return
      else {
        await new Promise<void>(resolve => {
          resume = resolve
          log.waiting.add(resolve)
        })
      }
    }
  } finally {
    signal?.removeEventListener('abort', leave)
  }
}

/** Where a batch from here ends: a reader that comes late, or reads slowly, gets the log in pieces. */
function batchEnd(events: readonly LogEvent[], from: number): number {
  const first = events[from]
  const start = first ? first.seq - sizeOf(first) : 0
  return Math.max(from + 1, firstAfter(events, start + maxBatchSize))
}

function eventsBetween(
  log: Log,
  { from, to, position }: { from: number; to: number; position: number },
): readonly LogEvent[] {
  const events = log.events.slice(from, to)
  if (events[0]) events[0] = restOf(events[0], position)
  return joined(events)
}

/** Index of the first event that ends after a position. */
function firstAfter(events: readonly LogEvent[], position: number): number {
  let low = 0
  let high = events.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((events[middle]?.seq ?? 0) > position) high = middle
    else low = middle + 1
  }
  return low
}

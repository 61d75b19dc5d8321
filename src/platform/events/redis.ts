import { createRedis } from '../redis/index.ts'
import type { EventLogs, EventLogWriter, LogEvent } from './index.ts'
import { createMemoryEventLogs } from './memory.ts'
import { Mirrors } from './redis-mirrors.ts'
import { Outbox } from './redis-outbox.ts'
import type { RedisEventTiming } from './redis-wire.ts'

export interface RedisEventLogsOptions {
  url: string
  /** Begins every key and channel; `atelier` unless told. */
  prefix?: string
  /** Told once when Redis goes away, and again only after it was back. */
  report?: (error: unknown) => void
  timing?: Partial<RedisEventTiming>
}

const defaultTiming: RedisEventTiming = { beatMs: 4_000, deadAfterMs: 12_000, keepEndedMs: 15 * 60_000 }

/**
 * Event logs for many processes. The writer's process has the log in memory and reads it there; copies go to a Redis
 * stream in batches, from which any other process follows it. Without Redis remote readers wait, then end without the
 * log's end, as they do when the writer's process dies: whoever follows goes on with what is stored. Writing never fails.
 */
export function createRedisEventLogs(options: RedisEventLogsOptions): EventLogs {
  const { url, prefix = 'atelier', report } = options
  const timing = { ...defaultTiming, ...options.timing }
  const local = createMemoryEventLogs({ lingerMs: 2000 })
  const commands = createRedis({ url, name: 'events', temper: 'prompt', report })
  const listening = createRedis({ url, name: 'events news', temper: 'patient' })
  const parts = { commands, listening, prefix, timing }
  const outbox = new Outbox(parts, (id, after) => local.read(id, after))
  const mirrors = new Mirrors(parts)

  return {
    open(id) {
      const writer = local.open(id)
      outbox.open(id)
      return announcing(writer, () => outbox.touch(id))
    },
    async read(id, after) {
      return (await local.read(id, after)) ?? mirrors.read(id, after)
    },
    async follow(id, request) {
      const here = await local.read(id, request.after)
      // One that ended here may go on elsewhere, as another attempt.
      const isOver = here?.isEnded && here.events.length === 0
      if (here && !isOver) return local.follow(id, request)
      return (await mirrors.follow(id, request)) ?? local.follow(id, request)
    },
    async opened(id, request) {
      const waiting = new AbortController()
      const signal = request.signal ? AbortSignal.any([request.signal, waiting.signal]) : waiting.signal
      const either = { withinMs: request.withinMs, signal }
      await Promise.race([local.opened(id, either), mirrors.opened(id, either)])
      waiting.abort()
    },
    async close() {
      await outbox.close()
      await local.close()
      mirrors.close()
      commands.disconnect()
      listening.disconnect()
    },
  }
}

/** A writer that says when there is something new. */
function announcing(writer: EventLogWriter, touch: () => void): EventLogWriter {
  return {
    get seq() {
      return writer.seq
    },
    append(event): LogEvent {
      const logged = writer.append(event)
      touch()
      return logged
    },
    end() {
      writer.end()
      touch()
    },
  }
}

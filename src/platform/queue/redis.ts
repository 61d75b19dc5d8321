import { Queue as BullQueue, Worker as BullWorker } from 'bullmq'
import { createRedis, redisFailure } from '../redis/index.ts'
import { type Backing, type JobData, jobDefaults, type QueueOptions, timingOf } from './backing.ts'
import { createQueue, within } from './bullmq.ts'
import type { Queue } from './index.ts'

export interface RedisQueueOptions extends QueueOptions {
  url: string
  /** Begins every key; `atelier` unless told. */
  prefix?: string
}

/**
 * A group's turn is the number after its last one, but never behind the job that waits first; all turns are forgotten
 * when nothing waits. A prioritized job's score is its priority × 2^32 plus a counter.
 */
const takeTurn = `
  local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  if not first[2] then
    redis.call('DEL', KEYS[2])
    return 1
  end
  local last = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '0')
  local turn = math.max(math.floor(tonumber(first[2]) / 4294967296), last + 1)
  redis.call('HSET', KEYS[2], ARGV[1], turn)
  redis.call('EXPIRE', KEYS[2], 86400)
  return turn
`

const closeMs = 1000

/**
 * The queue on Redis. Does not wait for it: adding fails within about two seconds while it is away, workers wait. Needs a
 * Redis that keeps an append-only file. One that is killed, rather than stopped, forgets up to two seconds unless its
 * `appendfsync` is `always`: whoever adds jobs knows from his own rows which are missing, and adds them again.
 */
export async function createRedisQueue(options: RedisQueueOptions): Promise<Queue> {
  const { url, name, prefix = 'atelier' } = options
  const report = (err: unknown) => options.log.warn({ err }, 'Redis is away; the queue waits for it')
  const asking = createRedis({ url, name: `queue ${name}`, temper: 'prompt', report })
  const working: ReturnType<typeof createRedis>[] = []
  const queue = new BullQueue<JobData, null>(name, {
    connection: asking,
    prefix,
    defaultJobOptions: jobDefaults(timingOf(options)),
    streams: { events: { maxLen: 1000 } },
  })
  queue.on('error', () => {})

  const backing: Backing = {
    queue,
    async createWorker(process, settings) {
      const connection = createRedis({ url, name: `worker ${name}`, temper: 'patient' })
      working.push(connection)
      return new BullWorker<JobData, null>(name, process, { connection, prefix, ...settings })
    },
    async takeTurn(group) {
      const keys = [`${prefix}:${name}:prioritized`, `${prefix}:${name}:turns`] as const
      return Number(await asking.eval(takeTurn, 2, ...keys, group))
    },
    async forgetTurns(group) {
      await asking.hdel(`${prefix}:${name}:turns`, group)
    },
    translate: redisFailure,
    async close() {
      await within(queue.close(), closeMs).catch(() => {})
      for (const connection of [asking, ...working]) connection.disconnect()
    },
  }
  return createQueue(backing, options)
}

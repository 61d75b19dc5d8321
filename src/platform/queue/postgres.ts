import { createPostgresBackend, withBackend } from 'bullmq'
import { translate } from '../database/failures.ts'
import type { DatabaseSource } from '../database/index.ts'
import { createPool } from '../database/pool.ts'
import { type Backing, type JobData, jobDefaults, type QueueOptions, timingOf } from './backing.ts'
import { createQueue, within } from './bullmq.ts'
import type { Queue } from './index.ts'
import { PatientPool, prepareSchema, queueSchema } from './postgres-pool.ts'

export interface PostgresQueueOptions extends QueueOptions {
  source: DatabaseSource
  /** At most so many connections for a worker, and half as many for those who add; one of a worker's listens. */
  maxConnections?: number
}

const closeMs = 1000

/**
 * The queue in the database, in a schema of its own that is migrated here. Throws AppError unavailable without it. What
 * is added survives any crash. What workers say is not waited for until it is on disk: after a crash of Postgres itself
 * jobs that were begun or done in its last half second are begun again.
 */
export async function createPostgresQueue(options: PostgresQueueOptions): Promise<Queue> {
  const { source, name, maxConnections = 8 } = options
  const settings = { search_path: queueSchema }
  const asking = createPool({ source, settings, maxConnections: Math.ceil(maxConnections / 2) })
  const pools = [asking]
  try {
    await prepareSchema(asking)
  } catch (error) {
    await asking.end()
    throw translate(error)
  }
  const connection = new PatientPool(asking)
  const { Queue: BullQueue, Worker: BullWorker } = withBackend(createPostgresBackend)
  const queue = new BullQueue<JobData, null>(name, {
    connection,
    defaultJobOptions: jobDefaults(timingOf(options)),
    streams: { events: { maxLen: 1000 } },
  })
  queue.on('error', () => {})

  const backing: Backing = {
    queue,
    async createWorker(process, workerSettings) {
      const pool = createPool({
        source,
        settings: { ...settings, synchronous_commit: 'off' },
        maxConnections,
      })
      pools.push(pool)
      const worker = new BullWorker<JobData, null>(name, process, {
        connection: new PatientPool(pool),
        ...workerSettings,
      })
      // BullMQ remembers a first connection that failed for ever, so that such a worker would never work.
      await worker.waitUntilReady()
      return worker
    },
    async takeTurn(group) {
      const { rows } = await connection.query('select take_turn($1, $2) as turn', [name, group])
      return Number(rows[0]?.turn ?? 1)
    },
    async forgetTurns(group) {
      await connection.query('delete from turns where queue = $1 and account = $2', [name, group])
    },
    translate,
    async close() {
      await within(queue.close(), closeMs).catch(() => {})
      // A connection that listens may be beyond reach: it must not hold up the end of the process.
      await Promise.all(pools.map(pool => within(pool.end(), closeMs).catch(() => {})))
    },
  }
  return createQueue(backing, options)
}

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
  /** At most so many connections; one of them listens for each worker. */
  maxConnections?: number
}

const closeMs = 1000

/** The queue in the database, in a schema of its own that is migrated here. Throws AppError unavailable without it. */
export async function createPostgresQueue(options: PostgresQueueOptions): Promise<Queue> {
  const { source, name, maxConnections = 8 } = options
  const pool = createPool({ source, maxConnections, schema: queueSchema })
  try {
    await prepareSchema(pool)
  } catch (error) {
    await pool.end()
    throw translate(error)
  }
  const connection = new PatientPool(pool)
  const { Queue: BullQueue, Worker: BullWorker } = withBackend(createPostgresBackend)
  const queue = new BullQueue<JobData, null>(name, {
    connection,
    defaultJobOptions: jobDefaults(timingOf(options)),
    streams: { events: { maxLen: 1000 } },
  })
  queue.on('error', () => {})

  const backing: Backing = {
    queue,
    async createWorker(process, settings) {
      const worker = new BullWorker<JobData, null>(name, process, { connection, ...settings })
      // BullMQ remembers a first connection that failed for ever, so that such a worker would never work.
      await worker.waitUntilReady()
      return worker
    },
    async takeTurn(group) {
      const { rows } = await connection.query('select take_turn($1, $2) as turn', [name, group])
      return Number(rows[0]?.turn ?? 1)
    },
    translate,
    async close() {
      await within(queue.close(), closeMs).catch(() => {})
      // A connection that listens may be beyond reach: it must not hold up the end of the process.
      if (!pool.ending) await within(pool.end(), closeMs).catch(() => {})
    },
  }
  return createQueue(backing, options)
}

// A worker process of its own on the queue of argv[2]. It says which jobs it began, and never ends one by itself.
import { setTimeout as sleep } from 'node:timers/promises'
import { createPostgresQueue } from '../../src/platform/queue/postgres.ts'
import { createRedisQueue } from '../../src/platform/queue/redis.ts'

const { redisUrl, databaseUrl, ...options } = JSON.parse(process.argv[2] ?? '{}')
const shared = { ...options, log: { warn() {}, error() {} } }
const queue = redisUrl
  ? await createRedisQueue({ url: redisUrl, ...shared })
  : await createPostgresQueue({ source: databaseUrl, ...shared })
await queue.work(
  async job => {
    process.stdout.write(`${job.id} ${job.attempt}\n`)
    await sleep(600_000)
    return undefined
  },
  { concurrency: 5 },
)

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { makeTestFolder, removeTestFolder } from '../../../test/support/folder.ts'
import { startRedis } from '../../../test/support/redis.ts'
import { AppError } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import { startEmbedded } from '../database/embedded.ts'
import { openDatabase } from '../database/index.ts'
import { createRedis } from '../redis/index.ts'
import type { QueueOptions } from './backing.ts'
import type { Queue, Worker } from './index.ts'
import { createPostgresQueue } from './postgres.ts'
import { createRedisQueue } from './redis.ts'

/** A store of its own that can be hurt. */
interface Victim {
  open(options: QueueOptions): Promise<Queue>
  /** What a worker program needs to find it. */
  address(): object
  /** Ends it as a crash would; it is back after a while. */
  crash(): Promise<void>
  close(): Promise<void>
}

async function redisVictim(): Promise<Victim> {
  const redis = await startRedis()
  /** With `everysec`, Redis that is killed forgets up to two seconds; then jobs come back from what features have stored. */
  async function syncAlways(): Promise<void> {
    const admin = createRedis({ url: redis.url, name: 'admin', temper: 'prompt' })
    await admin.config('SET', 'appendfsync', 'always')
    admin.disconnect()
  }
  await syncAlways()
  return {
    open: options => createRedisQueue({ url: redis.url, ...options }),
    address: () => ({ redisUrl: redis.url }),
    async crash() {
      await redis.stop()
      await sleep(500)
      await redis.start()
      await syncAlways()
    },
    close: redis.close,
  }
}

async function postgresVictim(): Promise<Victim> {
  const folder = await makeTestFolder('queue')
  const embedded = await startEmbedded({ dataDir: folder })
  return {
    open: options => createPostgresQueue({ source: embedded.connection, ...options }),
    address: () => ({ databaseUrl: embedded.url() }),
    async crash() {
      const database = openDatabase({ source: embedded.connection, maxConnections: 1 })
      const { rows } = await database.pool.query<{ pid: number }>(
        `select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int as pid`,
      )
      await database.close()
      // What `pg_ctl stop -m immediate` sends.
      process.kill(rows[0]?.pid ?? 0, 'SIGQUIT')
    },
    async close() {
      await embedded.close()
      await removeTestFolder(folder)
    },
  }
}

const program = fileURLToPath(new URL('../../../test/support/queue-program.ts', import.meta.url))
const silent = { warn() {}, error() {} }
const timing = { lockMs: 3000, stalledCheckMs: 300, backoffMs: 50 }
const soon = { timeout: 20_000, interval: 20 }

function faults(start: () => Promise<Victim>): void {
  let victim: Victim
  const queues: Queue[] = []
  const workers: Worker[] = []
  const children: ChildProcess[] = []
  beforeAll(async () => {
    victim = await start()
  })
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    for (const worker of workers) await worker.close({ drainMs: 0 })
    for (const queue of queues) await queue.close()
    await victim.close()
  })
  async function open(name: string): Promise<Queue> {
    const queue = await victim.open({ name, log: silent, timing })
    queues.push(queue)
    return queue
  }
  /** A worker process that takes jobs and never ends them; `next` gives the next one that it took. */
  function spawnWorker(name: string) {
    const child = spawn(process.execPath, [program, JSON.stringify({ ...victim.address(), name, timing })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    return {
      next: async () => String((await lines.next()).value),
      async kill() {
        child.kill('SIGKILL')
        await once(child, 'exit')
      },
    }
  }

  test('a worker process that is killed: its jobs are done by another, soon and once', async () => {
    const name = `test-${newId()}`
    const queue = await open(name)
    const ids = [newId(), newId(), newId()]
    const doomed = spawnWorker(name)
    for (const [index, id] of ids.entries()) await queue.add({ id, group: `group ${index}` })
    const taken = new Set([await doomed.next(), await doomed.next(), await doomed.next()])
    expect(taken).toEqual(new Set(ids.map(id => `${id} 1`)))
    const done: string[] = []
    workers.push(
      await queue.work(
        async job => {
          done.push(`${job.id} ${job.attempt}`)
          return undefined
        },
        { concurrency: 5 },
      ),
    )
    await sleep(1000)
    expect(done).toEqual([])
    await doomed.kill()
    const killedAt = performance.now()
    await vi.waitFor(async () => expect((await queue.counts()).completed).toBe(3), soon)
    // Lock and check take 3.3 s here, and 25 s as they are set otherwise.
    expect(performance.now() - killedAt).toBeLessThan(12_000)
    expect(done.sort()).toEqual(ids.map(id => `${id} 2`).sort())
  })

  test('a job that kills three worker processes is given up, and that is told', async () => {
    const name = `test-${newId()}`
    const queue = await open(name)
    const id = newId()
    await queue.add({ id, group: 'a' })
    for (const attempt of [1, 2, 3]) {
      const doomed = spawnWorker(name)
      expect(await doomed.next()).toBe(`${id} ${attempt}`)
      await doomed.kill()
    }
    const failures: string[] = []
    workers.push(
      await queue.work(async () => undefined, {
        concurrency: 1,
        onFailed: async (job, error) => {
          failures.push(`${job.id} ${error.code}`)
        },
      }),
    )
    await vi.waitFor(() => expect(failures).toEqual([`${id} JOB_STALLED`]), soon)
    expect(await queue.state(id)).toMatchObject({ status: 'failed', attempts: 3 })
  })

  test('the store crashes under load: no accepted job is lost, and workers go on by themselves', async () => {
    const name = `test-${newId()}`
    const [adding, working] = [await open(name), await open(name)]
    const done = new Set<string>()
    workers.push(
      await working.work(
        async job => {
          await sleep(2)
          done.add(job.id)
          return undefined
        },
        { concurrency: 10 },
      ),
    )
    const accepted: string[] = []
    const refused: unknown[] = []
    let longestMs = 0
    let isCrashing = true
    const flood = async (group: string) => {
      while (isCrashing || accepted.length < 100) {
        const id = newId()
        const startedAt = performance.now()
        await adding.add({ id, group }).then(
          () => accepted.push(id),
          error => refused.push(error),
        )
        longestMs = Math.max(longestMs, performance.now() - startedAt)
        await sleep(10)
      }
    }
    const floods = ['a', 'b', 'c'].map(flood)
    await vi.waitFor(() => expect(done.size).toBeGreaterThan(20), soon)
    await victim.crash()
    const crashedAt = performance.now()
    await sleep(2000)
    isCrashing = false
    await Promise.all(floods)
    await vi.waitFor(() => expect(accepted.filter(id => !done.has(id))).toEqual([]), soon)
    expect(performance.now() - crashedAt).toBeLessThan(15_000)
    expect(longestMs).toBeLessThan(10_000)
    expect(refused.length).toBeGreaterThan(0)
    for (const error of refused) {
      expect(error).toBeInstanceOf(AppError)
      expect(error).toMatchObject({ kind: 'unavailable' })
    }
    const marker = newId()
    await adding.add({ id: marker, group: 'd' })
    await vi.waitFor(() => expect(done).toContain(marker), soon)
    await vi.waitFor(async () => expect(await adding.counts()).toMatchObject({ waiting: 0, active: 0 }), soon)
  }, 60_000)
}

describe('faults of a queue in Postgres', () => faults(postgresVictim))

describe.skipIf(!inject('machine').redis)('faults of a queue in Redis', () => faults(redisVictim))

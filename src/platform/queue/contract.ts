import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { AppError } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import type { QueueOptions } from './backing.ts'
import type { Handler, Job, Queue, Worker, WorkOptions } from './index.ts'

/** What the suite needs of a technology. */
export interface QueueTechnology {
  /** Another connection to the queue of this name, as another process would have it. */
  open(options: QueueOptions): Promise<Queue>
}

const silent = { warn() {}, error() {} }
const quick = { lockMs: 2000, stalledCheckMs: 500, backoffMs: 50 }
const patient = { ...quick, lockMs: 30_000 }
const soon = { timeout: 15_000, interval: 10 }

/** What every queue promises. */
export function queueContract(technology: () => Promise<QueueTechnology>): void {
  let there: QueueTechnology
  const opened: Queue[] = []
  const workers: Worker[] = []

  beforeAll(async () => {
    there = await technology()
  })
  afterAll(async () => {
    for (const worker of workers) await worker.close({ drainMs: 0 })
    for (const queue of opened) await queue.close()
  })

  async function open(name = `test-${newId()}`, timing = quick): Promise<Queue> {
    const queue = await there.open({ name, log: silent, timing })
    opened.push(queue)
    return queue
  }
  async function work(queue: Queue, handler: Handler, options: Partial<WorkOptions> = {}): Promise<Worker> {
    const worker = await queue.work(handler, { concurrency: 5, ...options })
    workers.push(worker)
    return worker
  }
  const ended = (queue: Queue, id: string) =>
    vi.waitFor(async () => {
      const state = await queue.state(id)
      expect(['completed', 'failed']).toContain(state?.status)
      return state
    }, soon)

  describe('a job', () => {
    test('is done once, however often it is added', async () => {
      const queue = await open()
      const id = newId()
      const done: string[] = []
      await Promise.all(Array.from({ length: 5 }, () => queue.add({ id, group: 'a' })))
      await work(queue, async job => {
        done.push(`${job.id} ${job.group} ${job.attempt}/${job.maxAttempts}`)
        return undefined
      })
      expect(await ended(queue, id)).toEqual({
        status: 'completed',
        attempts: 1,
        maxAttempts: 3,
        progress: 100,
        reason: null,
      })
      await queue.add({ id, group: 'a' })
      const marker = newId()
      await queue.add({ id: marker, group: 'a' })
      await ended(queue, marker)
      expect(done).toEqual([`${id} a 1/3`, `${marker} a 1/3`])
    })

    test('that hits a bug or a retryable error is tried three times, then its failure is told once', async () => {
      // Long enough to be seen waiting.
      const queue = await open(undefined, { ...quick, backoffMs: 500 })
      const id = newId()
      const tries: number[] = []
      const failures: [string, string][] = []
      await queue.add({ id, group: 'a' })
      await work(
        queue,
        async job => {
          tries.push(job.attempt)
          if (job.attempt === 1) throw new TypeError('secret internals')
          throw new AppError('upstream', 'PROVIDER_DOWN', 'The provider is down')
        },
        {
          onFailed: async (job, error) => {
            failures.push([job.id, error.code])
          },
        },
      )
      await vi.waitFor(async () => expect((await queue.state(id))?.status).toBe('delayed'), soon)
      expect(failures).toEqual([])
      expect(await ended(queue, id)).toMatchObject({
        status: 'failed',
        attempts: 3,
        reason: 'PROVIDER_DOWN: The provider is down',
      })
      expect(tries).toEqual([1, 2, 3])
      expect(failures).toEqual([[id, 'PROVIDER_DOWN']])
    })

    test('that cannot succeed fails at once', async () => {
      const queue = await open()
      const id = newId()
      let tries = 0
      const failures: string[] = []
      await queue.add({ id, group: 'a' })
      await work(
        queue,
        async () => {
          tries++
          throw new AppError('payment', 'NO_CREDITS', 'Not enough credits')
        },
        {
          onFailed: async (_, error) => {
            failures.push(error.code)
          },
        },
      )
      expect(await ended(queue, id)).toMatchObject({ status: 'failed', attempts: 1 })
      expect([tries, ...failures]).toEqual([1, 'NO_CREDITS'])
    })

    test('may be put off any number of times without that being an attempt, and says why', async () => {
      const queue = await open()
      const id = newId()
      const attempts: number[] = []
      let isOpen = false
      await queue.add({ id, group: 'a' })
      await work(queue, async job => {
        attempts.push(job.attempt)
        return isOpen ? undefined : { againInMs: 40, reason: 'provider limit' }
      })
      await vi.waitFor(() => expect(attempts.length).toBeGreaterThan(4), soon)
      await vi.waitFor(
        async () =>
          expect(await queue.state(id)).toMatchObject({ status: 'delayed', reason: 'provider limit' }),
        soon,
      )
      isOpen = true
      expect(await ended(queue, id)).toMatchObject({ status: 'completed', attempts: 1 })
      expect(new Set(attempts)).toEqual(new Set([1]))
    })

    test('tells how far it is', async () => {
      const queue = await open()
      const id = newId()
      const half = Promise.withResolvers<void>()
      await queue.add({ id, group: 'a' })
      await work(queue, async job => {
        await job.report(50)
        await half.promise
        return undefined
      })
      await vi.waitFor(
        async () => expect(await queue.state(id)).toMatchObject({ status: 'active', progress: 50 }),
        soon,
      )
      expect(await queue.counts()).toMatchObject({ active: 1, waiting: 0 })
      expect(await queue.remove(id)).toBe(false)
      half.resolve()
      await ended(queue, id)
      expect(await queue.counts()).toMatchObject({ active: 0, completed: 1 })
    })

    test('that waits can be removed, and is unknown then', async () => {
      const queue = await open()
      const id = newId()
      await queue.add({ id, group: 'a' })
      expect(await queue.counts()).toEqual({ waiting: 1, active: 0, delayed: 0, completed: 0, failed: 0 })
      expect(await queue.remove(id)).toBe(true)
      expect(await queue.state(id)).toBeNull()
      expect(await queue.state(newId())).toBeNull()
    })
  })

  describe('workers', () => {
    test('do at most so many at once, and each job is with one of them only', async () => {
      const name = `test-${newId()}`
      // A busy machine may pause a worker for seconds; here that must not count as its death.
      const queues = [await open(name, patient), await open(name, patient)]
      const seen = new Map<string, number>()
      let running = [0, 0]
      let most = [0, 0]
      for (const [index, queue] of queues.entries()) {
        await work(
          queue,
          async job => {
            running = running.with(index, (running[index] ?? 0) + 1)
            most = most.with(index, Math.max(most[index] ?? 0, running[index] ?? 0))
            seen.set(job.id, (seen.get(job.id) ?? 0) + 1)
            await sleep(50)
            running = running.with(index, (running[index] ?? 0) - 1)
            return undefined
          },
          { concurrency: 3 },
        )
      }
      const ids = Array.from({ length: 60 }, newId)
      await Promise.all(ids.map((id, index) => queues[index % 2]?.add({ id, group: `group ${index % 7}` })))
      await vi.waitFor(async () => expect((await queues[0]?.counts())?.completed).toBe(60), soon)
      expect([...seen.values()].every(count => count === 1)).toBe(true)
      expect(seen.size).toBe(60)
      expect(most).toEqual([3, 3])
    })

    test('leave room for another group, whatever the first one queued', async () => {
      const queue = await open()
      const release = Promise.withResolvers<void>()
      const begun: string[] = []
      await work(queue, async job => {
        begun.push(job.group)
        if (job.group === 'greedy') await release.promise
        return undefined
      })
      for (let index = 0; index < 20; index++) await queue.add({ id: newId(), group: 'greedy' })
      await vi.waitFor(() => expect(begun.length).toBe(4), soon)
      const other = newId()
      await queue.add({ id: other, group: 'modest' })
      expect(await ended(queue, other)).toMatchObject({ status: 'completed' })
      expect(begun).toEqual(['greedy', 'greedy', 'greedy', 'greedy', 'modest'])
      release.resolve()
      await vi.waitFor(async () => expect((await queue.counts()).completed).toBe(21), soon)
    })

    test('take groups in turns: a late small one does not wait for a long row of another', async () => {
      const queue = await open()
      for (let index = 0; index < 40; index++) await queue.add({ id: newId(), group: 'greedy' })
      for (let index = 0; index < 3; index++) await queue.add({ id: newId(), group: 'modest' })
      const order: string[] = []
      await work(
        queue,
        async job => {
          order.push(job.group)
          return undefined
        },
        { concurrency: 1 },
      )
      await vi.waitFor(() => expect(order.length).toBe(43), soon)
      expect(order.lastIndexOf('modest')).toBeLessThan(8)
    })

    test('are closed: running jobs end within the time, the others go back without having been tried', async () => {
      const queue = await open()
      const quickJob = newId()
      const slowJob = newId()
      const reasons: unknown[] = []
      let begun = 0
      const handler: Handler = async (job: Job) => {
        begun++
        if (job.id === quickJob) await sleep(200)
        else
          await sleep(60_000, undefined, { signal: job.signal }).catch(() => reasons.push(job.signal.reason))
        job.signal.throwIfAborted()
        return undefined
      }
      const worker = await work(queue, handler)
      await queue.add({ id: quickJob, group: 'a' })
      await queue.add({ id: slowJob, group: 'b' })
      await vi.waitFor(() => expect(begun).toBe(2), soon)
      const startedAt = performance.now()
      await worker.close({ drainMs: 500 })
      expect(performance.now() - startedAt).toBeLessThan(4000)
      expect(reasons).toMatchObject([{ code: 'SHUTTING_DOWN' }])
      expect(await queue.state(quickJob)).toMatchObject({ status: 'completed' })
      expect(await queue.state(slowJob)).toMatchObject({ attempts: 0 })
      const attempts: number[] = []
      await work(queue, async job => {
        attempts.push(job.attempt)
        return undefined
      })
      expect(await ended(queue, slowJob)).toMatchObject({ status: 'completed' })
      expect(attempts).toEqual([1])
    })
  })
}

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, inject, test, vi } from 'vitest'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { newId } from '../../lib/ids.ts'
import { createRedis } from '../redis/index.ts'
import { queueContract } from './contract.ts'
import { createRedisQueue } from './redis.ts'

describe.skipIf(!inject('machine').redis)('the queue in Redis', () => {
  let redis: TestRedis
  afterAll(() => redis.close())

  queueContract(async () => {
    redis = await startRedis()
    return { open: options => createRedisQueue({ url: redis.url, ...options }) }
  })

  test('a wiped Redis: running jobs are told that they are lost, and what is added again is done', async () => {
    const log = { warn() {}, error() {} }
    const timing = { lockMs: 1000, stalledCheckMs: 300 }
    const queue = await createRedisQueue({ url: redis.url, name: 'wiped', log, timing })
    const admin = createRedis({ url: redis.url, name: 'admin', temper: 'prompt' })
    const [lost, next] = [newId(), newId()]
    const begun: string[] = []
    const reasons: unknown[] = []
    const worker = await queue.work(
      async job => {
        begun.push(job.id)
        if (begun.length > 1) return undefined
        await sleep(60_000, undefined, { signal: job.signal }).catch(() => reasons.push(job.signal.reason))
        return undefined
      },
      { concurrency: 2 },
    )
    await queue.add({ id: lost, group: 'a' })
    await vi.waitFor(() => expect(begun).toEqual([lost]), { timeout: 5000 })
    await admin.flushall()
    await vi.waitFor(() => expect(reasons).toMatchObject([{ code: 'JOB_LOST' }]), { timeout: 10_000 })
    expect(await queue.state(lost)).toBeNull()
    await queue.add({ id: next, group: 'a' })
    await queue.add({ id: lost, group: 'a' })
    await vi.waitFor(async () => expect((await queue.counts()).completed).toBe(2), { timeout: 10_000 })
    expect(begun.slice(1).sort()).toEqual([lost, next].sort())
    await worker.close({ drainMs: 0 })
    await queue.close()
    admin.disconnect()
  })

  test('without Redis adding fails soon as unavailable, and closing does not wait', async () => {
    const log = { warn() {}, error() {} }
    const queue = await createRedisQueue({ url: 'redis://127.0.0.1:1', name: 'absent', log })
    const worker = await queue.work(async () => undefined, { concurrency: 2 })
    const startedAt = performance.now()
    await expect(queue.add({ id: newId(), group: 'a' })).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' })
    expect(performance.now() - startedAt).toBeLessThan(3000)
    await expect(queue.counts()).rejects.toMatchObject({ kind: 'unavailable' })
    await worker.close({ drainMs: 5000 })
    await queue.close()
    expect(performance.now() - startedAt).toBeLessThan(12_000)
  })
})

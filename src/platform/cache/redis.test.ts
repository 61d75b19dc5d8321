import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { findMachine } from '../../../test/support/machine.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { cacheContract } from './contract.ts'
import type { Cache } from './index.ts'
import { createRedisCache } from './redis.ts'

describe.skipIf(findMachine().redis === null)('the cache in Redis', () => {
  let redis: TestRedis
  let opened = 0
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.close())

  async function open(prefix = `test${opened++}:`): Promise<Cache> {
    const cache = createRedisCache({ url: redis.url, prefix, report: () => {} })
    await usable(cache)
    return cache
  }

  async function usable(cache: Cache): Promise<void> {
    await vi.waitFor(
      async () => {
        await cache.set('is there', 'yes', { ttlMs: 60_000 })
        expect(await cache.get('is there')).toBe('yes')
      },
      { timeout: 10_000, interval: 20 },
    )
  }

  cacheContract(() => open())

  test('is shared by processes: values, messages and limits', async () => {
    const [one, two] = [await open('shared:'), await open('shared:')]
    await one.set('key', 'value', { ttlMs: 60_000 })
    expect(await two.get('key')).toBe('value')
    const heard: string[] = []
    await two.subscribe('news', message => heard.push(message))
    await vi.waitFor(
      async () => {
        await one.publish('news', 'hello')
        expect(heard).toContain('hello')
      },
      { timeout: 10_000 },
    )
    const limit = { name: 'both', points: 1, windowMs: 60_000 }
    expect((await one.limiter(limit).consume('key')).isAllowed).toBe(true)
    expect((await two.limiter(limit).consume('key')).isAllowed).toBe(false)
    await Promise.all([one.close(), two.close()])
  })

  test('goes on without Redis, quickly, and heals by itself', async () => {
    const reported: unknown[] = []
    const cache = createRedisCache({
      url: redis.url,
      prefix: 'healing:',
      report: error => reported.push(error),
    })
    const heard: string[] = []
    await cache.subscribe('news', message => heard.push(message))
    await usable(cache)
    await redis.stop()
    const limiter = cache.limiter({ name: 'insured', points: 2, windowMs: 60_000 })
    await vi.waitFor(async () => expect(await cache.get('is there')).toBeNull(), { timeout: 5000 })
    const startedAt = performance.now()
    await cache.set('key', 'value', { ttlMs: 60_000 })
    await cache.publish('news', 'nobody hears')
    const states = await Promise.all([1, 2, 3].map(() => limiter.consume('key')))
    expect(states.map(state => state.isAllowed)).toEqual([true, true, false])
    expect(performance.now() - startedAt).toBeLessThan(1500)
    await redis.start()
    await usable(cache)
    await vi.waitFor(
      async () => {
        await cache.publish('news', 'back')
        expect(heard).toContain('back')
      },
      { timeout: 10_000, interval: 50 },
    )
    expect(reported.length).toBeGreaterThan(0)
    expect(reported.length).toBeLessThan(5)
    await cache.close()
  })
})

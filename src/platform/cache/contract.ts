import { describe, expect, test, vi } from 'vitest'
import type { Cache } from './index.ts'

/** What every cache promises. `open` gives a cache; two of them opened together share one store if the adapter has one. */
export function cacheContract(open: () => Promise<Cache>): void {
  describe('values', () => {
    test('are given back until they are deleted or over', async () => {
      const cache = await open()
      await cache.set('a', 'one', { ttlMs: 60_000 })
      await cache.set('b', 'two', { ttlMs: 40 })
      expect(await cache.get('a')).toBe('one')
      await cache.set('a', 'three', { ttlMs: 60_000 })
      expect(await cache.get('a')).toBe('three')
      await expect.poll(() => cache.get('b')).toBeNull()
      await cache.delete('a')
      expect(await cache.get('a')).toBeNull()
      expect(await cache.get('never set')).toBeNull()
      await cache.close()
    })
  })

  describe('messages', () => {
    test('reach every subscriber of the channel, and nobody else, until it stops', async () => {
      const cache = await open()
      const heard: string[] = []
      const stop = await cache.subscribe('news', message => heard.push(`1 ${message}`))
      await cache.subscribe('news', message => heard.push(`2 ${message}`))
      await cache.subscribe('other', message => heard.push(`3 ${message}`))
      await vi.waitFor(
        async () => {
          await cache.publish('news', 'hello')
          expect(heard).toContain('1 hello')
        },
        { timeout: 10_000 },
      )
      await expect.poll(() => heard).toContain('2 hello')
      expect(heard.filter(text => text.startsWith('3'))).toEqual([])
      await stop()
      await cache.publish('news', 'again')
      // A greeting that was repeated above may still be on its way.
      const heardAgain = () => heard.filter(text => text.endsWith('again'))
      await expect.poll(() => heardAgain()).not.toEqual([])
      expect(heardAgain()).toEqual(['2 again'])
      await cache.close()
    })
  })

  describe('limits', () => {
    test('count to the point under parallel use, and say when to come back', async () => {
      const cache = await open()
      const limiter = cache.limiter({ name: 'contract-parallel', points: 10, windowMs: 60_000 })
      const states = await Promise.all(Array.from({ length: 25 }, () => limiter.consume('somebody')))
      expect(states.filter(state => state.isAllowed)).toHaveLength(10)
      const refused = states.find(state => !state.isAllowed)
      expect(refused).toMatchObject({ limit: 10, remaining: 0 })
      expect(refused?.resetMs).toBeGreaterThan(50_000)
      expect(refused?.resetMs).toBeLessThanOrEqual(60_000)
      expect((await limiter.consume('somebody else')).isAllowed).toBe(true)
      await cache.close()
    })

    test('can be given back and reset, and are kept apart by name', async () => {
      const cache = await open()
      const limiter = cache.limiter({ name: 'contract-back', points: 2, windowMs: 60_000 })
      const other = cache.limiter({ name: 'contract-other', points: 2, windowMs: 60_000 })
      await limiter.consume('key')
      await limiter.consume('key')
      await limiter.giveBack('key')
      expect((await limiter.consume('key')).isAllowed).toBe(true)
      expect((await limiter.consume('key')).isAllowed).toBe(false)
      expect((await other.consume('key')).remaining).toBe(1)
      await limiter.reset('key')
      expect((await limiter.consume('key')).remaining).toBe(1)
      await cache.close()
    })

    test('can be looked at without counting', async () => {
      const cache = await open()
      const limiter = cache.limiter({ name: 'contract-peek', points: 2, windowMs: 60_000 })
      expect(await limiter.peek('key')).toMatchObject({ isAllowed: true, limit: 2, remaining: 2 })
      await limiter.consume('key')
      for (let i = 0; i < 3; i++)
        expect(await limiter.peek('key')).toMatchObject({ isAllowed: true, remaining: 1 })
      await limiter.consume('key')
      expect(await limiter.peek('key')).toMatchObject({ isAllowed: false, remaining: 0 })
      await cache.close()
    })

    test('begin anew when the window is over', async () => {
      const cache = await open()
      const limiter = cache.limiter({ name: 'contract-window', points: 1, windowMs: 1000 })
      expect((await limiter.consume('key')).isAllowed).toBe(true)
      expect((await limiter.consume('key')).isAllowed).toBe(false)
      await vi.waitFor(async () => expect((await limiter.consume('key')).isAllowed).toBe(true), {
        timeout: 5000,
        interval: 100,
      })
      await cache.close()
    })
  })
}

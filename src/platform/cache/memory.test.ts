import { describe, expect, test } from 'vitest'
import { cacheContract } from './contract.ts'
import { createMemoryCache } from './memory.ts'

describe('the cache in memory', () => {
  cacheContract(async () => createMemoryCache())

  test('holds a bounded number of values and drops the oldest', async () => {
    const cache = createMemoryCache()
    for (let i = 0; i <= 50_000; i++) await cache.set(`key ${i}`, 'value', { ttlMs: 60_000 })
    expect(await cache.get('key 0')).toBeNull()
    expect(await cache.get('key 1')).toBe('value')
    expect(await cache.get('key 50000')).toBe('value')
  })
})

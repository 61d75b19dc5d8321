import { EventEmitter } from 'node:events'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import type { Cache } from './index.ts'
import { limiterOver } from './limiter.ts'

const maxEntries = 50_000

/** A cache for a single process. The oldest values go first when there are more than 50,000. */
export function createMemoryCache(options: { now?: () => number } = {}): Cache {
  const now = options.now ?? Date.now
  const entries = new Map<string, { value: string; expiresAt: number }>()
  const channels = new EventEmitter().setMaxListeners(0)
  const limiters = new Map<string, RateLimiterMemory>()

  return {
    async get(key) {
      const entry = entries.get(key)
      if (!entry) return null
      if (entry.expiresAt > now()) return entry.value
      entries.delete(key)
      return null
    },
    async set(key, value, { ttlMs }) {
      entries.delete(key)
      entries.set(key, { value, expiresAt: now() + ttlMs })
      if (entries.size > maxEntries) {
        const oldest = entries.keys().next()
        if (!oldest.done) entries.delete(oldest.value)
      }
    },
    async delete(key) {
      entries.delete(key)
    },
    async take(key) {
      const entry = entries.get(key)
      entries.delete(key)
      return entry && entry.expiresAt > now() ? entry.value : null
    },
    async publish(channel, message) {
      channels.emit(`channel:${channel}`, message)
    },
    async subscribe(channel, listener) {
      channels.on(`channel:${channel}`, listener)
      return async () => {
        channels.off(`channel:${channel}`, listener)
      }
    },
    limiter(limit) {
      const inner =
        limiters.get(limit.name) ??
        new RateLimiterMemory({
          keyPrefix: limit.name,
          points: limit.points,
          duration: limit.windowMs / 1000,
        })
      limiters.set(limit.name, inner)
      return limiterOver(inner, limit)
    },
    async close() {
      entries.clear()
      channels.removeAllListeners()
    },
  }
}

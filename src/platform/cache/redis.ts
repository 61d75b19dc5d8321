import { EventEmitter } from 'node:events'
import { Redis } from 'ioredis'
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible'
import { keepSubscribing } from '../redis/index.ts'
import type { Cache, LimiterOptions } from './index.ts'
import { limiterOver } from './limiter.ts'

export interface RedisCacheOptions {
  url: string
  /** Begins every key and channel, so that several products can share one Redis. */
  prefix?: string
  /** Told once when Redis goes away, and again only after it was back. */
  report: (error: unknown) => void
}

const commandTimeoutMs = 500

/** A cache that every process shares. While Redis is away nothing waits for it: see the port for what then happens. */
export function createRedisCache(options: RedisCacheOptions): Cache {
  const prefix = options.prefix ?? 'atelier:'
  const commands = connect(options, { enableOfflineQueue: false, maxRetriesPerRequest: 0 })
  const listening = connect(options, { enableOfflineQueue: true, maxRetriesPerRequest: null })
  const channels = new EventEmitter().setMaxListeners(0)
  const limiters = new Map<string, RateLimiterRedis>()
  listening.on('message', (channel: string, message: string) => channels.emit(`channel:${channel}`, message))

  return {
    get: key => quietly(commands.get(`${prefix}value:${key}`), null),
    async set(key, value, { ttlMs }) {
      await quietly(commands.set(`${prefix}value:${key}`, value, 'PX', Math.max(1, Math.ceil(ttlMs))), null)
    },
    async delete(key) {
      await quietly(commands.del(`${prefix}value:${key}`), 0)
    },
    take: key => quietly(commands.getdel(`${prefix}value:${key}`), null),
    async publish(channel, message) {
      await quietly(commands.publish(`${prefix}channel:${channel}`, message), 0)
    },
    async subscribe(channel, listener) {
      const name = `${prefix}channel:${channel}`
      channels.on(`channel:${name}`, listener)
      // Not waited for: it is sent when Redis is there, and again after each reconnect.
      const subscribed = quietly(listening.subscribe(name), null)
      if (listening.status === 'ready') await subscribed
      return async () => {
        channels.off(`channel:${name}`, listener)
      }
    },
    limiter(limit) {
      const inner = limiters.get(limit.name) ?? createLimiter(commands, prefix, limit)
      limiters.set(limit.name, inner)
      return limiterOver(inner, limit)
    },
    async close() {
      channels.removeAllListeners()
      for (const redis of [commands, listening]) {
        redis.removeAllListeners('close')
        redis.disconnect()
      }
    },
  }
}

function connect(
  options: RedisCacheOptions,
  behaviour: { enableOfflineQueue: boolean; maxRetriesPerRequest: number | null },
): Redis {
  const redis = new Redis(options.url, {
    ...behaviour,
    connectTimeout: 5000,
    ...(behaviour.enableOfflineQueue ? {} : { commandTimeout: commandTimeoutMs }),
    retryStrategy: attempt => Math.min(attempt * 100, 2000),
  })
  keepSubscribing(redis)
  let isReported = false
  const away = (error: unknown) => {
    if (!isReported) options.report(error)
    isReported = true
  }
  redis.on('error', away)
  redis.on('close', () => away(new Error('the connection to Redis broke')))
  redis.on('ready', () => {
    isReported = false
  })
  return redis
}

function createLimiter(client: Redis, prefix: string, limit: LimiterOptions): RateLimiterRedis {
  const settings = { points: limit.points, duration: Math.ceil(limit.windowMs / 1000) }
  return new RateLimiterRedis({
    ...settings,
    storeClient: client,
    keyPrefix: `${prefix}limit:${limit.name}`,
    rejectIfRedisNotReady: true,
    insuranceLimiter: new RateLimiterMemory({ ...settings, keyPrefix: limit.name }),
  })
}

/** What a command gives, or the fallback while Redis is away. */
async function quietly<Result>(command: Promise<Result>, fallback: Result): Promise<Result> {
  try {
    return await command
  } catch {
    return fallback
  }
}

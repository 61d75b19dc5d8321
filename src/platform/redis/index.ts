import { Redis } from 'ioredis'
import { AppError } from '../../lib/errors.ts'

export type { Redis } from 'ioredis'

export interface RedisOptions {
  url: string
  /** Shown in Redis' own client list. */
  name: string
  /**
   * `prompt`: a command fails within about a second when Redis is not there, for what somebody waits for.
   * `patient`: a command waits until Redis is back, however long, for workers and subscriptions.
   */
  temper: 'prompt' | 'patient'
  /** Told once when Redis goes away, and again only after it was back. */
  report?: ((error: unknown) => void) | undefined
}

const longestRetryMs = 1000
const commandTimeoutMs = 2000

/** A connection that comes back by itself, about a second after Redis does, and never throws by itself. */
export function createRedis({ url, name, temper, report }: RedisOptions): Redis {
  const redis = new Redis(url, {
    connectionName: name,
    connectTimeout: 5000,
    retryStrategy: attempt => Math.min(50 * attempt, longestRetryMs),
    // A replica that was promoted, or demoted, under us: another connection finds the right one.
    reconnectOnError: error => (error.message.startsWith('READONLY') ? 2 : false),
    ...(temper === 'prompt'
      ? { maxRetriesPerRequest: 2, commandTimeout: commandTimeoutMs }
      : { maxRetriesPerRequest: null }),
  })
  keepSubscribing(redis)
  let isReported = false
  redis.on('error', error => {
    if (!isReported) report?.(error)
    isReported = true
  })
  redis.on('ready', () => {
    isReported = false
  })
  return redis
}

/**
 * After each reconnect the client subscribes again by itself and looks at no answer: a connection that is closed in that moment
 * would be an unhandled rejection, which ends the process. Whoever subscribes still gets his own.
 */
export function keepSubscribing(redis: Redis): void {
  const subscribe = redis.subscribe.bind(redis) as (...channels: unknown[]) => Promise<unknown>
  const heeded = (...channels: unknown[]) => {
    const subscribed = subscribe(...channels)
    subscribed.catch(() => {})
    return subscribed
  }
  redis.subscribe = heeded as Redis['subscribe']
}

const lossMessages =
  /Connection is closed|max retries per request|Command timed out|Stream isn't writeable|connect|ECONN|LOADING|READONLY|MASTERDOWN|OOM|MISCONF/i

/** Trouble with Redis as AppError unavailable REDIS_UNAVAILABLE, to be tried again in a second; all else as it is. */
export function redisFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof AppError || !lossMessages.test(error.message))
    return error
  return new AppError('unavailable', 'REDIS_UNAVAILABLE', 'The queue is not available. Please try again.', {
    retryAfterSeconds: 1,
    cause: error,
  })
}

/** What a limiter says about one key after it was counted. */
export interface LimitState {
  isAllowed: boolean
  limit: number
  remaining: number
  /** Until the window of this key ends. */
  resetMs: number
}

export interface LimiterOptions {
  /** Keys of different names never meet. */
  name: string
  points: number
  windowMs: number
}

/** Counts points per key within a window that starts with the key's first point; right under parallel use. */
export interface Limiter {
  /** Counts first, then says whether the key is still within its points. */
  consume(key: string, points?: number): Promise<LimitState>
  /** How the key stands, without counting; `isAllowed` says whether a point would be. */
  peek(key: string): Promise<LimitState>
  /** Takes back points that should not have counted. */
  giveBack(key: string, points?: number): Promise<void>
  /** Forgets the key. */
  reset(key: string): Promise<void>
}

/**
 * Short-lived shared memory: values that may vanish at any time, counters, and messages to every process. Nothing that
 * must survive is kept here. Without a reachable store, reads miss, counters fall back to this process, messages are lost.
 */
export interface Cache {
  get(key: string): Promise<string | null>
  set(key: string, value: string, options: { ttlMs: number }): Promise<void>
  delete(key: string): Promise<void>
  /** Reads and deletes in one step: of many who take the same value, one gets it. */
  take(key: string): Promise<string | null>
  /** Tells every process that subscribed to the channel, this one included. */
  publish(channel: string, message: string): Promise<void>
  /** Hears every message from now on, until the returned function is called. */
  subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>>
  limiter(options: LimiterOptions): Limiter
  close(): Promise<void>
}

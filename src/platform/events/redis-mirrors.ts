import { setTimeout as sleep } from 'node:timers/promises'
import { joined, type LogEvent, restOf } from './index.ts'
import { Openings } from './openings.ts'
import { type FollowRequest, Mirror } from './redis-mirror.ts'
import {
  channelOf,
  decode,
  type Entries,
  gather,
  idOfChannel,
  type Parcel,
  type RedisEventParts,
  streamKey,
} from './redis-wire.ts'

const patienceMs = 1500

/**
 * Logs that other processes write and somebody here follows: one copy of each for all its followers here, fed by one
 * connection for all of them. It hears first and reads then, so that nothing falls between.
 */
export class Mirrors {
  readonly #parts: RedisEventParts
  readonly #mirrors = new Map<string, Mirror>()
  readonly #openings = new Openings()
  readonly #beat: NodeJS.Timeout
  /** Whether Redis was lost: then nobody waits for it. */
  #isAway = false

  constructor(parts: RedisEventParts) {
    this.#parts = parts
    parts.listening.on('close', () => {
      this.#isAway = true
    })
    parts.listening.on('message', (channel: string, message: string) => {
      const id = idOfChannel(parts.prefix, channel)
      this.#openings.tell(id)
      const mirror = this.#mirrors.get(id)
      if (mirror && !mirror.hear(decode(message))) void this.#catchUp(mirror)
    })
    // What was said while the connection was lost was not heard.
    parts.listening.on('ready', () => {
      this.#isAway = false
      for (const mirror of this.#mirrors.values()) void this.#hearAndCatchUp(mirror)
    })
    this.#beat = setInterval(() => void this.#lookForLife(), parts.timing.beatMs)
    this.#beat.unref()
  }

  /** What there is of a log after a position; null when Redis does not know it, or is away. */
  async read(id: string, after: number): Promise<{ events: readonly LogEvent[]; isEnded: boolean } | null> {
    const mirror = this.#mirrors.get(id)
    if (mirror?.isComplete) return mirror.read(after)
    if (this.#isAway) return null
    const found = await this.#fetch(id, after).catch(() => null)
    if (found === null) return null
    if (found.parcel === null) return { events: [], isEnded: false }
    const events = found.parcel.events.filter(event => event.seq > after)
    if (events[0]) events[0] = restOf(events[0], after)
    return { events: joined(events), isEnded: found.parcel.isEnd }
  }

  async follow(id: string, request: FollowRequest): Promise<AsyncIterable<readonly LogEvent[]> | null> {
    let mirror = this.#mirrors.get(id)
    if (!mirror) {
      if (this.#isAway) return null
      mirror = new Mirror(id)
      this.#mirrors.set(id, mirror)
      mirror.begun = this.#begin(mirror)
    }
    mirror.followers++
    if (await mirror.begun) return this.#iterate(mirror, request)
    this.#release(mirror)
    return null
  }

  /** Resolves when a log is being written, after a time, or when the signal aborts. */
  async opened(id: string, request: { withinMs: number; signal: AbortSignal }): Promise<void> {
    const opened = this.#openings.wait(id, request)
    void this.#listenFor(id)
    await opened
    this.#unhear(id)
  }

  /** Hears first and looks then: a log that was opened meanwhile would not be opened again. */
  async #listenFor(id: string): Promise<void> {
    try {
      await this.#parts.listening.subscribe(channelOf(this.#parts.prefix, id))
      const last = await this.#parts.commands.xrevrange(
        streamKey(this.#parts.prefix, id),
        '+',
        '-',
        'COUNT',
        1,
      )
      const parcel = gather(last)
      if (parcel && !parcel.isEnd) this.#openings.tell(id)
    } catch {
      // Redis is away: the wait ends with its time.
    }
  }

  close(): void {
    clearInterval(this.#beat)
    for (const mirror of this.#mirrors.values()) mirror.stop()
    this.#mirrors.clear()
  }

  async #begin(mirror: Mirror): Promise<boolean> {
    await Promise.race([this.#hearAndCatchUp(mirror), sleep(patienceMs, undefined, { ref: false })])
    if (!mirror.isComplete) this.#drop(mirror)
    return mirror.isComplete
  }

  async *#iterate(mirror: Mirror, request: FollowRequest): AsyncGenerator<readonly LogEvent[]> {
    try {
      yield* await mirror.follow(request)
    } finally {
      this.#release(mirror)
    }
  }

  #release(mirror: Mirror): void {
    mirror.followers--
    if (mirror.followers === 0) this.#drop(mirror)
  }

  /** Ends a mirror for those who follow it still; they get what it has. */
  #drop(mirror: Mirror): void {
    mirror.stop()
    if (this.#mirrors.get(mirror.id) !== mirror) return
    this.#mirrors.delete(mirror.id)
    this.#unhear(mirror.id)
  }

  #unhear(id: string): void {
    if (this.#mirrors.has(id) || this.#openings.has(id)) return
    this.#parts.listening.unsubscribe(channelOf(this.#parts.prefix, id)).catch(() => {})
  }

  async #hearAndCatchUp(mirror: Mirror): Promise<void> {
    try {
      await this.#parts.listening.subscribe(channelOf(this.#parts.prefix, mirror.id))
    } catch {
      return
    }
    await this.#catchUp(mirror)
  }

  /** Reads from the stream until nothing was missed meanwhile; who comes while that happens waits for the same. */
  async #catchUp(mirror: Mirror): Promise<void> {
    mirror.isBehind = true
    if (mirror.hasEnded) return this.#drop(mirror)
    mirror.fetching ??= this.#fetchAll(mirror)
    await mirror.fetching
  }

  async #fetchAll(mirror: Mirror): Promise<void> {
    try {
      while (mirror.isBehind && !mirror.hasEnded) {
        mirror.isBehind = false
        const found = await this.#fetch(mirror.id, mirror.seq)
        if (found) mirror.catchUp(found.parcel)
      }
    } catch {
      // Redis is away: the next beat, message or reconnect asks again.
    } finally {
      mirror.fetching = null
    }
    if (mirror.hasEnded) this.#drop(mirror)
  }

  /** The log's entries after a position as one parcel; null when Redis has no such log. */
  async #fetch(id: string, after: number): Promise<{ parcel: Parcel | null } | null> {
    const key = streamKey(this.#parts.prefix, id)
    const pipeline = this.#parts.commands.pipeline().xrange(key, `(${after}-0`, '+').exists(key)
    const [range, exists] = (await pipeline.exec()) ?? []
    const error = range?.[0] ?? exists?.[0]
    if (error) throw error
    return exists?.[1] === 1 ? { parcel: gather(range?.[1] as Entries) } : null
  }

  /** Ends mirrors whose log is gone, which is what the death of its writer looks like, or that cannot be asked for. */
  async #lookForLife(): Promise<void> {
    const mirrors = [...this.#mirrors.values()]
    if (mirrors.length === 0) return
    const pipeline = this.#parts.commands.pipeline()
    for (const mirror of mirrors) pipeline.exists(streamKey(this.#parts.prefix, mirror.id))
    const answers = await pipeline.exec().catch(() => null)
    const { beatMs, deadAfterMs } = this.#parts.timing
    for (const [index, mirror] of mirrors.entries()) {
      const isThere = answers?.[index]?.[1] === 1
      mirror.missedBeats = isThere ? 0 : mirror.missedBeats + 1
      if (mirror.missedBeats * beatMs > deadAfterMs / 2) this.#drop(mirror)
      else if (isThere) void this.#catchUp(mirror)
    }
  }
}

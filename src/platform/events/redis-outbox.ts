import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogEvent } from './index.ts'
import {
  channelOf,
  type Entries,
  encode,
  gather,
  positionOf,
  type RedisEventParts,
  streamKey,
} from './redis-wire.ts'

type ReadLog = (
  id: string,
  after: number,
) => Promise<{ events: readonly LogEvent[]; isEnded: boolean } | null>

/** A log on its way: how much of it Redis is known to have. */
interface Outgoing {
  id: string
  writing: string
  sent: number
  /** Whether `sent` must be asked for: something went wrong since. */
  isUnsure: boolean
}

interface Shipment {
  log: Outgoing
  seq: number
  isEnd: boolean
  /** Where the answers to its XADDs are among those of the pipeline. */
  answers: number[]
}

const longestPauseMs = 25
const retryMs = 500

/**
 * Copies the logs of this process to Redis: all that is new in one pipeline, one pipeline at a time. It keeps nothing
 * itself, since the whole log is in memory: what could not be sent is read there again when Redis is back.
 */
export class Outbox {
  readonly #parts: RedisEventParts
  readonly #read: ReadLog
  readonly #open = new Map<string, Outgoing>()
  readonly #changed = new Set<Outgoing>()
  readonly #beat: NodeJS.Timeout
  #isClosed = false
  #shipping: Promise<void> | null = null

  constructor(parts: RedisEventParts, read: ReadLog) {
    this.#parts = parts
    this.#read = read
    parts.commands.on('ready', () => this.#doubt())
    this.#beat = setInterval(() => void this.#sayAlive(), parts.timing.beatMs)
    this.#beat.unref()
  }

  open(id: string): void {
    this.#open.set(id, { id, writing: randomBytes(6).toString('base64url'), sent: 0, isUnsure: false })
  }

  /** There is something new in a log. */
  touch(id: string): void {
    const log = this.#open.get(id)
    if (!log || this.#isClosed) return
    this.#changed.add(log)
    this.#shipping ??= this.#ship()
  }

  /** Sends what is left, for at most a second. */
  async close(): Promise<void> {
    clearInterval(this.#beat)
    this.#isClosed = true
    await Promise.race([this.#shipping ?? this.#ship(), sleep(1000, undefined, { ref: false })])
  }

  async #ship(): Promise<void> {
    // What comes in the same step travels together.
    await new Promise(resolve => setImmediate(resolve))
    while (this.#changed.size > 0) {
      const isSent = await this.#shipOnce().catch(() => false)
      if (this.#isClosed && !isSent) break
      await sleep(isSent ? this.#pauseMs() : retryMs, undefined, { ref: false })
    }
    this.#shipping = null
  }

  /** Few logs are sent at once, many in batches: up to 25 ms, which is what a reader may wait. */
  #pauseMs(): number {
    return this.#isClosed ? 0 : Math.min(longestPauseMs, 1 + this.#open.size / 8)
  }

  async #shipOnce(): Promise<boolean> {
    const logs = await this.#takeChanged()
    try {
      await this.#ask(logs.filter(log => log.isUnsure))
      const pipeline = this.#parts.commands.pipeline()
      const shipments: Shipment[] = []
      for (const log of logs) {
        const page = await this.#read(log.id, log.sent)
        if (page) shipments.push(this.#pack(pipeline, log, page))
      }
      const answers = (await pipeline.exec()) ?? []
      const isWell = shipments.map(shipment => this.#settle(shipment, answers))
      return isWell.every(Boolean)
    } catch (error) {
      for (const log of logs) this.#again(log)
      throw error
    }
  }

  /** Those with news; without those that are over for so long that memory has forgotten them. */
  async #takeChanged(): Promise<Outgoing[]> {
    const logs = [...this.#changed]
    this.#changed.clear()
    const living: Outgoing[] = []
    for (const log of logs) {
      const isCurrent = this.#open.get(log.id) === log
      if (isCurrent && (await this.#read(log.id, Number.POSITIVE_INFINITY))) living.push(log)
      else if (isCurrent) this.#open.delete(log.id)
    }
    return living
  }

  #pack(
    pipeline: ReturnType<RedisEventParts['commands']['pipeline']>,
    log: Outgoing,
    page: { events: readonly LogEvent[]; isEnded: boolean },
  ): Shipment {
    const { prefix, timing } = this.#parts
    const key = streamKey(prefix, log.id)
    const shipment: Shipment = { log, seq: log.sent, isEnd: page.isEnded, answers: [] }
    const last = page.events.at(-1)
    const parcel = encode(log.writing, last ? JSON.stringify(page.events) : '', page.isEnded)
    if (last) {
      shipment.seq = last.seq
      if (log.sent === 0) pipeline.del(key)
      shipment.answers.push(pipeline.length)
      const text = page.isEnded ? encode(log.writing, JSON.stringify(page.events), false) : parcel
      // A stream that is gone must not begin anew in the middle.
      if (log.sent === 0) pipeline.xadd(key, `${last.seq}-0`, 'p', text)
      else pipeline.xadd(key, 'NOMKSTREAM', `${last.seq}-0`, 'p', text)
    }
    if (page.isEnded) {
      const end = [`${shipment.seq}-1`, 'p', encode(log.writing, '', true)] as const
      shipment.answers.push(pipeline.length)
      if (shipment.seq === 0) pipeline.xadd(key, ...end)
      else pipeline.xadd(key, 'NOMKSTREAM', ...end)
    }
    if (page.isEnded || log.sent === 0)
      pipeline.pexpire(key, page.isEnded ? timing.keepEndedMs : timing.deadAfterMs)
    if (last || page.isEnded) pipeline.publish(channelOf(prefix, log.id), parcel)
    return shipment
  }

  #settle({ log, seq, isEnd, answers }: Shipment, all: readonly [Error | null, unknown][]): boolean {
    const own = answers.map(index => all[index] ?? [new Error('no answer'), null])
    if (own.some(([error]) => error !== null)) {
      this.#again(log)
      return false
    }
    if (own.some(([, entry]) => entry === null)) {
      log.sent = 0
      this.#changed.add(log)
      return true
    }
    log.sent = seq
    if (isEnd && this.#open.get(log.id) === log) this.#open.delete(log.id)
    return true
  }

  #again(log: Outgoing): void {
    log.isUnsure = true
    this.#changed.add(log)
  }

  /** Asks how much of some logs has arrived. */
  async #ask(logs: readonly Outgoing[]): Promise<void> {
    if (logs.length === 0) return
    const pipeline = this.#parts.commands.pipeline()
    for (const log of logs) pipeline.xrevrange(streamKey(this.#parts.prefix, log.id), '+', '-', 'COUNT', 1)
    const answers = (await pipeline.exec()) ?? []
    for (const [index, log] of logs.entries()) {
      const [error, found] = answers[index] ?? [new Error('no answer'), null]
      if (error) throw error
      const entries = found as Entries
      const isOurs = gather(entries)?.writing === log.writing
      log.sent = isOurs ? positionOf(entries[0]?.[0] ?? '0-0') : 0
      log.isUnsure = false
    }
  }

  /** After a reconnect: Redis may have lost the last second, or everything. */
  #doubt(): void {
    for (const log of this.#open.values()) {
      if (log.sent > 0) log.isUnsure = true
      this.touch(log.id)
    }
  }

  /** Logs live as long as this is said. One that is gone although we live is sent again. */
  async #sayAlive(): Promise<void> {
    const logs = [...this.#open.values()].filter(log => log.sent > 0 && !log.isUnsure)
    if (logs.length === 0) return
    const pipeline = this.#parts.commands.pipeline()
    for (const log of logs)
      pipeline.pexpire(streamKey(this.#parts.prefix, log.id), this.#parts.timing.deadAfterMs)
    const answers = await pipeline.exec().catch(() => null)
    for (const [index, log] of logs.entries()) {
      if (answers?.[index]?.[1] !== 0 || !this.#open.has(log.id)) continue
      log.isUnsure = true
      this.touch(log.id)
    }
  }
}

import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogEvent } from './index.ts'
import {
  channelOf,
  type Entries,
  encode,
  entryId,
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
}

/**
 * Stores and tells the news of many logs in one command, which costs this process a third of what commands for each
 * would. Per log: mode (`new` or `more`), entry id, parcel, channel, time to live (0: as it is). Answers 1 when it was
 * stored, 0 when the log is gone (it must not begin anew in the middle), -2 when another process has written it further
 * (this one was frozen, and its work was given away), -1 when something else is wrong.
 */
const shipScript = `
  local answers = {}
  for i = 1, #KEYS do
    local mode, id, parcel, channel, ttl = unpack(ARGV, i * 5 - 4, i * 5)
    local added
    local top = mode == 'new' and redis.call('XREVRANGE', KEYS[i], '+', '-', 'COUNT', 1)[1]
    if top and tonumber(string.match(top[1], '^%d+')) > tonumber(string.match(id, '^%d+')) then
      added = 'lost'
    elseif mode == 'new' then
      redis.call('DEL', KEYS[i])
      added = redis.pcall('XADD', KEYS[i], id, 'p', parcel)
    else
      added = redis.pcall('XADD', KEYS[i], 'NOMKSTREAM', id, 'p', parcel)
    end
    if added == 'lost' then
      answers[i] = -2
    elseif type(added) == 'table' then
      answers[i] = -1
    elseif not added then
      answers[i] = 0
    else
      answers[i] = 1
      if ttl ~= '0' then redis.call('PEXPIRE', KEYS[i], ttl) end
      redis.call('PUBLISH', channel, parcel)
    end
  end
  return answers
`
const shipSha = createHash('sha1').update(shipScript).digest('hex')

const longestPauseMs = 25
const retryMs = 500

/**
 * Copies the logs of this process to Redis: all that is new in one command, one command at a time. It keeps nothing
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
    return this.#isClosed ? 0 : Math.min(longestPauseMs, 1 + this.#open.size / 3)
  }

  async #shipOnce(): Promise<boolean> {
    const logs = await this.#takeChanged()
    try {
      await this.#ask(logs.filter(log => log.isUnsure))
      const shipments: Shipment[] = []
      const keys: string[] = []
      const values: (string | number)[] = []
      for (const log of logs) {
        const page = await this.#read(log.id, log.sent)
        if (!page || (page.events.length === 0 && !page.isEnded)) continue
        const seq = page.events.at(-1)?.seq ?? log.sent
        shipments.push({ log, seq, isEnd: page.isEnded })
        keys.push(streamKey(this.#parts.prefix, log.id))
        values.push(...this.#pack(log, seq, page))
      }
      if (keys.length === 0) return true
      const answers = await this.#run([...keys, ...values], keys.length)
      return shipments.map((shipment, index) => this.#settle(shipment, answers[index])).every(Boolean)
    } catch (error) {
      for (const log of logs) this.#again(log)
      throw error
    }
  }

  async #run(words: readonly (string | number)[], keyCount: number): Promise<number[]> {
    const { commands } = this.#parts
    try {
      return (await commands.evalsha(shipSha, keyCount, ...words)) as number[]
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return (await commands.eval(shipScript, keyCount, ...words)) as number[]
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

  /** What the script wants to know of one log. */
  #pack(log: Outgoing, seq: number, page: { events: readonly LogEvent[]; isEnded: boolean }) {
    const { prefix, timing } = this.#parts
    const isNew = log.sent === 0
    const body = page.events.length > 0 ? JSON.stringify(page.events) : ''
    const ttlMs = page.isEnded ? timing.keepEndedMs : isNew ? timing.deadAfterMs : 0
    return [
      isNew ? 'new' : 'more',
      entryId(seq, page.isEnded),
      encode(log.writing, body, page.isEnded),
      channelOf(prefix, log.id),
      ttlMs,
    ]
  }

  #settle({ log, seq, isEnd }: Shipment, answer: number | undefined): boolean {
    if (answer === 1) {
      log.sent = seq
      if (isEnd && this.#open.get(log.id) === log) this.#open.delete(log.id)
      return true
    }
    if (answer === 0) {
      log.sent = 0
      this.#changed.add(log)
      return true
    }
    if (answer === -2) {
      if (this.#open.get(log.id) === log) this.#open.delete(log.id)
      return true
    }
    this.#again(log)
    return false
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

import type { Redis } from '../redis/index.ts'
import { type LogEvent, sizeOf } from './index.ts'

export interface RedisEventTiming {
  /** How often writers say that they live, and readers look whether they do. */
  beatMs: number
  /** A log whose writer has been silent for so long is gone. */
  deadAfterMs: number
  /** How long a log that has ended can still be read. */
  keepEndedMs: number
}

export interface RedisEventParts {
  commands: Redis
  listening: Redis
  prefix: string
  timing: RedisEventTiming
}

/** A piece of a log as it travels: `writing` tells one writing of a log from another, such as a second attempt. */
export interface Parcel {
  writing: string
  events: readonly LogEvent[]
  isEnd: boolean
}

export function streamKey(prefix: string, id: string): string {
  return `${prefix}:events:${id}`
}

export function channelOf(prefix: string, id: string): string {
  return `${prefix}:events:news:${id}`
}

export function idOfChannel(prefix: string, channel: string): string {
  return channel.slice(channelOf(prefix, '').length)
}

/** Position before the first of some events. */
export function startOf(events: readonly LogEvent[]): number {
  const first = events[0]
  return first ? first.seq - sizeOf(first) : 0
}

const endMark = '!'

/** As a message: the writing, a mark when this is the end, and the events as JSON when there are any. */
export function encode(writing: string, body: string, isEnd: boolean): string {
  return `${writing}${isEnd ? endMark : ' '}${body}`
}

export function decode(message: string): Parcel {
  const length = message.search(/[ !]/)
  const body = message.slice(length + 1)
  return {
    writing: message.slice(0, length),
    isEnd: message[length] === endMark,
    events: body === '' ? [] : (JSON.parse(body) as LogEvent[]),
  }
}

/** The id of an entry: the position after it, and behind that whether it has the end, which is after the position. */
export function entryId(position: number, isEnd: boolean): string {
  return `${position}-${isEnd ? 1 : 0}`
}

/** The position that is in the id of an entry. */
export function positionOf(entryId: string): number {
  return Number(entryId.split('-')[0])
}

/** Entries of a stream as ioredis gives them. */
export type Entries = readonly (readonly [id: string, fields: readonly string[]])[]

/** All entries as one parcel; those of another writing than the last one's are left out. Null when there are none. */
export function gather(entries: Entries): Parcel | null {
  const parcels = entries.map(([, fields]) => decode(fields[1] ?? ''))
  const last = parcels.at(-1)
  if (!last) return null
  const same = parcels.filter(parcel => parcel.writing === last.writing)
  return { writing: last.writing, events: same.flatMap(parcel => parcel.events), isEnd: last.isEnd }
}

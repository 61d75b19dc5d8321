import { type EventLogs, type EventLogWriter, type LogEvent, restOf } from './index.ts'
import { createMemoryEventLogs } from './memory.ts'
import { type Parcel, startOf } from './redis-wire.ts'

export interface FollowRequest {
  after: number
  signal?: AbortSignal
}

/** The copy of one log, which its followers read like a log of their own process. */
export class Mirror {
  readonly id: string
  readonly #logs: EventLogs = createMemoryEventLogs({ lingerMs: 2000 })
  readonly #writer: EventLogWriter = this.#logs.open('copy')
  #writing: string | null = null
  begun: Promise<boolean> = Promise.resolve(false)
  followers = 0
  missedBeats = 0
  /** Done when the stream has been read up to its end; null when nobody reads it. */
  fetching: Promise<void> | null = null
  /** Something may have been missed. */
  isBehind = false
  /** Whether it was read from the stream, so that it has the beginning. */
  isComplete = false
  hasEnded = false

  constructor(id: string) {
    this.id = id
  }

  get seq(): number {
    return this.#writer.seq
  }

  read(after: number) {
    return this.#logs.read('copy', after)
  }

  async follow(request: FollowRequest): Promise<AsyncIterable<readonly LogEvent[]>> {
    return (await this.#logs.follow('copy', request)) ?? nothing()
  }

  /** Takes news; false when something before it is missing. */
  hear(parcel: Parcel): boolean {
    if (this.fetching || !this.isComplete || startOf(parcel.events) > this.seq) return false
    this.#take(parcel)
    return !this.hasEnded
  }

  /** Takes what the stream had after our position. */
  catchUp(parcel: Parcel | null): void {
    this.isComplete = true
    if (parcel) this.#take(parcel)
  }

  #take(parcel: Parcel): void {
    this.#writing ??= parcel.writing
    if (this.hasEnded) return
    if (parcel.writing !== this.#writing) {
      this.stop()
      return
    }
    for (const event of parcel.events) {
      if (event.seq <= this.seq) continue
      const { seq: _, ...content } = restOf(event, this.seq)
      this.#writer.append(content)
    }
    if (parcel.isEnd) this.stop()
  }

  /** No more comes: followers end after the last event. */
  stop(): void {
    if (this.hasEnded) return
    this.hasEnded = true
    this.#writer.end()
  }
}

async function* nothing(): AsyncGenerator<readonly LogEvent[]> {}

import { setTimeout as sleep } from 'node:timers/promises'
import type { Script } from '../provider/index.ts'
import { call, eventsOf, type Json, type Person, Refusal, request } from './client.ts'

export interface TurnOptions {
  /** A word that no other turn has; the message and each word of its answer begin with it. */
  tag: string
  person: Person
  kind: 'stream' | 'job'
  conversationId?: string
  words: number
  intervalMs: number
  /** Reads by polling instead of events. */
  polls?: boolean
  model?: string
  /** What the model does beside saying its words. */
  script?: Script
  onDisconnect?: 'cancel'
}

/** How a client sees one message and its answer, whatever happens to servers: it comes back until it knows the end. */
export class Turn {
  readonly options: TurnOptions
  /** What the model says in full. */
  readonly fullText: string
  readonly message: string
  /** Whether a 2xx was seen for the message. */
  isAccepted = false
  acceptedAt = 0
  /** When and where it was sent first. */
  sentAt = 0
  sentTo = ''
  generationId = ''
  conversationId = ''
  messageId = ''
  replyId = ''
  text = ''
  position = 0
  /** How long the text was when. */
  readonly history: { at: number; length: number }[] = []
  end: Json = null
  endedAt = 0
  restarts = 0
  snapshots = 0
  /** How often it came back. */
  returns = 0
  readonly problems: string[] = []
  /** Whether the last event was the whole text anew. */
  #hasSnapshot = false

  constructor(options: TurnOptions) {
    this.options = options
    const { tag, words, intervalMs } = options
    this.fullText = Array.from({ length: words }, (_, index) => `${tag}.${index}`).join(' ')
    this.message = `${tag} [[script:${JSON.stringify({ text: this.fullText, intervalMs, ...options.script })}]]`
  }

  /**
   * Sends the message and reads the answer to its end, from whichever server `url` names next; after trouble it comes
   * back, with the same Idempotency-Key while it does not know that it was heard.
   */
  async live(url: (attempt: number) => string, giveUpAt: () => number): Promise<void> {
    for (let attempt = 0; this.end === null && this.problems.length === 0; attempt++) {
      try {
        if (this.generationId === '') await this.submit(url(attempt))
        else {
          this.returns++
          await (this.options.polls ? this.poll(url(attempt)) : this.follow(url(attempt)))
        }
      } catch (error) {
        if (error instanceof Refusal && error.status < 500 && error.status !== 429) {
          this.problems.push(`${this.options.tag} was refused: ${error.message}`)
        }
      }
      if (this.end !== null) return
      if (Date.now() > giveUpAt())
        this.problems.push(`${this.options.tag} (${this.generationId}) never ended`)
      await sleep(this.generationId === '' ? 50 : 100)
    }
  }

  /** The fields of the message that are the same on each wire. */
  get question(): Record<string, string> {
    const { conversationId, model, onDisconnect } = this.options
    return { message: this.message, ...defined({ conversationId, model, onDisconnect }) }
  }

  /** Sends the message; a stream is read until it ends or breaks. */
  async submit(url: string, signal?: AbortSignal): Promise<void> {
    const { person, kind, tag } = this.options
    const body = { ...this.question, background: kind === 'job' }
    const headers = { 'idempotency-key': `key-${tag}` }
    this.sentAt ||= Date.now()
    this.sentTo ||= url
    const response = await request(url, {
      path: '/generations',
      person,
      body,
      headers,
      ...(signal ? { signal } : {}),
    })
    this.isAccepted = true
    this.acceptedAt ||= Date.now()
    if (kind === 'stream') {
      this.generationId = response.headers.get('x-stream-session-id') ?? ''
      for await (const events of eventsOf(response)) this.take(events)
    } else this.know(((await response.json()) as Json).data)
  }

  /** Follows the answer from where it is; `signal` leaves. */
  async follow(
    url: string,
    { signal, asHeader = false }: { signal?: AbortSignal; asHeader?: boolean } = {},
  ): Promise<void> {
    const { person } = this.options
    const path = `/generations/${this.generationId}/events${asHeader ? '' : `?after=${this.position}`}`
    const headers = {
      accept: 'text/event-stream',
      ...(asHeader ? { 'last-event-id': `${this.position}` } : {}),
    }
    const response = await request(url, { path, person, headers, ...(signal ? { signal } : {}) })
    for await (const events of eventsOf(response)) this.take(events)
  }

  /** Takes what there is now. */
  async poll(url: string): Promise<void> {
    const { person } = this.options
    const path = `/generations/${this.generationId}/events?after=${this.position}`
    this.take((await call(url, { path, person })).events)
  }

  /** Takes events as a client does, and sees to it that nothing is missing or told twice. */
  take(events: readonly Json[]): void {
    for (const event of events) {
      this.#checkPlace(event)
      if (event.type === 'generation-restart') {
        this.text = ''
        this.restarts++
      }
      this.position = event.seq
      if (event.type === 'text-delta') this.text += event.text
      if (event.type === 'text-snapshot') {
        this.text = event.text
        this.snapshots++
      }
      if (event.type === 'generation-start') this.know({ generation: { id: event.generationId }, ...event })
      if (event.type === 'generation-end') {
        if (this.end !== null) this.#wrong('a second end')
        this.end = event
        this.endedAt = Date.now()
      }
    }
    this.history.push({ at: Date.now(), length: this.text.length })
  }

  /** An event begins where the last one ended; one that replaces all text may be anywhere beyond, and the end behind it. */
  #checkPlace({ type, seq, text, span }: Json): void {
    const begins = seq - (text === undefined ? (span ?? 1) : text.length)
    const isAnew = ['generation-restart', 'text-snapshot'].includes(type)
    if (isAnew || (type === 'generation-end' && this.#hasSnapshot)) {
      if (seq < this.position) this.#wrong(`${type} at ${seq} after ${this.position}`)
    } else if (begins > this.position) this.#wrong(`gap from ${this.position} to ${begins}`)
    else if (begins < this.position) this.#wrong(`${type} ending at ${seq} repeats some of ${this.position}`)
    this.#hasSnapshot = type === 'text-snapshot'
  }

  /** Learns what the message became. */
  know({ generation, conversationId, messageId, replyId }: Json): void {
    Object.assign(this, { generationId: generation.id, conversationId, messageId, replyId })
  }

  #wrong(what: string): void {
    this.problems.push(`${this.options.tag} (${this.generationId}) read ${what}`)
  }

  /** How much text had come at a time. */
  lengthAt(time: number): number {
    return this.history.findLast(({ at }) => at <= time)?.length ?? 0
  }

  /** How long before a time the text had no more than so many characters. */
  ageOf(length: number, time: number): number {
    const beyond = this.history.find(entry => entry.length > length && entry.at <= time)
    return beyond ? time - beyond.at : 0
  }
}

/** Only the fields that are set. */
function defined(fields: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

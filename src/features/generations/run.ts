import { AppError, toAppError } from '../../lib/errors.ts'
import type { EventLogWriter, LogEvent } from '../../platform/events/index.ts'
import type { CatalogueModel, ModelPart, Usage } from '../../platform/models/index.ts'
import type { OpenKey } from '../keys/index.ts'
import { costOf, estimateTokens } from './prices.ts'
import type { ObservedRun, Prompt, RunObserver } from './recipes.ts'
import type { Status } from './schema.ts'
import type { Generation, Progress, StoredLog } from './store.ts'
import type { Ending } from './store-endings.ts'

/** Why a run was told to stop. */
export class RunStopped extends Error {
  readonly status: 'cancelled' | 'interrupted'

  constructor(status: 'cancelled' | 'interrupted', message: string) {
    super(message)
    this.name = 'RunStopped'
    this.status = status
  }
}

/** Another process runs it now, after this one had been silent for too long: what is written here counts no more. */
export class RunLost extends Error {
  override readonly name = 'RunLost'
}

/** One generation while this process runs it: its log, its text so far, and what it came to. */
export class Run implements ObservedRun {
  readonly generation: Generation
  readonly controller = new AbortController()
  readonly observers: RunObserver[] = []
  /** Text of the reply before this run began; empty unless it continues one. */
  readonly prefix: string
  text = ''
  /** Whether something happened since the last checkpoint. */
  isDirty = false
  /** Rejects when the generation was not stored after all: then it is no run, and nothing is told or kept of it. */
  stored: Promise<void> = Promise.resolve()
  /** Resolves when the run has ended and said so, with what is stored of it; null when it goes on elsewhere. */
  done: Promise<StoredLog | null> = Promise.resolve(null)
  /** The provider key that pays for what is asked now; null for credits. */
  key: OpenKey | null = null
  /** The most that it may cost in credits. */
  holdMicroCredits: number

  readonly #log: EventLogWriter
  readonly #marks: LogEvent[] = []
  #held = ''
  #reasoningLength = 0
  #usage: Usage | null = null
  #finish: string | null = null
  #model: CatalogueModel

  constructor(generation: Generation, model: CatalogueModel, log: EventLogWriter, prefix: string) {
    this.generation = generation
    this.holdMicroCredits = generation.holdMicroCredits
    this.#model = model
    this.prefix = prefix
    this.#log = log
  }

  get generationId() {
    return this.generation.id
  }
  get accountId() {
    return this.generation.accountId
  }
  get conversationId() {
    return this.generation.conversationId
  }
  get messageId() {
    return this.generation.messageId
  }
  get replyId() {
    return this.generation.replyId
  }
  get kind() {
    return this.generation.kind
  }

  /** The model that answers now; another one than was asked for after a fallback. */
  get model(): CatalogueModel {
    return this.#model
  }

  /** Whether the provider has said anything that readers have seen. */
  get hasOutput(): boolean {
    return this.text.length + this.#reasoningLength > 0
  }

  /** Whether the provider stopped without saying that it was done. */
  get wasCut(): boolean {
    return this.#finish === null
  }

  /** Goes on with another model; only before the first word. */
  switchTo(model: CatalogueModel): void {
    this.#model = model
    this.emit({ type: 'model-changed', model: model.id })
  }

  /** Goes on at somebody else's cost; only before the first word. */
  payWith(key: OpenKey | null, reason: string): void {
    this.key = key
    this.emit({ type: 'payer-changed', payer: key ? 'key' : 'credits', keyId: key?.id ?? null, reason })
  }

  /** Writes an event that is not text; it is kept with the generation. */
  emit(event: { type: string; [field: string]: unknown }): void {
    this.#marks.push(this.#log.append(event))
    this.isDirty = true
  }

  /** Takes what the provider said in one network read. */
  take(parts: readonly ModelPart[]): void {
    for (const part of parts) {
      if (part.type === 'text') this.#write(part.text)
      else if (part.type === 'reasoning') this.#think(part.text)
      else if (part.type === 'usage') this.#usage = part.usage
      else this.#finish = part.reason
    }
  }

  /** A pair of surrogates stays together: half a character cannot be sent or stored. */
  #write(delta: string): void {
    let text = this.#held + delta
    this.#held = ''
    const last = text.charCodeAt(text.length - 1)
    if (last >= 0xd800 && last <= 0xdbff) {
      this.#held = text.slice(-1)
      text = text.slice(0, -1)
    }
    if (text === '') return
    text = text.toWellFormed()
    this.#log.append({ type: 'text-delta', text })
    this.text += text
    this.isDirty = true
    for (const observer of this.observers) observer.text(text)
  }

  /** Reasoning is kept as one mark for each stretch of it. */
  #think(said: string): void {
    const text = said.toWellFormed()
    if (text === '') return
    this.#reasoningLength += text.length
    const event = this.#log.append({ type: 'reasoning-delta', text })
    const last = this.#marks.at(-1)
    if (last?.type === 'reasoning-delta' && last.seq + text.length === event.seq) {
      this.#marks[this.#marks.length - 1] = { ...event, text: `${last.text}${text}` }
    } else this.#marks.push(event)
    this.isDirty = true
  }

  /** What a checkpoint keeps. */
  progress(): Progress {
    return {
      generationId: this.generation.id,
      attempts: this.generation.attempts,
      content: this.prefix + this.text,
      lastSeq: this.#log.seq,
      marks: this.#marks,
    }
  }

  /** Where the run ends, given what stopped it: nothing, a RunStopped, or an error. */
  outcome(thrown: unknown): Status {
    return this.#verdict(thrown).status
  }

  /** What the run came to, given what stopped it, to be kept and then told. */
  ending(thrown: unknown, prompt: Prompt | null): Ending {
    const verdict = this.#verdict(thrown)
    const told = this.used(prompt)
    const isFree = verdict.status === 'failed' || told === null || this.key !== null
    // The most that it may cost was agreed on before it began.
    const costMicroCredits = isFree ? 0 : Math.min(costOf(this.#model, told), this.holdMicroCredits)
    const events = [
      ...(told === null ? [] : [{ type: 'usage-known', ...told }]),
      { type: 'generation-end', ...verdict, usage: told, costMicroCredits },
    ]
    const seq = this.#log.seq
    const marks = events.map((event, index) => ({ ...event, seq: seq + index + 1 }))
    return {
      generationId: this.generation.id,
      attempts: this.generation.attempts,
      content: this.prefix + this.text,
      status: verdict.status,
      finishReason: verdict.finishReason,
      error: verdict.error,
      model: this.#model.id,
      usage: told,
      costMicroCredits,
      lastSeq: seq + marks.length,
      marks: [...this.#marks, ...marks],
    }
  }

  /** The tokens so far: as the provider counted them at its end, else as they are estimated; null when there are none. */
  used(prompt: Prompt | null): Ending['usage'] {
    // Before the finish a provider's count is only a beginning: what was received is counted here.
    if (this.#usage !== null && this.#finish !== null) return { ...this.#usage, isEstimated: false }
    return this.hasOutput ? { ...this.#estimate(prompt), isEstimated: true } : null
  }

  #verdict(thrown: unknown): { status: Status; finishReason: string | null; error: Ending['error'] } {
    if (thrown instanceof RunStopped) {
      return {
        status: thrown.status,
        finishReason: thrown.status === 'cancelled' ? 'cancelled' : null,
        error: null,
      }
    }
    const error = thrown === null ? this.#silentCut() : toAppError(thrown)
    if (error === null) return { status: 'completed', finishReason: this.#finish, error: null }
    const told = { code: error.code, message: error.message }
    return { status: this.text === '' ? 'failed' : 'interrupted', finishReason: null, error: told }
  }

  /** A stream that ends without saying why was cut, however clean the end looked. */
  #silentCut(): AppError | null {
    if (this.#finish !== null) return null
    return new AppError('upstream', 'PROVIDER_CUT', 'The model provider stopped in the middle of its answer')
  }

  #estimate(prompt: Prompt | null): Usage {
    const asked = [prompt?.system ?? '', ...(prompt?.messages ?? []).map(message => message.content)]
    const output = Math.ceil((this.text.length + this.#reasoningLength) / 4)
    return {
      inputTokens: this.#usage?.inputTokens ?? asked.reduce((sum, text) => sum + estimateTokens(text), 0),
      outputTokens: Math.max(this.#usage?.outputTokens ?? 0, output),
      cachedInputTokens: this.#usage?.cachedInputTokens ?? 0,
    }
  }

  /** Tells the end that was kept and closes the log. */
  finish(ending: Ending): void {
    for (const event of ending.marks.slice(this.#marks.length)) this.#log.append(event)
    this.#log.end()
  }

  /** Closes the log without an end: the generation goes on elsewhere, and readers look there. */
  abandon(): void {
    this.#log.end()
  }
}

/** What is told of an answer that its server could not finish. */
export const serverStopped = {
  code: 'SERVER_STOPPED',
  message: 'The server stopped in the middle of this answer',
}

import type { FinishReason, ModelPart, Usage } from './index.ts'

/**
 * What a provider has said and nobody has taken yet. Adjacent texts become one part; `finish` and the latest usage are
 * held back until `settle`, so that they always come last and in this order.
 */
export class PartBuffer {
  /** Characters of text that wait to be taken; for back-pressure. */
  waitingCharacters = 0
  #parts: ModelPart[] = []
  #usage: Usage | undefined
  #isUsageWaiting = false
  #finish: FinishReason | undefined

  get isEmpty(): boolean {
    return this.#parts.length === 0
  }

  get hasFinish(): boolean {
    return this.#finish !== undefined
  }

  /** The last usage that was noted, also when it has been taken already. */
  get usage(): Usage | undefined {
    return this.#usage
  }

  text(text: unknown): void {
    this.#append('text', text)
  }

  reasoning(text: unknown): void {
    this.#append('reasoning', text)
  }

  /** The first usage is told at once (a cancelled run can then be priced), later ones only at the end. */
  noteUsage(usage: Usage): void {
    if (this.#usage === undefined) this.#parts.push({ type: 'usage', usage })
    else this.#isUsageWaiting = true
    this.#usage = usage
  }

  noteFinish(reason: FinishReason): void {
    this.#finish ??= reason
  }

  /** Nothing more will come: what was held back is told. A run that failed has no `finish`. */
  settle(outcome: 'ended' | 'failed'): void {
    if (this.#isUsageWaiting && this.#usage) this.#parts.push({ type: 'usage', usage: this.#usage })
    if (this.#finish && outcome === 'ended') this.#parts.push({ type: 'finish', reason: this.#finish })
    this.#isUsageWaiting = false
    this.#finish = undefined
  }

  /** Nobody wants what is here, nor what was held back. */
  clear(): void {
    this.take()
    this.#isUsageWaiting = false
    this.#finish = undefined
  }

  take(): ModelPart[] {
    const parts = this.#parts
    this.#parts = []
    this.waitingCharacters = 0
    return parts
  }

  #append(type: 'text' | 'reasoning', text: unknown): void {
    if (typeof text !== 'string' || text === '') return
    const last = this.#parts[this.#parts.length - 1]
    if (last?.type === type) last.text += text
    else this.#parts.push({ type, text })
    this.waitingCharacters += text.length
  }
}

/** A token count from the wire: a whole number of at least 0, anything else is 0. */
export function tokenCount(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0
}

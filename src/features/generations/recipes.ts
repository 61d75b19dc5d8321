import type { ModelMessage } from '../../platform/models/index.ts'
import type { Generation } from './store.ts'
import type { RecentMessage } from './store-turns.ts'

/** What a model is told. */
export interface Prompt {
  system?: string
  messages: readonly ModelMessage[]
}

/** What a feature that makes generations of one kind must say about them. */
export interface Recipe {
  /** Kind of the conversations that its messages live in. */
  conversationKind: string
  /** Title of a conversation that begins with this message. */
  title(message: string): string
  /** What the model is told, from what is stored when the run begins. */
  prompt(generation: Generation, limits: PromptLimits): Promise<Prompt>
}

/** What a prompt is made within, and of. */
export interface PromptLimits {
  budgetTokens: number
  /** The newest messages up to the question, newest first, where they are known; they need not be read again. */
  recent: readonly RecentMessage[] | null
}

/** One run as its observers see it. */
export interface ObservedRun {
  readonly generationId: string
  readonly accountId: string
  readonly conversationId: string | null
  readonly messageId: string | null
  readonly replyId: string | null
  readonly kind: string
  /** What the reply held before this run went on with it. */
  readonly prefix: string
  /** Writes an event into the run's log. */
  emit(event: { type: string; [field: string]: unknown }): void
}

/** What watches one run: every piece of text as it comes, and the end before it is told. */
export interface RunObserver {
  text(delta: string): void
  end(outcome: { status: string; text: string }): Promise<void>
}

/** Called at the beginning of each run; null when it does not care for this one. */
export type ObserverFactory = (run: ObservedRun) => RunObserver | null

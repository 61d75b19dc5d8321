import type { Settings } from './schema.ts'
import type { Generation } from './store.ts'

/** A question, in a conversation or to begin one with. */
export type StartRequest = Partial<Settings> & {
  accountId: string
  kind: string
  message: string
  conversationId?: string | undefined
  /** Whether it counts as a message of the day; false for what the product asks by itself. */
  isCounted?: boolean | undefined
} & Submission

/** A request to answer once more, or to go on. */
export type AgainRequest = Partial<Settings> & { accountId: string; generationId: string } & Submission

/** What every way of asking may say beside its question. */
export interface Submission {
  model?: string | undefined
  /** Through the queue: run by any worker, and again when its process dies. */
  asJob?: boolean | undefined
  /** The client's own name for this request: the same name and request give the same generation. */
  idempotencyKey?: string | undefined
}

/** What a start promises: the question is stored, and the reply will reach exactly one end. */
export interface Started {
  generation: Generation
  conversationId: string
  messageId: string
  replyId: string
}

import type { Artifacts } from '../../features/artifacts/index.ts'
import type { Conversations } from '../../features/conversations/index.ts'
import type { Generations } from '../../features/generations/index.ts'
import type { Links } from './links.ts'

/** What chatting stands on. */
export interface ChatDeps {
  generations: Generations
  conversations: Conversations
  artifacts: Artifacts
  links: Links
  /** What an account has, in whole credits. */
  creditsOf(accountId: string): Promise<number>
  /** Told of bugs, which clients are not. */
  report(error: unknown): void
}

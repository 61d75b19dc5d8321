import type { Accounts, WebSessions } from '../features/accounts/index.ts'
import type { Artifacts } from '../features/artifacts/index.ts'
import type { Billing, BillingPayments } from '../features/billing/index.ts'
import type { Conversations } from '../features/conversations/index.ts'
import type { Generations } from '../features/generations/index.ts'
import type { Keys } from '../features/keys/index.ts'
import type { Library } from '../features/library/index.ts'
import type { Plugins } from '../features/plugins/index.ts'

/** What the operator decides about the published APIs. */
export interface DialectSettings {
  isProduction: boolean
  /** How long the token of clients is good that know only one, in seconds. */
  singleTokenLifetimeSeconds: number
  /** What the chat history of Secret Echo is: the published array, or the object that its front end reads. */
  secretEchoHistory: 'array' | 'object'
}

/** What the published APIs are spoken on top of. */
export interface DialectParts {
  accounts: Accounts
  web: WebSessions
  billing: Billing
  /** Plans, packages and what was paid. */
  buying: BillingPayments
  keys: Keys
  generations: Generations
  conversations: Conversations
  artifacts: Artifacts
  plugins: Plugins
  library: Library
  settings: DialectSettings
  /** Signs links to what was made; at least 32 bytes. */
  linkKey: string
  /** The address that browsers use. */
  publicUrl: () => string
  /** Told of bugs, which clients are not. */
  report(error: unknown): void
  /** Pays a checkout with a test card, where payments are a sandbox; null where money is real. */
  payInSandbox: ((sessionId: string) => Promise<void>) | null
}

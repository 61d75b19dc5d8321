/** What /api/v1 says, as the console reads it. Dates are ISO 8601 texts; credits are integers of micro-credits. */

export interface Account {
  id: string
  email: string | null
  mobile: string | null
  username: string | null
  name: string | null
  role: 'user' | 'admin'
  plan: string
  status: string
  isEmailVerified: boolean
  isMobileVerified: boolean
  /** False for accounts that sign in by code only. */
  hasPassword: boolean
  createdAt: string
  updatedAt: string
}

/** One sign-in on one device. */
export interface Session {
  id: string
  name: string
  ip: string | null
  userAgent: string | null
  isCurrent: boolean
  createdAt: string
  lastUsedAt: string
  expiresAt: string
}

/** One entry of the security log. */
export interface SecurityEvent {
  id: string
  kind: string
  sessionId: string | null
  actorId: string | null
  ip: string | null
  userAgent: string | null
  detail: Record<string, unknown>
  createdAt: string
}

export interface SignedIn {
  account: Account
  accessToken: string
  refreshToken: string
  /** Seconds until the access token ends. */
  expiresIn: number
}

export interface Model {
  id: string
  provider: string
  label: string
  contextTokens: number
  maxOutputTokens: number
  /** Micro-credits per 1,000 tokens. */
  inputPriceMicroCredits: number
  outputPriceMicroCredits: number
  isDefault: boolean
  /** Who pays for its answers: credits, or an active provider key of this account. */
  payer: 'credits' | 'key'
}

/** A person's own key for a model provider; the key itself is never told. */
export interface ProviderKey {
  id: string
  provider: string
  name: string
  isActive: boolean
  baseUrl: string | null
  models: string[]
  fallbackToCredits: boolean
  lastFour: string | null
  fingerprint: string
  lastUsedAt: string | null
  lastError: { code: string; message: string; at: string } | null
  createdAt: string
  updatedAt: string
}

export interface ProviderKeyVerdict {
  verdict: 'works' | 'refused' | 'out-of-credit' | 'limited' | 'unreachable' | 'unexpected'
  message: string
  models: string[]
}

interface KeyCounts {
  calls: number
  errors: number
  inputTokens: number
  outputTokens: number
}

export interface ProviderKeyUsage extends KeyCounts {
  lastUsedAt: string | null
  days: (KeyCounts & { day: string })[]
}

export interface Usage {
  inputTokens: number
  outputTokens: number
  cachedInputTokens: number
  isEstimated?: boolean
}

export type GenerationStatus = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled' | 'interrupted'

export interface Generation {
  id: string
  kind: string
  status: GenerationStatus
  finishReason: string | null
  model: string
  conversationId: string | null
  messageId: string | null
  replyId: string | null
  usage: Usage | null
  costMicroCredits: number
  error: { code: string; message: string } | null
  lastSeq: number
  createdAt: string
  startedAt: string | null
  finishedAt: string | null
}

export type ArtifactType =
  | 'CODE'
  | 'HTML'
  | 'CSS'
  | 'REACT'
  | 'JAVASCRIPT'
  | 'TYPESCRIPT'
  | 'PYTHON'
  | 'OTHER'

export interface ArtifactSummary {
  id: string
  title: string
  type: ArtifactType
  language: string | null
  version: number
  fileCount: number
  /** Blocks of the same answer that were merged into this one; empty for all others. */
  consolidatedFrom: string[]
  /** What this one, a block of an answer, was merged into. */
  consolidatedInto: string | null
}

/** An artifact as the lists of a conversation show it, with its provenance. */
export interface ListedArtifact extends ArtifactSummary {
  /** Bytes of all files together. */
  size: number
  /** The same for all versions of one thing. */
  lineageId: string
  /** The reply that holds the code. */
  messageId: string
  generationId: string
  model: string | null
  createdAt: string
}

export interface ArtifactFile {
  path: string
  language: string | null
  content: string
  size: number
}

export interface BuildMessage {
  text: string
  file: string | null
  /** 1-based. */
  line: number | null
  /** 0-based. */
  column: number | null
  lineText: string | null
}

export interface Build {
  ok: boolean
  bundleBytes?: number | null
  durationMs: number
  dependencies?: string[]
  errors?: BuildMessage[]
  warnings?: BuildMessage[]
}

export interface Preview {
  url: string | null
  expiresAt: string | null
  build: Build | null
}

export interface Conversation {
  id: string
  kind: string
  title: string
  /** What the model is told before every message of this conversation. */
  systemPrompt: string | null
  messageCount: number
  createdAt: string
  updatedAt: string
}

export interface Message {
  id: string
  role: 'user' | 'assistant'
  content: string
  position: number
  /** Above 1 when the answer was regenerated; the earlier ones are kept. */
  version: number
  createdAt: string
  generation: Generation | null
  artifacts: ArtifactSummary[]
}

export interface ConversationPage {
  conversation: Conversation
  messages: Message[]
  hasMore: boolean
}

export interface GenerationRequest {
  message: string
  conversationId?: string
  model?: string
  temperature?: number
  topK?: number
  topP?: number
  maxOutputTokens?: number
}

/** One event of a generation's log; `seq` is the log's length after it (text counts its UTF-16 units, others 1). */
export type GenerationEvent = { seq: number } & (
  | {
      type: 'generation-start'
      generationId: string
      conversationId: string
      messageId: string | null
      replyId: string
      model: string
      title: string
      /** Where in the reply this run's text begins; above 0 when it goes on with an earlier one. */
      replyOffset?: number
    }
  | { type: 'text-delta'; text: string }
  /** The whole text of the run, instead of what was received: some of that was lost at the server. */
  | { type: 'text-snapshot'; text: string }
  /** A job begins again, after its process stopped: what it had written counts no more. */
  | { type: 'generation-restart'; span: number; attempt: number }
  | { type: 'reasoning-delta'; text: string }
  | { type: 'artifact-start'; key: string; title: string; language: string | null; path?: string }
  | { type: 'artifact-ready'; artifact: ArtifactSummary }
  /** A plugin's code was checked and kept; `repair` is the run to which its errors went. */
  | {
      type: 'check-done'
      pluginId: string
      version: number
      errors: number
      warnings: number
      isFinal: boolean
      repair: { generationId: string; attempt: number } | null
    }
  | ({ type: 'usage-known' } & Usage)
  | {
      type: 'generation-end'
      status: GenerationStatus
      finishReason: string | null
      usage: Usage | null
      costMicroCredits: number
      error: { code: string; message: string } | null
    }
)

/** What an account may do now; refusals of a submit carry the same. */
export interface Entitlements {
  plan: string
  payer: 'credits' | 'key'
  canSend: boolean
  reason: { code: string; message: string } | null
  credits: { balanceMicroCredits: number; heldMicroCredits: number }
  messages: { limit: number; used: number; remaining: number; resetsAt: string }
}

/** What was used on one day (UTC), of one model, for one kind of generation, by one payer. */
export interface UsageRow {
  day: string
  model: string
  kind: string
  /** `credits`, or the id of a provider key. */
  payer: string
  runs: number
  failures: number
  inputTokens: number
  outputTokens: number
  costMicroCredits: number
}

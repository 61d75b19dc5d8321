// Made from the migrated schema by `npm run schema`; a test compares it. Do not edit.
import type { ColumnType } from 'kysely'

/** A column that the database fills when an insert leaves it out. */
export type Generated<T> =
  T extends ColumnType<infer S, infer I, infer U>
    ? ColumnType<S, I | undefined, U>
    : ColumnType<T, T | undefined, T>

/** Comes as a Date, goes in as a Date or an ISO text. */
export type Timestamp = ColumnType<Date, Date | string, Date | string>

/** Comes parsed, goes in as JSON text: an array that is passed as it is would become a Postgres array. */
export type Json = ColumnType<unknown, string, string>

export interface AccountsTable {
  id: string
  email: string | null
  email_key: string | null
  email_verified_at: Timestamp | null
  mobile: string | null
  mobile_verified_at: Timestamp | null
  username: string | null
  username_key: string | null
  name: string | null
  first_name: string | null
  last_name: string | null
  password_hash: string | null
  password_changed_at: Timestamp | null
  role: Generated<'user' | 'admin'>
  plan: Generated<string>
  status: Generated<'pending' | 'active' | 'banned'>
  erasing_at: Timestamp | null
  created_at: Generated<Timestamp>
  updated_at: Generated<Timestamp>
}

export interface ArtifactFilesTable {
  artifact_id: string
  position: number
  path: string
  language: string
  size: number
  sha256: string
}

export interface ArtifactsTable {
  id: string
  account_id: string
  conversation_id: string
  message_id: string
  generation_id: string
  lineage_id: string
  version: number
  title: string
  type: 'CODE' | 'HTML' | 'CSS' | 'REACT' | 'JAVASCRIPT' | 'TYPESCRIPT' | 'PYTHON' | 'OTHER'
  language: string
  is_complete: boolean
  created_at: Generated<Timestamp>
  consolidated_into: string | null
}

export interface BalancesTable {
  account_id: string
  micro_credits: Generated<number>
  updated_at: Generated<Timestamp>
}

export interface ContentNoticesTable {
  seq: ColumnType<number, never, never>
  account_id: string
  job_id: string
  generation_id: string
  created_at: Generated<Timestamp>
  delivered_at: Timestamp | null
}

export interface ConversationsTable {
  id: string
  account_id: string
  kind: 'chat' | 'plugin' | 'content'
  title: string
  title_source: Generated<'auto' | 'user'>
  system_prompt: string | null
  summary: string | null
  summary_until: Generated<number>
  message_count: Generated<number>
  created_at: Generated<Timestamp>
  updated_at: Generated<Timestamp>
  description: string | null
}

export interface CustomerRemovalsTable {
  provider: string
  customer_id: string
  asked_at: Generated<Timestamp>
}

export interface DailyMessagesTable {
  account_id: string
  day: string
  count: number
}

export interface GenerationsTable {
  id: string
  account_id: string
  kind: string
  conversation_id: string | null
  message_id: string | null
  reply_id: string | null
  status: 'queued' | 'running' | 'completed' | 'failed' | 'cancelled' | 'interrupted'
  finish_reason: string | null
  model: string
  reply_offset: Generated<number>
  settings: Json
  input_tokens: number | null
  output_tokens: number | null
  cached_input_tokens: number | null
  usage_estimated: Generated<boolean>
  cost_micro_credits: Generated<number>
  error: Json | null
  last_seq: Generated<number>
  marks: Generated<Json>
  is_job: Generated<boolean>
  attempts: Generated<number>
  idempotency_key: string | null
  request_hash: Buffer | null
  is_cancel_wanted: Generated<boolean>
  runner: string | null
  heartbeat_at: Timestamp | null
  created_at: Generated<Timestamp>
  started_at: Timestamp | null
  finished_at: Timestamp | null
  hold_micro_credits: Generated<number>
  key_id: string | null
  counted_on: string | null
}

export interface KeyPreferencesTable {
  account_id: string
  preference: 'platform' | 'byok'
  activated_at: Timestamp | null
  locked_until: Timestamp | null
  updated_at: Generated<Timestamp>
}

export interface LedgerEntriesTable {
  id: Generated<string>
  seq: ColumnType<number, never, never>
  account_id: string
  kind: string
  amount_micro_credits: number
  balance_micro_credits: number
  generation_id: string | null
  reference: string | null
  note: string | null
  actor_id: string | null
  created_at: Generated<Timestamp>
}

export interface LibraryEntriesTable {
  id: string
  account_id: string
  title: string
  type: string
  body: string
  job_id: string | null
  generation_id: string | null
  model: string | null
  version: Generated<number>
  created_at: Generated<Timestamp>
  updated_at: Generated<Timestamp>
  words: ColumnType<string, never, never>
  folded: ColumnType<string, never, never>
}

export interface MasterKeysTable {
  number: ColumnType<number, never, never>
  fingerprint: Buffer
  created_at: Generated<Timestamp>
}

export interface MessagesTable {
  id: string
  conversation_id: string
  account_id: string
  position: number
  version: Generated<number>
  is_superseded: Generated<boolean>
  role: 'user' | 'assistant'
  content: string
  generation_id: string | null
  created_at: Generated<Timestamp>
  is_whole: Generated<boolean>
}

export interface OneTimeCodesTable {
  address: string
  purpose: 'sign-up' | 'sign-in' | 'verification' | 'password-reset' | 'account-deletion' | 'address-change'
  channel: 'email' | 'mobile'
  account_id: string | null
  code_hash: Buffer
  attempts: Generated<number>
  failures: Generated<number>
  created_at: Timestamp
  expires_at: Timestamp
  used_at: Timestamp | null
}

export interface PaymentCustomersTable {
  provider: string
  customer_id: string
  account_id: string
  created_at: Generated<Timestamp>
}

export interface PaymentEventsTable {
  provider: string
  event_id: string
  account_id: string
  type: string
  received_at: Generated<Timestamp>
}

export interface PaymentsTable {
  id: string
  account_id: string
  provider: string
  kind: 'package' | 'plan'
  item: string
  micro_credits: number
  amount_cents: number
  currency: string
  paid_at: Timestamp | null
  failed_at: Timestamp | null
  failure: string | null
  refunded_cents: Generated<number>
  disputed_cents: Generated<number>
  dispute: 'open' | 'won' | 'lost' | null
  clawed_micro_credits: Generated<number>
  session_id: string | null
  payment_intent_id: string | null
  invoice_id: string | null
  subscription_id: string | null
  period_start: Timestamp | null
  period_end: Timestamp | null
  created_at: Generated<Timestamp>
}

export interface PlanCheckoutsTable {
  account_id: string
  provider: string
  wish: string
  idempotency_key: string
  session_id: string | null
  created_at: Generated<Timestamp>
}

export interface PluginClientMessagesTable {
  id: string
  plugin_id: string
  account_id: string
  sender: 'user' | 'plugin_generator'
  content: string
  after_position: number
  created_at: Generated<Timestamp>
}

export interface PluginRunsTable {
  turn_id: string
  attempt: number
  generation_id: string
  message_id: string
  reply_id: string
}

export interface PluginTurnsTable {
  id: string
  plugin_id: string
  account_id: string
  purpose: 'draft' | 'final'
  outcome: Generated<'open' | 'passed' | 'answered' | 'errors' | 'failed'>
  version: number | null
  idempotency_key: string | null
  created_at: Generated<Timestamp>
  ended_at: Timestamp | null
}

export interface PluginVersionsTable {
  plugin_id: string
  version: number
  account_id: string
  origin: 'model' | 'client'
  code: string
  report: Json
  errors: number
  warnings: number
  generation_id: string | null
  after_position: number
  created_at: Generated<Timestamp>
}

export interface PluginsTable {
  id: string
  account_id: string
  conversation_id: string
  version_count: Generated<number>
  final_version: number | null
  saved_version: number | null
  created_at: Generated<Timestamp>
}

export interface ProviderKeyUsageTable {
  key_id: string
  account_id: string
  day: string
  calls: Generated<number>
  errors: Generated<number>
  input_tokens: Generated<number>
  output_tokens: Generated<number>
}

export interface ProviderKeysTable {
  id: string
  account_id: string
  provider: 'openai' | 'gemini' | 'anthropic' | 'openrouter' | 'perplexity' | 'custom'
  name: string
  base_url: string | null
  models: Generated<string[]>
  is_active: boolean
  falls_back_to_credits: Generated<boolean>
  sealed_key: Buffer
  sealed_data_key: Buffer
  master_key: number
  fingerprint: string
  last_four: string | null
  last_used_at: Timestamp | null
  last_error: Json | null
  last_error_at: Timestamp | null
  created_at: Generated<Timestamp>
  updated_at: Generated<Timestamp>
}

export interface RefreshTokensTable {
  id: string
  session_id: string
  parent_id: string | null
  token_hash: Buffer
  created_at: Timestamp
  expires_at: Timestamp
  used_at: Timestamp | null
}

export interface SandboxEventsTable {
  id: string
  seq: ColumnType<number, never, never>
  customer_id: string
  body: string
  attempts: Generated<number>
  next_at: Generated<Timestamp>
}

export interface SandboxObjectsTable {
  id: string
  kind: string
  customer_id: string
  body: Json
  created_at: Generated<Timestamp>
}

export interface SecurityEventsTable {
  id: string
  account_id: string | null
  kind: string
  session_id: string | null
  actor_id: string | null
  ip: string | null
  user_agent: string | null
  detail: Generated<Json>
  created_at: Timestamp
}

export interface SessionsTable {
  id: string
  account_id: string
  name: string
  user_agent: string | null
  ip: string | null
  network: string | null
  created_at: Timestamp
  last_used_at: Timestamp
  expires_at: Timestamp
  ended_at: Timestamp | null
  end_reason:
    | 'logout'
    | 'revoked'
    | 'password-changed'
    | 'password-reset'
    | 'refresh-reuse'
    | 'banned'
    | 'erased'
    | 'replaced'
    | null
}

export interface SubscriptionsTable {
  provider: string
  subscription_id: string
  account_id: string
  plan: string
  status: string
  current_period_end: Timestamp | null
  cancel_at_period_end: boolean
  told_at: Timestamp
  told_by: string
  created_at: Generated<Timestamp>
  begun_at: Timestamp | null
}

export interface UsageDaysTable {
  account_id: string
  day: string
  model: string
  kind: string
  payer: string
  runs: Generated<number>
  failures: Generated<number>
  input_tokens: Generated<number>
  output_tokens: Generated<number>
  cost_micro_credits: Generated<number>
}

export interface VerificationTokensTable {
  id: string
  token_hash: Buffer
  purpose: string
  channel: 'email' | 'mobile'
  address: string
  account_id: string | null
  created_at: Timestamp
  expires_at: Timestamp
  used_at: Timestamp | null
}

/** All tables by name. */
export interface Tables {
  accounts: AccountsTable
  artifact_files: ArtifactFilesTable
  artifacts: ArtifactsTable
  balances: BalancesTable
  content_notices: ContentNoticesTable
  conversations: ConversationsTable
  customer_removals: CustomerRemovalsTable
  daily_messages: DailyMessagesTable
  generations: GenerationsTable
  key_preferences: KeyPreferencesTable
  ledger_entries: LedgerEntriesTable
  library_entries: LibraryEntriesTable
  master_keys: MasterKeysTable
  messages: MessagesTable
  one_time_codes: OneTimeCodesTable
  payment_customers: PaymentCustomersTable
  payment_events: PaymentEventsTable
  payments: PaymentsTable
  plan_checkouts: PlanCheckoutsTable
  plugin_client_messages: PluginClientMessagesTable
  plugin_runs: PluginRunsTable
  plugin_turns: PluginTurnsTable
  plugin_versions: PluginVersionsTable
  plugins: PluginsTable
  provider_key_usage: ProviderKeyUsageTable
  provider_keys: ProviderKeysTable
  refresh_tokens: RefreshTokensTable
  sandbox_events: SandboxEventsTable
  sandbox_objects: SandboxObjectsTable
  security_events: SecurityEventsTable
  sessions: SessionsTable
  subscriptions: SubscriptionsTable
  usage_days: UsageDaysTable
  verification_tokens: VerificationTokensTable
}

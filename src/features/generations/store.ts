import { type Database, statement } from '../../platform/database/index.ts'
import type { LogEvent } from '../../platform/events/index.ts'
import type { Settings, Status } from './schema.ts'

/** A generation as it is kept. */
export interface Generation {
  id: string
  accountId: string
  kind: string
  conversationId: string | null
  messageId: string | null
  replyId: string | null
  status: Status
  finishReason: string | null
  model: string
  replyOffset: number
  settings: Settings
  isJob: boolean
  attempts: number
  inputTokens: number | null
  outputTokens: number | null
  cachedInputTokens: number | null
  usageEstimated: boolean
  costMicroCredits: number
  /** What is reserved for it while it runs; it never costs more. */
  holdMicroCredits: number
  /** The provider key that pays; null for credits. */
  keyId: string | null
  error: { code: string; message: string } | null
  lastSeq: number
  createdAt: Date
  startedAt: Date | null
  finishedAt: Date | null
}

/** What every read of a generation gives; the table is called `g`. */
export const generationColumns = `g.id, g.account_id as "accountId", g.kind, g.conversation_id as "conversationId",
  g.message_id as "messageId", g.reply_id as "replyId", g.status, g.finish_reason as "finishReason", g.model,
  g.reply_offset as "replyOffset", g.settings, g.is_job as "isJob", g.attempts, g.input_tokens as "inputTokens", g.output_tokens as "outputTokens",
  g.cached_input_tokens as "cachedInputTokens", g.usage_estimated as "usageEstimated",
  g.cost_micro_credits as "costMicroCredits", g.hold_micro_credits as "holdMicroCredits", g.key_id as "keyId",
  g.error, g.last_seq as "lastSeq", g.created_at as "createdAt",
  g.started_at as "startedAt", g.finished_at as "finishedAt"`

/** The client's name for a request, and a hash of what it asked, so that a repetition can be told from a reuse. */
export interface Idempotency {
  key: string
  requestHash: Buffer
}

/** status, is_job, attempts, heartbeat_at and started_at of a row that a process runs at once, or that waits for one. */
export function runningWith(runner: string): string {
  return `case when ${runner}::text is null then 'queued' else 'running' end, ${runner}::text is null,
    case when ${runner}::text is null then 0 else 1 end, case when ${runner}::text is not null then now() end,
    case when ${runner}::text is not null then now() end`
}

/** SQL: the CTE `fresh`, which fails where the key of a request was used; in a statement that has `held` before it. */
export function freshWith(account: string, key: string): string {
  return `fresh as materialized (select refuse_repeated(${account}, ${key}) from held)`
}

const readOne = statement<Generation>(
  `select ${generationColumns} from generations g where g.id = $1 and g.account_id = $2`,
)

/** A generation of an account, or null. */
export async function readGeneration(
  db: Database,
  id: string,
  accountId: string,
): Promise<Generation | null> {
  return (await readOne(db, id, accountId))[0] ?? null
}

const readByKey = statement<Generation & { requestHash: Buffer }>(
  `select ${generationColumns}, g.request_hash as "requestHash" from generations g
   where g.account_id = $1 and g.idempotency_key = $2`,
)

/** The generation that an account's key stands for, with the hash of what was asked; null when there is none. */
export async function readByIdempotencyKey(db: Database, accountId: string, key: string) {
  return (await readByKey(db, accountId, key))[0] ?? null
}

/** A generation with what its log can be rebuilt from. */
export interface StoredLog extends Generation {
  /** The reply's whole text; this run's part begins at `replyOffset`. */
  content: string
  marks: LogEvent[]
}

const readWithText = statement<StoredLog>(
  `select ${generationColumns}, g.marks, coalesce(m.content, '') as content
   from generations g left join messages m on m.id = g.reply_id where g.id = $1 and g.account_id = $2`,
)

/** A generation with its text and marks, or null. */
export async function readStoredLog(db: Database, id: string, accountId: string): Promise<StoredLog | null> {
  return (await readWithText(db, id, accountId))[0] ?? null
}

const readMany = statement<Generation>(
  `select ${generationColumns} from generations g where g.account_id = $1 and g.id = any($2::uuid[])`,
)

/** Some generations of an account. */
export async function readGenerations(
  db: Database,
  accountId: string,
  ids: readonly string[],
): Promise<Generation[]> {
  return ids.length === 0 ? [] : readMany(db, accountId, ids)
}

/** What a run has come to so far. */
export interface Progress {
  generationId: string
  /** The attempt that came to this: a run that was given to another process must not write any more. */
  attempts: number
  content: string
  lastSeq: number
  marks: readonly LogEvent[]
}

const saveProgress = statement<{ id: string }>(`with progress as (
    select * from unnest($1::uuid[], $2::text[], $3::int[], $4::jsonb[], $5::int[])
      as p (id, content, last_seq, marks, attempts)
  ), alive as (
    update generations g set last_seq = p.last_seq, marks = p.marks, heartbeat_at = now()
    from progress p where g.id = p.id and g.status = 'running' and g.attempts = p.attempts
    returning g.id, g.reply_id, p.content
  ), written as (
    update messages m set content = alive.content from alive where m.id = alive.reply_id
  )
  select id from alive`)

/**
 * Keeps the text of runs that are still going. Gives those that are; a run that has ended meanwhile, or that another
 * process has begun anew, is left as it is.
 */
export async function saveCheckpoints(db: Database, runs: readonly Progress[]): Promise<Set<string>> {
  const alive = await saveProgress(
    db,
    runs.map(run => run.generationId),
    runs.map(run => storable(run.content)),
    runs.map(run => run.lastSeq),
    runs.map(run => JSON.stringify(run.marks)),
    runs.map(run => run.attempts),
  )
  return new Set(alive.map(({ id }) => id))
}

/** Postgres text holds no NUL; a model that writes one gets the replacement character instead. */
export function storable(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text
}

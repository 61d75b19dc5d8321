import { type Database, statement } from '../../platform/database/index.ts'
import { settledWith } from '../billing/index.ts'
import { crashSpan } from './schema.ts'
import { type Generation, generationColumns, type Progress, type StoredLog, storable } from './store.ts'
import { type RecentMessage, recentMessages } from './store-turns.ts'

const readAnyones = statement<StoredLog & { runner: string | null; heartbeatAt: Date | null }>(
  `select ${generationColumns}, g.marks, g.runner, g.heartbeat_at as "heartbeatAt", coalesce(m.content, '') as content
   from generations g left join messages m on m.id = g.reply_id where g.id = $1`,
)

/** A generation of whatever account, for the worker that was given its id. */
export async function readJob(db: Database, id: string) {
  return (await readAnyones(db, id))[0] ?? null
}

/** A job as its worker takes it, with what its prompt is made of. */
export interface TakenJob extends StoredLog {
  /** The newest messages of its conversation up to the reply, newest first. */
  recent: readonly RecentMessage[] | null
}

const takeNew = statement<TakenJob>(
  `with g as (
     update generations set status = 'running', runner = $2, attempts = 1, heartbeat_at = now(), started_at = now()
     where id = $1 and status = 'queued' and attempts = 0
       and coalesce((settings ->> 'notBefore')::timestamptz, now()) <= now()
       and (key_id is not null or split_part(model, '/', 1) <> all ($3::text[]))
     returning *
   )
   select ${generationColumns}, g.marks, coalesce(m.content, '') as content, (
     select jsonb_agg(r) from (
       select n.role, n.content, n.position, c.system_prompt as "systemPrompt"
       from messages n join conversations c on c.id = n.conversation_id
       where n.conversation_id = g.conversation_id and not n.is_superseded and n.position <= m.position
       order by n.position desc limit ${recentMessages}) r
   ) as recent
   from g left join messages m on m.id = g.reply_id`,
)

/**
 * Takes a job that nobody has begun and that may begin now, with all that its run needs, in one statement. Null for any
 * other, and for one whose provider is among those that get a limited number of jobs.
 */
export async function takeNewJob(
  db: Database,
  { id, runner, limited }: { id: string; runner: string; limited: readonly string[] },
): Promise<TakenJob | null> {
  return (await takeNew(db, id, runner, limited))[0] ?? null
}

const claimOne = statement<{ attempts: number; startedAt: Date }>(
  `with claimed as (
     update generations set status = 'running', runner = $2, attempts = attempts + 1, heartbeat_at = now(),
       started_at = coalesce(started_at, now()), marks = '[]'
     where id = $1 and (status = 'queued' or (status = 'running' and is_job and runner = $3))
     returning attempts, started_at, reply_id
   ), emptied as (
     update messages set content = $4 from claimed
     where messages.id = claimed.reply_id and claimed.attempts > 1 and content <> $4
   )
   select attempts, started_at as "startedAt" from claimed`,
)

export interface Claim {
  id: string
  runner: string
  deadRunner: string | null
  /** What the reply held before the job's first attempt. */
  prefix: string
}

/**
 * Takes a job for this process: one that waits, or one that `deadRunner` had. What an earlier attempt wrote is gone, so
 * that the model is not told of it. Null when another was faster or it has ended.
 */
export async function claimJob(db: Database, { id, runner, deadRunner, prefix }: Claim) {
  return (await claimOne(db, id, runner, deadRunner, prefix))[0] ?? null
}

const putBackOne = statement(
  `with waiting as (
     update generations set status = 'queued', runner = null, last_seq = $2, marks = $4
     where id = $1 and status = 'running' and attempts = $3 returning reply_id
   )
   update messages set content = $5 from waiting where messages.id = waiting.reply_id`,
)

/** Lets a job wait for its next attempt. Until that begins, readers find what this one wrote. */
export async function putBack(db: Database, progress: Progress): Promise<void> {
  const { generationId, lastSeq, attempts, marks, content } = progress
  await putBackOne(db, generationId, lastSeq, attempts, JSON.stringify(marks), storable(content))
}

const putBackOrphan = statement<{ id: string }>(
  `update generations set status = 'queued', runner = null where id = $1 and status = 'running' and runner = $2 returning id`,
)

/** The same for a job whose process has died; false when somebody was faster. */
export async function putBackOrphaned(db: Database, id: string, runner: string): Promise<boolean> {
  return (await putBackOrphan(db, id, runner)).length > 0
}

const readWaiting = statement<Pick<Generation, 'id' | 'accountId'>>(
  `select id, account_id as "accountId" from generations
   where status = 'queued' and is_job and coalesce((settings ->> 'notBefore')::timestamptz, created_at) < now() - make_interval(secs => $1)
   order by created_at limit 200`,
)

/** Jobs that have waited for some seconds since they could begin: the queue may have lost them. */
export function listWaiting(db: Database, seconds: number) {
  return readWaiting(db, seconds)
}

const cancelWaiting = statement<{ id: string }>(
  `with ended as (update generations g set status = 'cancelled', finish_reason = 'cancelled', finished_at = now(),
     last_seq = last_seq + size, marks = marks || jsonb_build_array(jsonb_build_object('seq', last_seq + size,
       'span', size, 'type', 'generation-end', 'status', 'cancelled', 'finishReason', 'cancelled', 'error', null, 'usage', null, 'costMicroCredits', 0))
   from (select id, case when attempts > 0 then ${crashSpan} else 1 end as size from generations) sized
   where g.id = $1 and sized.id = $1 and account_id = $2 and status = 'queued' returning g.*), ${settledWith}
   select id from settled`,
)

/** Cancels a job that nobody has begun; false when somebody has. */
export async function cancelQueued(db: Database, accountId: string, id: string): Promise<boolean> {
  return (await cancelWaiting(db, id, accountId)).length > 0
}

const readOpen = statement<Pick<Generation, 'id' | 'status'>>(
  `select id, status from generations where account_id = $1 and status in ('queued', 'running')`,
)

/** What of an account has not ended, wherever it runs. */
export function listOpen(db: Database, accountId: string) {
  return readOpen(db, accountId)
}

const wish = statement(
  `update generations set is_cancel_wanted = true where id = $1 and account_id = $2 and status = 'running'`,
)

/** Leaves the wish that a run be cancelled where its process finds it. */
export async function wantCancel(db: Database, accountId: string, id: string): Promise<void> {
  await wish(db, id, accountId)
}

const readWishes = statement<{ id: string }>(
  `select id from generations where status = 'running' and runner = $1 and is_cancel_wanted`,
)

/** Runs of this process that somebody wants to be cancelled. */
export async function listCancelWishes(db: Database, runner: string): Promise<string[]> {
  return (await readWishes(db, runner)).map(row => row.id)
}

import { type Database, statement } from '../../platform/database/index.ts'

type RunStatus = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled' | 'interrupted'

/** A content job as it is kept: its conversation, the newest run in it, and what that has written. */
export interface JobRow {
  id: string
  prompt: string
  text: string
  runStatus: RunStatus
  finishReason: string | null
  error: { code: string; message: string } | null
  model: string
  generationId: string
  attempts: number
  costMicroCredits: number
  attributes: Readonly<Record<string, string>>
  notBefore: string | null
  /** The library entry that its result was saved as. */
  entryId: string | null
  createdAt: Date
  startedAt: Date | null
  finishedAt: Date | null
  updatedAt: Date
}

/** The newest run of the conversation `c`. */
const newestRun = `select * from generations r where r.conversation_id = c.id and r.kind = 'content'
    order by r.created_at desc, r.id desc limit 1`

const selectJobs = `select c.id, asked.content as prompt, coalesce(reply.content, '') as text, g.status as "runStatus",
    g.finish_reason as "finishReason", g.error, g.model, g.id as "generationId", g.attempts,
    g.cost_micro_credits as "costMicroCredits", coalesce(g.settings -> 'attributes', '{}') as attributes,
    g.settings ->> 'notBefore' as "notBefore", e.id as "entryId", c.created_at as "createdAt",
    g.started_at as "startedAt", g.finished_at as "finishedAt", coalesce(g.finished_at, g.started_at, g.created_at) as "updatedAt"
  from conversations c
  join lateral (${newestRun}) g on true
  join messages asked on asked.id = g.message_id
  left join messages reply on reply.id = g.reply_id
  left join library_entries e on e.account_id = c.account_id and e.generation_id = g.id`

const readOne = statement<JobRow>(
  `${selectJobs} where c.id = $1 and c.account_id = $2 and c.kind = 'content'`,
)

/** A job of the account, or null. */
export async function readJobRow(db: Database, accountId: string, id: string): Promise<JobRow | null> {
  return (await readOne(db, id, accountId))[0] ?? null
}

const readPage = statement<JobRow>(
  `${selectJobs} where c.account_id = $1 and c.kind = 'content' and ($2::uuid is null or c.id < $2)
     and ($3::text[] is null or g.status = any ($3))
   order by c.id desc limit $4`,
)

/** Jobs of an account, newest first, after the one with the id `before`; null does not restrict. */
export function listJobRows(
  db: Database,
  page: { accountId: string; before: string | null; statuses: readonly RunStatus[] | null; limit: number },
): Promise<JobRow[]> {
  return readPage(db, page.accountId, page.before, page.statuses, page.limit)
}

const deleteOne = statement<{ id: string }>(
  `delete from conversations where id = $1 and account_id = $2 and kind = 'content' returning id`,
)

/** Removes a job with its runs; false when the account has no such job. */
export async function deleteJobRow(db: Database, accountId: string, id: string): Promise<boolean> {
  return (await deleteOne(db, id, accountId)).length > 0
}

const readPrompt = statement<{ prompt: string; reply: string }>(
  `select asked.content as prompt, coalesce(reply.content, '') as reply from generations g
   join messages asked on asked.id = g.message_id left join messages reply on reply.id = g.reply_id where g.id = $1`,
)

/** What a run was asked, and what its reply holds already. */
export async function readAsked(db: Database, generationId: string) {
  return (await readPrompt(db, generationId))[0] ?? null
}

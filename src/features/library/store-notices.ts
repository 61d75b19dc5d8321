import { type Database, statement } from '../../platform/database/index.ts'

/** The end of a job, to be told. */
export interface NoticeRow {
  seq: number
  jobId: string
  status: 'completed' | 'failed' | 'cancelled' | 'interrupted'
  text: string
  error: { code: string; message: string } | null
  finishedAt: Date
  /** Microseconds do not matter here: how old the notice is. */
  createdAt: Date
}

/** Which notices a client is to be told: after a position, or those that it may have missed. */
export interface NoticeWindow {
  accountId: string
  /** Null when the client did not say. */
  after: number | null
  /** Without a position: what nobody got before this moment. */
  missedSince: Date
  /** What this client has got. */
  except: readonly number[]
  limit: number
}

const readMissed = statement<NoticeRow>(
  `select n.seq, n.job_id as "jobId", g.status, coalesce(m.content, '') as text, g.error, g.finished_at as "finishedAt",
     n.created_at as "createdAt"
   from content_notices n join generations g on g.id = n.generation_id left join messages m on m.id = g.reply_id
   where n.account_id = $1 and n.seq <> all ($4::bigint[])
     and case when $2::bigint is null then n.delivered_at is null or n.delivered_at > $3 else n.seq > $2 end
     -- The job has been tried again since: its end is still to come.
     and not exists (select from generations later where later.conversation_id = n.job_id
       and later.kind = 'content' and later.created_at > g.created_at)
   order by n.seq limit $5`,
)

/** What a client is to be told, oldest first. */
export function listNotices(db: Database, window: NoticeWindow): Promise<NoticeRow[]> {
  const { accountId, after, missedSince, except, limit } = window
  return readMissed(db, accountId, after, missedSince, except, limit)
}

const markOne = statement(
  `update content_notices set delivered_at = now() where seq = $1 and delivered_at is null`,
)

/** Notes that a socket of the account got it. */
export async function markDelivered(db: Database, seq: number): Promise<void> {
  await markOne(db, seq)
}

const readFresh = statement<{ accountId: string }>(
  `select distinct account_id as "accountId" from content_notices
   where account_id = any ($1) and created_at > now() - make_interval(secs => $2)`,
)

/** Those of the accounts of which something ended in the last seconds. */
export async function listFresh(
  db: Database,
  accountIds: readonly string[],
  seconds: number,
): Promise<string[]> {
  return (await readFresh(db, accountIds, seconds)).map(row => row.accountId)
}

const deleteOld = statement(
  `delete from content_notices
   where delivered_at < now() - interval '1 day' or created_at < now() - interval '30 days'`,
)

/** Forgets what was told a day ago, and what nobody has asked for in 30 days. */
export async function deleteOldNotices(db: Database): Promise<void> {
  await deleteOld(db)
}

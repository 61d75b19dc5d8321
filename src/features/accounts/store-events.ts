import { type Database, statement } from '../../platform/database/index.ts'

/** A security event as it is kept. */
export interface SecurityEventRow {
  id: string
  accountId: string | null
  kind: string
  sessionId: string | null
  actorId: string | null
  ip: string | null
  userAgent: string | null
  detail: Record<string, unknown>
  createdAt: Date
}

const columns = `id, account_id as "accountId", kind, session_id as "sessionId", actor_id as "actorId", ip,
  user_agent as "userAgent", detail, created_at as "createdAt"`

const insert = statement(
  `insert into security_events (id, account_id, kind, session_id, actor_id, ip, user_agent, detail, created_at)
   values ($1, (select id from accounts where id = $2), $3, $4, $5, $6, $7, $8::jsonb, $9)`,
)

/** Adds one event; an account that has vanished meanwhile is left out of it. */
export async function insertSecurityEvent(db: Database, event: SecurityEventRow): Promise<void> {
  const { id, accountId, kind, sessionId, actorId, ip, userAgent, detail, createdAt } = event
  await insert(db, id, accountId, kind, sessionId, actorId, ip, userAgent, JSON.stringify(detail), createdAt)
}

const listing = statement<SecurityEventRow>(
  `select ${columns} from security_events
   where ($1::uuid is null or account_id = $1) and ($2::uuid is null or id < $2) and ($3::text is null or kind = $3)
   order by id desc limit $4`,
)

export interface EventPage {
  accountId?: string | undefined
  kind?: string | undefined
  /** Only events older than this one. */
  before?: string | undefined
  limit: number
}

/** Events, the newest first; of one account or of all. */
export async function listSecurityEvents(db: Database, page: EventPage): Promise<SecurityEventRow[]> {
  return listing(db, page.accountId ?? null, page.before ?? null, page.kind ?? null, page.limit)
}

const prune = statement<{ count: number }>(
  `with allowed as (select set_config('atelier.erasing', 'on', true)),
     gone as (delete from security_events where created_at < $1 and (select true from allowed) returning 1)
   select count(*)::int as count from gone`,
)

/** Removes events older than the date, for good. */
export async function pruneSecurityEvents(db: Database, before: Date): Promise<number> {
  return (await prune(db, before))[0]?.count ?? 0
}

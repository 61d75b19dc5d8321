import { type Database, statement } from '../../platform/database/index.ts'
import type { AccountStatus, Role } from './store.ts'

export type SessionEnd =
  | 'logout'
  | 'revoked'
  | 'password-changed'
  | 'password-reset'
  | 'refresh-reuse'
  | 'banned'
  | 'erased'
  | 'replaced'

/** A session as it is kept. */
export interface SessionRow {
  id: string
  accountId: string
  name: string
  userAgent: string | null
  ip: string | null
  createdAt: Date
  lastUsedAt: Date
  expiresAt: Date
}

const columns = `id, account_id as "accountId", name, user_agent as "userAgent", ip, created_at as "createdAt",
  last_used_at as "lastUsedAt", expires_at as "expiresAt"`

const insert = statement(
  `insert into sessions (id, account_id, name, user_agent, ip, network, created_at, last_used_at, expires_at)
   values ($1, $2, $3, $4, $5, $6, $7, $7, $8)`,
)

export interface NewSession {
  id: string
  accountId: string
  name: string
  userAgent: string | null
  ip: string | null
  network: string | null
  now: Date
  expiresAt: Date
}

export async function insertSession(db: Database, session: NewSession): Promise<void> {
  const { id, accountId, name, userAgent, ip, network, now, expiresAt } = session
  await insert(db, id, accountId, name, userAgent, ip, network, now, expiresAt)
}

/** What an access token's session is worth right now. */
export interface SessionState {
  sessionId: string
  accountId: string
  role: Role
  status: AccountStatus
}

const live = statement<SessionState>(
  `select s.id as "sessionId", s.account_id as "accountId", a.role, a.status
   from sessions s join accounts a on a.id = s.account_id
   where s.id = any($1::uuid[]) and s.ended_at is null and s.expires_at > $2 and a.erasing_at is null`,
)

/** The state of each of the sessions that has neither ended nor expired. */
export async function findLiveSessions(
  db: Database,
  ids: readonly string[],
  now: Date,
): Promise<Map<string, SessionState>> {
  return new Map((await live(db, ids, now)).map(state => [state.sessionId, state]))
}

const listing = statement<SessionRow>(
  `select ${columns} from sessions where account_id = $1 and ended_at is null and expires_at > $2
   order by last_used_at desc, id desc limit 200`,
)

/** An account's live sessions, the last used first. */
export async function listSessions(db: Database, accountId: string, now: Date): Promise<SessionRow[]> {
  return listing(db, accountId, now)
}

const rename = statement<SessionRow>(
  `update sessions set name = $3 where id = $2 and account_id = $1 and ended_at is null and expires_at > $4 returning ${columns}`,
)

export async function renameSession(
  db: Database,
  input: { accountId: string; id: string; name: string; now: Date },
): Promise<SessionRow | null> {
  return (await rename(db, input.accountId, input.id, input.name, input.now))[0] ?? null
}

const end = statement<{ id: string }>(
  `update sessions set ended_at = $3, end_reason = $4
   where account_id = $1 and ended_at is null and expires_at > $3 and ($2::uuid is null or id = $2) and ($5::uuid is null or id <> $5)
   returning id`,
)

/** Ends one live session of an account, or all of them (but for `except`); gives the ids of those it ended. */
export async function endSessions(
  db: Database,
  input: { accountId: string; id?: string; except?: string | undefined; reason: SessionEnd; now: Date },
): Promise<string[]> {
  const rows = await end(db, input.accountId, input.id ?? null, input.now, input.reason, input.except ?? null)
  return rows.map(row => row.id)
}

const touch = statement(
  `update sessions set last_used_at = $2, expires_at = greatest(expires_at, $3) where id = $1`,
)

/** Notes that a session was used and how long it now lasts. */
export async function touchSession(
  db: Database,
  id: string,
  times: { now: Date; expiresAt: Date },
): Promise<void> {
  await touch(db, id, times.now, times.expiresAt)
}

const knownNetwork = statement<{ known: boolean }>(
  `select exists (select 1 from sessions where account_id = $1 and network = $2) as known`,
)

/** Whether the account has signed in from this network before. */
export async function isKnownNetwork(db: Database, accountId: string, network: string): Promise<boolean> {
  return (await knownNetwork(db, accountId, network))[0]?.known ?? false
}

/** A refresh token with the session that it belongs to. */
export interface RefreshTokenRow {
  id: string
  expiresAt: Date
  usedAt: Date | null
  sessionId: string
  sessionStartedAt: Date
  isSessionLive: boolean
  accountId: string
  status: AccountStatus
}

const byHash = statement<RefreshTokenRow>(
  `select t.id, t.expires_at as "expiresAt", t.used_at as "usedAt", t.session_id as "sessionId",
     s.created_at as "sessionStartedAt", s.ended_at is null and s.expires_at > $2 and a.erasing_at is null as "isSessionLive",
     s.account_id as "accountId", a.status
   from refresh_tokens t join sessions s on s.id = t.session_id join accounts a on a.id = s.account_id
   where t.token_hash = $1 for update of t`,
)

/** The token of a hash, kept from being exchanged by others until the transaction ends. */
export async function lockRefreshToken(
  db: Database,
  hash: Buffer,
  now: Date,
): Promise<RefreshTokenRow | null> {
  return (await byHash(db, hash, now))[0] ?? null
}

const childOf = statement<{ id: string; usedAt: Date | null; expiresAt: Date }>(
  `select id, used_at as "usedAt", expires_at as "expiresAt" from refresh_tokens where parent_id = $1`,
)

/** The token that this one was exchanged for. */
export async function findChildToken(db: Database, parentId: string) {
  return (await childOf(db, parentId))[0] ?? null
}

const insertToken = statement(
  `insert into refresh_tokens (id, session_id, parent_id, token_hash, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)`,
)

export interface NewRefreshToken {
  id: string
  sessionId: string
  parentId: string | null
  hash: Buffer
  now: Date
  expiresAt: Date
}

export async function insertRefreshToken(db: Database, token: NewRefreshToken): Promise<void> {
  await insertToken(db, token.id, token.sessionId, token.parentId, token.hash, token.now, token.expiresAt)
}

const markUsed = statement(`update refresh_tokens set used_at = $2 where id = $1`)

export async function markRefreshTokenUsed(db: Database, id: string, now: Date): Promise<void> {
  await markUsed(db, id, now)
}

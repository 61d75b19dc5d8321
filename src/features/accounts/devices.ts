import { missing } from '../../lib/errors.ts'
import { isId } from '../../lib/ids.ts'
import type { Parts } from './parts.ts'
import type { SessionView } from './schema-sessions.ts'
import { type Client, noteSecurityEvent } from './security-log.ts'
import { endSessions, listSessions, renameSession, type SessionRow } from './store-sessions.ts'

interface Caller {
  accountId: string
  sessionId: string
}

/** The caller's live sessions, the last used first. */
export async function listDevices(parts: Parts, caller: Caller): Promise<SessionView[]> {
  const rows = await listSessions(parts.db, caller.accountId, new Date(parts.now()))
  return rows.map(row => viewSession(row, caller))
}

/** Gives a session a name by which its owner recognises it. Throws 404. */
export async function nameDevice(
  parts: Parts,
  caller: Caller,
  input: { id: string; name: string },
): Promise<SessionView> {
  const now = new Date(parts.now())
  const { accountId } = caller
  const row = isId(input.id)
    ? await renameSession(parts.db, { accountId, id: input.id, name: input.name.trim(), now })
    : null
  if (!row) throw missing('Session')
  return viewSession(row, caller)
}

/** Signs one device of the caller out, on every wire. Throws 404. */
export async function revokeDevice(
  parts: Parts,
  caller: Caller & { client: Client },
  id: string,
): Promise<void> {
  const now = new Date(parts.now())
  const { accountId, client } = caller
  const ended = await parts.db.transaction().execute(async db => {
    const ids = isId(id) ? await endSessions(db, { accountId, id, reason: 'revoked', now }) : []
    if (ids.length > 0)
      await noteSecurityEvent(db, now, { kind: 'session-revoked', accountId, sessionId: id, client })
    return ids
  })
  if (ended.length === 0) throw missing('Session')
  await parts.presence.end(ended)
}

/** Signs every other device of the caller out; gives how many there were. */
export async function revokeOtherDevices(parts: Parts, caller: Caller & { client: Client }): Promise<number> {
  const now = new Date(parts.now())
  const { accountId, sessionId, client } = caller
  const ended = await parts.db.transaction().execute(async db => {
    const ids = await endSessions(db, { accountId, except: sessionId, reason: 'revoked', now })
    const detail = { count: ids.length }
    if (ids.length > 0)
      await noteSecurityEvent(db, now, { kind: 'sessions-revoked', accountId, sessionId, client, detail })
    return ids
  })
  await parts.presence.end(ended)
  return ended.length
}

function viewSession(row: SessionRow, caller: Caller): SessionView {
  return {
    id: row.id,
    name: row.name,
    ip: row.ip,
    userAgent: row.userAgent,
    isCurrent: row.id === caller.sessionId,
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: row.lastUsedAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
  }
}

import { AppError, missing } from '../../lib/errors.ts'
import { isId } from '../../lib/ids.ts'
import { readEmail } from './addresses.ts'
import type { Parts } from './parts.ts'
import type { AccountView, SecurityEventView } from './schema.ts'
import { type Client, noteSecurityEvent } from './security-log.ts'
import { findAccountByAddress } from './store.ts'
import { type EventPage, listSecurityEvents, type SecurityEventRow } from './store-events.ts'
import { changeStatus, listAccounts, setRole } from './store-profile.ts'
import { endSessions } from './store-sessions.ts'
import { viewAccount } from './view.ts'

interface Deed {
  accountId: string
  /** The administrator. */
  actorId: string
  client: Client
}

/**
 * Closes an account: every session ends, what runs for it stops, and nobody signs in to it until it is opened again.
 * Throws 404, 409.
 */
export async function banAccount(parts: Parts, deed: Deed): Promise<void> {
  if (deed.accountId === deed.actorId)
    throw new AppError('conflict', 'OWN_ACCOUNT', 'You cannot close your own account')
  const now = new Date(parts.now())
  const { accountId } = deed
  const ended = await parts.db.transaction().execute(async db => {
    const isBanned =
      isId(accountId) &&
      ((await changeStatus(db, accountId, { from: 'active', to: 'banned', now })) ||
        (await changeStatus(db, accountId, { from: 'pending', to: 'banned', now })))
    if (!isBanned) throw missing('Account')
    await noteSecurityEvent(db, now, { kind: 'account-banned', ...deed })
    return endSessions(db, { accountId, reason: 'banned', now })
  })
  await parts.presence.end(ended)
  await parts.presence.changed(accountId)
  for (const stop of parts.closings) parts.later(() => stop(accountId))
}

/** Opens a closed account again. Throws 404. */
export async function unbanAccount(parts: Parts, deed: Deed): Promise<void> {
  const now = new Date(parts.now())
  await parts.db.transaction().execute(async db => {
    const { accountId } = deed
    const isOpened =
      isId(accountId) && (await changeStatus(db, accountId, { from: 'banned', to: 'active', now }))
    if (!isOpened) throw missing('Account')
    await noteSecurityEvent(db, now, { kind: 'account-unbanned', ...deed })
  })
}

/** Gives the account of an e-mail address a role; for whoever has the machine. Throws 404. */
export async function setRoleByEmail(
  parts: Parts,
  email: string,
  role: 'user' | 'admin',
): Promise<AccountView> {
  const account = await findAccountByAddress(parts.db, readEmail(email))
  if (!account || account.erasingAt) throw missing('Account')
  const now = new Date(parts.now())
  await parts.db.transaction().execute(async db => {
    await setRole(db, account.id, { role, now })
    await noteSecurityEvent(db, now, { kind: 'role-changed', accountId: account.id, detail: { role } })
  })
  await parts.presence.changed(account.id)
  return viewAccount({ ...account, role })
}

/** A page of accounts, the newest first. */
export async function searchAccounts(
  parts: Parts,
  page: { before?: string | undefined; search?: string | undefined; limit: number },
): Promise<{ accounts: AccountView[]; nextCursor: string | null }> {
  const rows = await listAccounts(parts.db, { ...page, before: cursor(page.before), limit: page.limit + 1 })
  const accounts = rows.slice(0, page.limit).map(viewAccount)
  return { accounts, nextCursor: rows.length > page.limit ? (accounts.at(-1)?.id ?? null) : null }
}

/** A page of security events, the newest first: of one account, or of all for administrators. */
export async function readSecurityEvents(
  parts: Parts,
  page: EventPage,
): Promise<{ events: SecurityEventView[]; nextCursor: string | null }> {
  if (page.accountId !== undefined && !isId(page.accountId)) return { events: [], nextCursor: null }
  const rows = await listSecurityEvents(parts.db, {
    ...page,
    before: cursor(page.before),
    limit: page.limit + 1,
  })
  const events = rows.slice(0, page.limit).map(viewEvent)
  return { events, nextCursor: rows.length > page.limit ? (events.at(-1)?.id ?? null) : null }
}

/** Cursors are ids; any other text is the end of no page, so it begins anew. */
function cursor(text: string | undefined): string | undefined {
  return text !== undefined && isId(text) ? text : undefined
}

function viewEvent(row: SecurityEventRow): SecurityEventView {
  return { ...row, createdAt: row.createdAt.toISOString() }
}

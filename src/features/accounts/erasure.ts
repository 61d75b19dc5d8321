import { missing } from '../../lib/errors.ts'
import type { Parts } from './parts.ts'
import { confirmPassword, proveOwn } from './recovery.ts'
import { type Client, noteSecurityEvent } from './security-log.ts'
import { findAccount } from './store.ts'
import { takeOwnVerification } from './store-codes.ts'
import { beginErasure, deleteAccount, findErasing } from './store-profile.ts'
import { endSessions } from './store-sessions.ts'

/**
 * Erases an account and everything of it. From the first moment it cannot be used; if a part fails (a file store is down),
 * the rest is done by `resumeErasures`. Throws 404.
 */
export async function eraseAccount(parts: Parts, accountId: string): Promise<void> {
  const now = new Date(parts.now())
  const ended = await parts.db.transaction().execute(async db => {
    if (!(await beginErasure(db, accountId, now))) throw missing('Account')
    return endSessions(db, { accountId, reason: 'erased', now })
  })
  await parts.presence.end(ended)
  await finish(parts, accountId)
}

/**
 * Erases the caller's own account, confirmed by its password or by a verified code of purpose `account-deletion`: by its token, or
 * (for clients of a published API that keep none) by having exchanged the code within the hour. Throws 400.
 */
export async function eraseOwnAccount(
  parts: Parts,
  input: {
    accountId: string
    client: Client
    password?: string | undefined
    verificationToken?: string | undefined
    mayHaveVerified?: boolean
  },
): Promise<void> {
  const { accountId, client, password, verificationToken } = input
  const account = await findAccount(parts.db, accountId)
  if (!account) throw missing('Account')
  if (password === undefined && verificationToken === undefined && input.mayHaveVerified) {
    const now = new Date(parts.now())
    if (await takeOwnVerification(parts.db, { accountId, purpose: 'account-deletion', now }))
      return eraseAccount(parts, accountId)
  }
  if (verificationToken === undefined)
    await confirmPassword(parts, account, { password, client, field: 'password' })
  else
    await proveOwn(parts, parts.db, { token: verificationToken, purposes: ['account-deletion'], accountId })
  await eraseAccount(parts, accountId)
}

/** Goes on with erasures that were interrupted more than a minute ago. */
export async function resumeErasures(parts: Parts): Promise<void> {
  const before = new Date(parts.now() - 60_000)
  for (const accountId of await findErasing(parts.db, before)) await finish(parts, accountId)
}

async function finish(parts: Parts, accountId: string): Promise<void> {
  if (!(await parts.erasures.run(accountId))) return
  await parts.db.transaction().execute(async db => {
    await deleteAccount(db, accountId)
    await noteSecurityEvent(db, new Date(parts.now()), { kind: 'account-deleted', accountId: null })
  })
}

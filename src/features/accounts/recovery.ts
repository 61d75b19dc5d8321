import { AppError, invalidField, missing } from '../../lib/errors.ts'
import type { Database } from '../../platform/database/index.ts'
import { readAddress } from './addresses.ts'
import { checkCode, invalidCode, ownAddress, sendCode } from './codes.ts'
import { deliver } from './letters.ts'
import type { Parts } from './parts.ts'
import { checkNewPassword, type PasswordPolicy } from './passwords.ts'
import { type Client, noteSecurityEvent } from './security-log.ts'
import { type AccountRow, findAccount, findAccountByAddress, lockAccount } from './store.ts'
import { dropProofs } from './store-codes.ts'
import { markProven, setPasswordHash } from './store-profile.ts'
import { endSessions } from './store-sessions.ts'
import { invalidVerification, spendVerification } from './verifications.ts'

/** Sends a code, and by mail also a link, that set a new password; the answer is the same for unknown addresses. */
export function forgotPassword(
  parts: Parts,
  input: { email?: string | undefined; mobile?: string | undefined },
  client: Client,
) {
  return sendCode(parts, { address: readAddress(input), purpose: 'password-reset', client })
}

export interface PasswordReset {
  newPassword: string
  /** Proof: a token from a link or a verified code, … */
  verificationToken?: string | undefined
  /** … or the address and its code. */
  email?: string | undefined
  mobile?: string | undefined
  code?: string | undefined
  policy?: PasswordPolicy
}

/** Sets a new password by code or token and ends every session of the account. Throws 400 for what does not prove it. */
export async function resetPassword(parts: Parts, input: PasswordReset, client: Client): Promise<void> {
  checkNewPassword(input.newPassword, policyOf(parts, input.policy), 'newPassword')
  const hash = await parts.passwords.hash(input.newPassword)
  const byCode = input.verificationToken === undefined ? await proveByCode(parts, input, client) : null
  const now = new Date(parts.now())
  const { account, ended } = await parts.db.transaction().execute(async db => {
    const { accountId, channel } = byCode ?? (await proveByToken(parts, db, input.verificationToken ?? ''))
    const locked = await lockAccount(db, accountId)
    if (!locked) throw invalidVerification()
    await setPasswordHash(db, accountId, { hash, now })
    await markProven(db, accountId, { channel, now })
    await dropProofs(db, accountId)
    await noteSecurityEvent(db, now, { kind: 'password-reset', accountId, client })
    return { account: locked, ended: await endSessions(db, { accountId, reason: 'password-reset', now }) }
  })
  await parts.presence.end(ended)
  tellOwner(parts, account)
}

export interface PasswordChange {
  newPassword: string
  currentPassword?: string | undefined
  /** Instead of the current password: a verified code of purpose `verification` or `password-reset`. */
  verificationToken?: string | undefined
  policy?: PasswordPolicy
}

/** Changes the caller's password and ends its other sessions. Throws 400 when the proof is missing or wrong. */
export async function changePassword(
  parts: Parts,
  input: PasswordChange & { identity: { accountId: string; sessionId: string } },
  client: Client,
): Promise<void> {
  const { identity } = input
  checkNewPassword(input.newPassword, policyOf(parts, input.policy), 'newPassword')
  const account = await findAccount(parts.db, identity.accountId)
  if (!account) throw missing('Account')
  if (input.verificationToken === undefined)
    await confirmPassword(parts, account, { password: input.currentPassword, client })
  const hash = await parts.passwords.hash(input.newPassword)
  const now = new Date(parts.now())
  const ended = await parts.db.transaction().execute(async db => {
    const { accountId, sessionId } = identity
    if (input.verificationToken !== undefined) {
      const purposes = ['verification', 'password-reset'] as const
      await proveOwn(parts, db, { token: input.verificationToken, purposes, accountId })
    }
    await setPasswordHash(db, accountId, { hash, now })
    await dropProofs(db, accountId)
    await noteSecurityEvent(db, now, { kind: 'password-changed', accountId, sessionId, client })
    return endSessions(db, { accountId, except: sessionId, reason: 'password-changed', now })
  })
  await parts.presence.end(ended)
  tellOwner(parts, account)
}

/** Refuses unless it is the account's password; wrong ones count like wrong sign-ins. Throws 400. */
export async function confirmPassword(
  parts: Parts,
  account: AccountRow,
  input: { password: string | undefined; client: Client; field?: string },
): Promise<void> {
  const { password, client, field = 'currentPassword' } = input
  if (account.passwordHash === null)
    throw invalidField('verificationToken', 'is required: this account has no password')
  if (password === undefined) throw invalidField(field, 'is required')
  const attempt = await parts.limits.login(ownAddress(account), client, async () => true)
  if (!(await parts.passwords.matches(password, account.passwordHash, attempt))) {
    await noteSecurityEvent(parts.db, new Date(parts.now()), {
      kind: 'password-check-failed',
      accountId: account.id,
      client,
    })
    throw new AppError('invalid', 'INVALID_PASSWORD', 'Current password is incorrect', {
      details: [{ field, message: 'is incorrect' }],
    })
  }
}

/** Uses up a verification token that the signed-in account itself earned. Throws 400 for anybody else's. */
export async function proveOwn(
  parts: Parts,
  db: Database,
  input: { token: string; purposes: Parameters<typeof spendVerification>[2]['purposes']; accountId: string },
): Promise<void> {
  const used = await spendVerification(parts, db, { token: input.token, purposes: input.purposes })
  if (used.accountId !== input.accountId) throw invalidVerification()
}

/** The policy of our own API, unless the caller brings another one. */
export function policyOf(parts: Parts, policy: PasswordPolicy | undefined): PasswordPolicy {
  return policy ?? { minLength: 8, refuseCommon: parts.settings.refuseCommonPasswords }
}

async function proveByCode(parts: Parts, input: PasswordReset, client: Client) {
  if (input.code === undefined)
    throw invalidField('verificationToken', 'or an address with its code is required')
  const address = readAddress(input)
  const account = await findAccountByAddress(parts.db, address)
  const right = await checkCode(parts, {
    address,
    purpose: 'password-reset',
    code: input.code,
    client,
    account,
  })
  if (!right?.accountId) throw invalidCode()
  return { accountId: right.accountId, channel: right.to.channel }
}

async function proveByToken(parts: Parts, db: Database, token: string) {
  const used = await spendVerification(parts, db, { token, purposes: ['password-reset'] })
  if (used.accountId === null) throw invalidVerification()
  return { accountId: used.accountId, channel: used.channel }
}

function tellOwner(parts: Parts, account: AccountRow): void {
  parts.later(() => deliver(parts, ownAddress(account), { kind: 'password-changed' }))
}

import { AppError } from '../../lib/errors.ts'
import { networkOf } from '../../lib/networks.ts'
import { type Address, readAddress } from './addresses.ts'
import { checkCode, invalidCode } from './codes.ts'
import type { Parts } from './parts.ts'
import { type Client, noteSecurityEvent } from './security-log.ts'
import { type SessionWish, startSession } from './sessions.ts'
import { type AccountRow, findAccountByAddress } from './store.ts'
import { replaceHash } from './store-profile.ts'
import { endSessions, isKnownNetwork } from './store-sessions.ts'
import { type SignedInAccount, viewAccount } from './view.ts'

export interface SignIn {
  email?: string | undefined
  mobile?: string | undefined
  password: string
  session?: SessionWish | undefined
}

/**
 * Signs in by password. Unknown address, wrong password and code-only account are one 401 INVALID_CREDENTIALS, equally
 * slow. Only the right password learns 403 ACCOUNT_NOT_VERIFIED or ACCOUNT_BANNED. Throws 429 after ten wrong ones.
 */
export async function signIn(parts: Parts, input: SignIn, client: Client): Promise<SignedInAccount> {
  const address = readAddress(input)
  const account = await findAccountByAddress(parts.db, address)
  const attempt = await parts.limits.login(address, client, () => isKnownHere(parts, account, client))
  const isRight = await parts.passwords.matches(input.password, account?.passwordHash ?? null, attempt)
  if (!isRight || !account || account.erasingAt) {
    await noteFailure(parts, account, { client, by: 'password' })
    throw new AppError('unauthenticated', 'INVALID_CREDENTIALS', 'Invalid email or password')
  }
  parts.later(() => strengthen(parts, account, input.password))
  return enter(parts, account, { client, by: 'password', wish: input.session })
}

/** Signs in by a code that was sent for this purpose, without a password. Throws 400 INVALID_CODE. */
export async function signInByCode(
  parts: Parts,
  input: {
    email?: string | undefined
    mobile?: string | undefined
    code: string
    session?: SessionWish | undefined
  },
  client: Client,
): Promise<SignedInAccount> {
  const address = readAddress(input)
  const account = await findAccountByAddress(parts.db, address)
  const right = await checkCode(parts, { address, purpose: 'sign-in', code: input.code, client, account })
  if (!right || !account || account.erasingAt || !isProven(account, address)) throw invalidCode()
  return enter(parts, account, { client, by: 'code', wish: input.session })
}

/** Whether the account has proven the address that it is asked for by. */
export function isProven(account: AccountRow, address: Address): boolean {
  return (address.channel === 'email' ? account.emailVerifiedAt : account.mobileVerifiedAt) !== null
}

async function enter(
  parts: Parts,
  account: AccountRow,
  how: { client: Client; by: 'password' | 'code'; wish?: SessionWish | undefined },
): Promise<SignedInAccount> {
  if (account.status === 'banned')
    throw new AppError('forbidden', 'ACCOUNT_BANNED', 'This account has been closed')
  if (account.status === 'pending') {
    const message = 'Please finish your sign-up with the code that was sent to you'
    throw new AppError(
      'forbidden',
      account.email === null ? 'MOBILE_NOT_VERIFIED' : 'EMAIL_NOT_VERIFIED',
      message,
    )
  }
  const now = new Date(parts.now())
  const tokens = await parts.db.transaction().execute(async db => {
    const started = await startSession(parts, db, {
      accountId: account.id,
      client: how.client,
      wish: how.wish,
    })
    const { sessionId } = started
    await noteSecurityEvent(db, now, {
      kind: 'signed-in',
      accountId: account.id,
      client: how.client,
      sessionId,
      detail: { by: how.by },
    })
    return started
  })
  return { account: viewAccount(account), tokens }
}

/** Ends the caller's own session. */
export async function signOut(
  parts: Parts,
  identity: { accountId: string; sessionId: string },
  client: Client,
): Promise<void> {
  const now = new Date(parts.now())
  const ended = await parts.db.transaction().execute(async db => {
    const ids = await endSessions(db, {
      accountId: identity.accountId,
      id: identity.sessionId,
      reason: 'logout',
      now,
    })
    if (ids.length > 0) await noteSecurityEvent(db, now, { kind: 'signed-out', ...identity, client })
    return ids
  })
  await parts.presence.end(ended)
}

/** Hashes the password anew when it was kept at another cost than today's. */
async function strengthen(parts: Parts, account: AccountRow, password: string): Promise<void> {
  const old = account.passwordHash
  if (old === null || parts.passwords.isCurrent(old)) return
  await replaceHash(parts.db, account.id, { old, new: await parts.passwords.hash(password) })
}

async function isKnownHere(parts: Parts, account: AccountRow | null, client: Client): Promise<boolean> {
  // The nil id belongs to nobody: an unknown address costs the same query.
  return isKnownNetwork(parts.db, account?.id ?? '00000000-0000-0000-0000-000000000000', networkOf(client.ip))
}

async function noteFailure(
  parts: Parts,
  account: AccountRow | null,
  how: { client: Client; by: 'password' },
): Promise<void> {
  const { client, by } = how
  const accountId = account?.id ?? null
  await noteSecurityEvent(parts.db, new Date(parts.now()), {
    kind: 'sign-in-failed',
    accountId,
    client,
    detail: { by },
  })
}

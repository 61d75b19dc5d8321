import { randomInt } from 'node:crypto'
import { AppError } from '../../lib/errors.ts'
import { keyedHash } from '../../lib/seal.ts'
import { type Address, readAddress, readEmail, readMobile } from './addresses.ts'
import { deliver } from './letters.ts'
import type { Parts } from './parts.ts'
import type { Purpose } from './schema-codes.ts'
import { type Client, noteSecurityEvent } from './security-log.ts'
import { type AccountRow, findAccount, findAccountByAddress } from './store.ts'
import { codeStanding, forgetFailures, putCode, tryCode } from './store-codes.ts'
import { issueVerification } from './verifications.ts'

const minute = 60_000
const lifetimeMs = { email: 10 * minute, mobile: 5 * minute }
const maxAttempts = 5
/** Wrong tries in a row at one address before no more codes are sent to it, for a day. */
const maxFailures = 100
const hardStopMs = 24 * 60 * minute
const verificationLifetimeMs = 60 * minute

/** What asking for a code gives; the same whether or not anything was sent. `code` only with OTP_ECHO. */
export interface CodeSent {
  expiresIn: number
  code?: string
}

export interface CodeRequest {
  address: Address
  purpose: Purpose
  client: Client
  /** The account it is for, when the caller has found it already. */
  account?: AccountRow | null
}

/**
 * Sends a code as a caller asks for it. Signed in, `verification` and `account-deletion` need no address: it is the
 * account's own; `address-change` is for the signed in only. Throws 400, 401, 429.
 */
export async function requestCode(
  parts: Parts,
  input: {
    email?: string | undefined
    mobile?: string | undefined
    purpose: Purpose
    /** The account that is signed in. */
    accountId?: string | undefined
  },
  client: Client,
): Promise<CodeSent> {
  const { purpose, accountId, email, mobile } = input
  const own = accountId === undefined ? null : await findAccount(parts.db, accountId)
  if (purpose === 'address-change') {
    if (!own) throw new AppError('unauthenticated', 'AUTH_REQUIRED', 'Please sign in to change your address')
    return sendCode(parts, { address: readAddress({ email, mobile }), purpose, client, account: own })
  }
  const isOwn = email === undefined && mobile === undefined && own !== null
  const address = isOwn ? ownAddress(own) : readAddress({ email, mobile })
  return sendCode(parts, { address, purpose, client, ...(isOwn ? { account: own } : {}) })
}

/** The address that the account is best reached at. */
export function ownAddress(account: AccountRow): Address {
  return account.email === null ? readMobile(account.mobile ?? '') : readEmail(account.email)
}

/**
 * Sends a new code to the address when it may have one for this purpose; answers the same when not. Older codes for the
 * same purpose stop working. Throws 429 beyond five an hour.
 */
export async function sendCode(parts: Parts, request: CodeRequest): Promise<CodeSent> {
  const { purpose, client } = request
  await parts.limits.code(request.address, client)
  const account =
    request.account === undefined ? await findAccountByAddress(parts.db, request.address) : request.account
  const to = destination(request.address, account, purpose)
  await refuseAfterTooManyFailures(parts, to, purpose)
  const code = randomInt(1_000_000).toString().padStart(6, '0')
  await keepCode(parts, { to, purpose, accountId: account?.id ?? null, code })
  const minutes = lifetimeMs[to.channel] / minute
  // Afterwards, so that the answer takes as long for an address that nothing is sent to.
  parts.later(() => dispatch(parts, { to, purpose, account, code, client }))
  return { expiresIn: minutes * 60, ...(parts.settings.echoCodes ? { code } : {}) }
}

async function dispatch(
  parts: Parts,
  input: { to: Address; purpose: Purpose; account: AccountRow | null; code: string; client: Client },
): Promise<void> {
  const { to, purpose, account, code, client } = input
  if (!mayReceive(account, purpose)) {
    const link = `${parts.settings.publicUrl}/forgot-password`
    if (purpose === 'sign-up' && !account?.erasingAt)
      await deliver(parts, to, { kind: 'already-registered', link })
    return
  }
  const link = purpose === 'password-reset' && account ? await resetLink(parts, to, account) : undefined
  await deliver(parts, to, { kind: 'code', purpose, code, minutes: lifetimeMs[to.channel] / minute, link })
  const accountId = account?.id ?? null
  const detail = { purpose, channel: to.channel }
  await noteSecurityEvent(parts.db, new Date(parts.now()), { kind: 'code-sent', accountId, client, detail })
}

/** Whether the code is the address's newest for this purpose; a right one is used up. Wrong ones are counted. */
export async function checkCode(
  parts: Parts,
  input: { address: Address; purpose: Purpose; code: string; client: Client; account?: AccountRow | null },
): Promise<{ accountId: string | null; to: Address } | null> {
  const { address, purpose, code, client } = input
  const account = input.account === undefined ? await findAccountByAddress(parts.db, address) : input.account
  const to = destination(address, account, purpose)
  const now = new Date(parts.now())
  const hash = hashOf(parts, to, { purpose, code })
  const tried = await tryCode(parts.db, { address: to.exact, purpose, hash, now, maxAttempts })
  if (tried?.isRight) return { accountId: tried.accountId, to }
  // Only what was counted is noted: guesses at addresses without a code must not fill the log.
  if (tried) {
    const accountId = account?.id ?? null
    await noteSecurityEvent(parts.db, now, { kind: 'code-failed', accountId, client, detail: { purpose } })
  }
  return null
}

/** The one answer to a code that does not fit, whatever the reason. */
export function invalidCode(): AppError {
  return new AppError('invalid', 'INVALID_CODE', 'The code is wrong or no longer valid', {
    details: [{ field: 'code', message: 'is wrong or no longer valid' }],
  })
}

/** Exchanges a right code for a token that proves the address for an hour, for the same purpose, once. Throws 400. */
export async function verifyCode(
  parts: Parts,
  input: { email?: string | undefined; mobile?: string | undefined; purpose: Purpose; code: string },
  client: Client,
): Promise<{ verificationToken: string; expiresIn: number }> {
  const { purpose, code } = input
  const right = await checkCode(parts, { address: readAddress(input), purpose, code, client })
  if (!right) throw invalidCode()
  return issueVerification(parts, { ...right, purpose, lifetimeMs: verificationLifetimeMs })
}

/** A link that sets a new password; it lives as long as the code beside it, and its origin is always the configured one. */
async function resetLink(parts: Parts, to: Address, account: AccountRow): Promise<string> {
  const { verificationToken } = await issueVerification(parts, {
    to,
    purpose: 'password-reset',
    accountId: account.id,
    lifetimeMs: lifetimeMs[to.channel],
  })
  // Behind the '#' it stays in the browser: out of logs and Referer headers.
  return `${parts.settings.publicUrl}/reset-password#token=${verificationToken}`
}

/** An account's letters go to the address it was registered with; only strangers are written to as they say. */
function destination(typed: Address, account: AccountRow | null, purpose: Purpose): Address {
  if (!account || purpose === 'address-change') return typed
  if (typed.channel === 'email') return account.email === null ? typed : readEmail(account.email)
  return account.mobile === null ? typed : readMobile(account.mobile)
}

function mayReceive(account: AccountRow | null, purpose: Purpose): boolean {
  if (account?.erasingAt) return false
  if (purpose === 'sign-up') return account === null || account.status === 'pending'
  // Who has no account yet may prove an address for a sign-up by way of a published API that knows one purpose for both.
  if (purpose === 'address-change' || (purpose === 'verification' && account === null)) return true
  if (account === null || account.status === 'banned') return false
  // An address that was never proven may be somebody else's; a new password proves it, a mere sign-in must not.
  if (purpose === 'sign-in') return account.emailVerifiedAt !== null || account.mobileVerifiedAt !== null
  return true
}

async function keepCode(
  parts: Parts,
  input: { to: Address; purpose: Purpose; accountId: string | null; code: string },
): Promise<void> {
  const { to, purpose, accountId, code } = input
  const now = parts.now()
  await putCode(parts.db, {
    address: to.exact,
    purpose,
    channel: to.channel,
    accountId,
    hash: hashOf(parts, to, { purpose, code }),
    now: new Date(now),
    expiresAt: new Date(now + lifetimeMs[to.channel]),
  })
}

function hashOf(parts: Parts, to: Address, input: { purpose: Purpose; code: string }): Buffer {
  return keyedHash(parts.keys.codes, input.purpose, to.exact, input.code)
}

async function refuseAfterTooManyFailures(parts: Parts, to: Address, purpose: Purpose): Promise<void> {
  const now = parts.now()
  const standing = await codeStanding(parts.db, {
    address: to.exact,
    purpose,
    now: new Date(now),
    maxAttempts,
  })
  if (standing.failures < maxFailures) return
  const openAt = (standing.lastSentAt?.getTime() ?? 0) + hardStopMs
  if (openAt <= now) return forgetFailures(parts.db, to.exact)
  throw new AppError(
    'limited',
    'TOO_MANY_FAILED_CODES',
    'Too many wrong codes for this address. Please try again tomorrow.',
    {
      retryAfterSeconds: Math.ceil((openAt - now) / 1000),
    },
  )
}

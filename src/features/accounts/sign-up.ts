import { AppError, invalidField } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import { keyedHash } from '../../lib/seal.ts'
import { type Database, isUniqueViolation } from '../../platform/database/index.ts'
import { type Address, readAddress, readUsername } from './addresses.ts'
import { checkCode, invalidCode, invalidVerification, sendCode, spendVerification } from './codes.ts'
import type { Parts } from './parts.ts'
import { checkNewPassword, type PasswordPolicy } from './passwords.ts'
import type { AccountView } from './schema.ts'
import type { Purpose } from './schema-codes.ts'
import { type Client, noteSecurityEvent } from './security-log.ts'
import { type SessionTokens, type SessionWish, startSession } from './sessions.ts'
import {
  type AccountRow,
  activateAccount,
  findAccountByAddress,
  insertAccount,
  lockAccount,
  type NewAccount,
  replacePending,
} from './store.ts'
import { codeStanding } from './store-codes.ts'
import { viewAccount } from './view.ts'

/** A sign-up as any of our APIs asks for it. */
export interface SignUp {
  email?: string | undefined
  mobile?: string | undefined
  password?: string | undefined
  username?: string | undefined
  name?: string | undefined
  firstName?: string | undefined
  lastName?: string | undefined
  /** Proves the address; then the account is active at once. */
  verificationToken?: string | undefined
  /** The purposes of codes that prove an address here; `sign-up` alone unless a published API promises another. */
  provenBy?: readonly Purpose[]
  /** Overrides the operator's rule, for published APIs that promise one order. */
  verification?: 'required' | 'optional'
  policy?: PasswordPolicy
  session?: SessionWish | undefined
}

/** An account with its first tokens. */
export interface SignedInAccount {
  account: AccountView
  tokens: SessionTokens
}

/** A sign-up that waits for the code; it looks the same when the address has an account already. */
export interface AwaitingCode {
  account: { id: string; email: string | null; mobile: string | null; status: 'pending' }
  requiresVerification: true
  expiresIn: number
  code?: string
}

type Candidate = Omit<NewAccount, 'id' | 'status' | 'now'> & { address: Address }
type PendingCandidate = Candidate & { isSamePassword: boolean }

/**
 * Makes an account. With a verification token, or where verification is optional, it is active and signed in; a taken
 * address is 409 EMAIL_TAKEN or MOBILE_TAKEN then. Otherwise a code is sent, and the answer never tells whether the
 * address was taken. Throws 400 on rules, 409 USERNAME_TAKEN, 429.
 */
export async function signUp(
  parts: Parts,
  input: SignUp,
  client: Client,
): Promise<SignedInAccount | AwaitingCode> {
  const address = readAddress(input)
  const verification = input.verification ?? parts.settings.signupVerification
  checkPasswordOf(parts, input, verification)
  await parts.limits.signup(client)
  const candidate = await prepare(parts, address, input)
  if (input.verificationToken === undefined && verification === 'required') {
    return signUpPending(
      parts,
      { ...candidate, isSamePassword: await isSameAsPending(parts, address, input) },
      client,
    )
  }
  const now = new Date(parts.now())
  return parts.db.transaction().execute(async db => {
    const { verificationToken: token, provenBy = ['sign-up'] } = input
    const proven = await proof(parts, db, { token, address, purposes: provenBy })
    const verified = proven ? now : null
    const account = await insertOrTakeOver(
      db,
      withProof({ ...candidate, status: 'active', now, id: newId() }, address, verified),
    )
    const tokens = await startSession(parts, db, { accountId: account.id, client, wish: input.session })
    await noteSecurityEvent(db, now, {
      kind: 'account-created',
      accountId: account.id,
      client,
      sessionId: tokens.sessionId,
    })
    return { account: viewAccount(account), tokens }
  })
}

/**
 * Makes an active account without limits, codes or a session, for the operator's own tools. Its addresses count as proven.
 * Throws 400 and 409.
 */
export async function addAccount(parts: Parts, input: SignUp): Promise<AccountView> {
  const address = readAddress(input)
  checkPasswordOf(parts, input, 'optional')
  const candidate = await prepare(parts, address, input)
  const now = new Date(parts.now())
  const account = withProof({ ...candidate, status: 'active', now, id: newId() }, address, now)
  return viewAccount(await insertOrTakeOver(parts.db, account))
}

/** Finishes a sign-up that waited for its code. Throws 400 INVALID_CODE. */
export async function verifySignUp(
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
  const right = await checkCode(parts, { address, purpose: 'sign-up', code: input.code, client, account })
  if (!right || account?.status !== 'pending') throw invalidCode()
  const now = new Date(parts.now())
  return parts.db.transaction().execute(async db => {
    const active = await activateAccount(db, { id: account.id, channel: address.channel, now })
    if (!active) throw invalidCode()
    const tokens = await startSession(parts, db, { accountId: active.id, client, wish: input.session })
    await noteSecurityEvent(db, now, {
      kind: 'account-verified',
      accountId: active.id,
      client,
      sessionId: tokens.sessionId,
    })
    return { account: viewAccount(active), tokens }
  })
}

function checkPasswordOf(parts: Parts, input: SignUp, verification: 'required' | 'optional'): void {
  const { password, verificationToken } = input
  if (password !== undefined) {
    checkNewPassword(
      password,
      input.policy ?? { minLength: 8, refuseCommon: parts.settings.refuseCommonPasswords },
    )
  } else if (verificationToken === undefined && verification === 'optional')
    throw invalidField('password', 'is required')
}

async function prepare(parts: Parts, address: Address, input: SignUp): Promise<Candidate> {
  const username = input.username === undefined ? null : readUsername(input.username)
  const isEmail = address.channel === 'email'
  return {
    address,
    email: isEmail ? address.value : null,
    emailKey: isEmail ? address.key : null,
    emailVerifiedAt: null,
    mobile: isEmail ? null : address.value,
    mobileVerifiedAt: null,
    username: username?.value ?? null,
    usernameKey: username?.key ?? null,
    name: input.name?.trim() || null,
    firstName: input.firstName?.trim() || null,
    lastName: input.lastName?.trim() || null,
    passwordHash: input.password === undefined ? null : await parts.passwords.hash(input.password),
  }
}

function withProof(account: NewAccount, address: Address, verifiedAt: Date | null): NewAccount {
  return address.channel === 'email'
    ? { ...account, emailVerifiedAt: verifiedAt }
    : { ...account, mobileVerifiedAt: verifiedAt }
}

async function proof(
  parts: Parts,
  db: Database,
  input: { token: string | undefined; address: Address; purposes: readonly Purpose[] },
): Promise<boolean> {
  if (input.token === undefined) return false
  const used = await spendVerification(parts, db, { token: input.token, purposes: input.purposes })
  if (used.channel !== input.address.channel || used.address !== input.address.exact)
    throw invalidVerification()
  return true
}

/** Adds the account, or takes over a registration of the same address that nobody has proven. Throws 409. */
async function insertOrTakeOver(db: Database, account: NewAccount): Promise<AccountRow> {
  const added = await insertAccount(db, account)
  if (added) return added
  const existing = await findExisting(db, account)
  const isProven = account.emailVerifiedAt !== null || account.mobileVerifiedAt !== null
  if (existing?.status === 'pending' && isProven) {
    const replaced = await takeOver(db, existing.id, account)
    if (replaced) return replaced
  }
  throw taken(account, existing)
}

async function takeOver(db: Database, id: string, account: NewAccount): Promise<AccountRow | null> {
  try {
    return await replacePending(db, id, account)
  } catch (error) {
    throw isUniqueViolation(error) ? taken(account, null) : error
  }
}

function findExisting(db: Database, account: NewAccount): Promise<AccountRow | null> {
  if (account.emailKey !== null) return findAccountByAddress(db, { channel: 'email', key: account.emailKey })
  return findAccountByAddress(db, { channel: 'mobile', key: account.mobile ?? '' })
}

/** The refusal of a sign-up whose address or username somebody has. */
function taken(account: NewAccount, existing: AccountRow | null): AppError {
  if (!existing)
    return new AppError('conflict', 'USERNAME_TAKEN', 'This username is taken', field('username'))
  if (account.emailKey !== null)
    return new AppError('conflict', 'EMAIL_TAKEN', 'Email already exists', field('email'))
  return new AppError('conflict', 'MOBILE_TAKEN', 'Mobile number already exists', field('mobile'))
}

function field(name: string) {
  return { details: [{ field: name, message: 'already exists' }] }
}

async function signUpPending(
  parts: Parts,
  candidate: PendingCandidate,
  client: Client,
): Promise<AwaitingCode> {
  const { address } = candidate
  const account = await keepPending(parts, candidate)
  const sent = await sendCode(parts, { address, purpose: 'sign-up', client, account })
  return {
    account: {
      id: standInId(parts, address),
      email: candidate.email,
      mobile: candidate.mobile,
      status: 'pending',
    },
    requiresVerification: true,
    ...sent,
  }
}

/** The account of the address after this registration: a new pending one, the same pending one renewed, or somebody's. */
async function keepPending(parts: Parts, candidate: PendingCandidate): Promise<AccountRow> {
  const now = new Date(parts.now())
  return parts.db.transaction().execute(async db => {
    const account: NewAccount = { ...candidate, id: newId(), status: 'pending', now }
    const added = await insertAccount(db, account)
    if (added) return added
    const existing = await findExisting(db, account)
    if (!existing) throw taken(account, null)
    if (existing.status !== 'pending') return existing
    const locked = await lockAccount(db, existing.id)
    if (locked?.status !== 'pending') return existing
    const passwordHash = await contestedPassword(parts, db, candidate)
    return (await takeOver(db, existing.id, { ...account, passwordHash })) ?? existing
  })
}

/**
 * While a code is under way for the address, a second registration with another password could be somebody else's, who
 * hopes that the owner enters the code. Then the account starts without a password, and its owner sets one.
 */
async function contestedPassword(
  parts: Parts,
  db: Database,
  candidate: PendingCandidate,
): Promise<string | null> {
  const query = {
    address: candidate.address.exact,
    purpose: 'sign-up' as const,
    now: new Date(parts.now()),
    maxAttempts: 5,
  }
  const { hasLiveCode } = await codeStanding(db, query)
  return hasLiveCode && !candidate.isSamePassword ? null : candidate.passwordHash
}

/** Whether the address waits with this very password; takes as long when it does not wait at all. */
async function isSameAsPending(parts: Parts, address: Address, input: SignUp): Promise<boolean> {
  const existing = await findAccountByAddress(parts.db, address)
  const kept = existing?.status === 'pending' ? existing.passwordHash : null
  const isMatch = await parts.passwords.matches(input.password ?? '', kept)
  return isMatch || (kept === null && input.password === undefined)
}

/** The same for every registration of an address, and no account's id, so that it tells nothing. */
function standInId(parts: Parts, address: Address): string {
  const hex = keyedHash(parts.keys.standIns, address.channel, address.exact).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

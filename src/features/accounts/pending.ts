import { newId } from '../../lib/ids.ts'
import { keyedHash } from '../../lib/seal.ts'
import type { Database } from '../../platform/database/index.ts'
import { type Address, readAddress } from './addresses.ts'
import { arrive } from './arrival.ts'
import { type Candidate, findExisting, type SignUp, taken, takeOver } from './candidate.ts'
import { checkCode, invalidCode, sendCode, verifyCode } from './codes.ts'
import type { Parts } from './parts.ts'
import type { Client } from './security-log.ts'
import type { SessionWish } from './sessions.ts'
import {
  type AccountRow,
  activateAccount,
  findAccountByAddress,
  insertAccount,
  lockAccount,
  type NewAccount,
} from './store.ts'
import { codeStanding } from './store-codes.ts'
import type { SignedInAccount } from './view.ts'

/** A sign-up that waits for the code; it looks the same when the address has an account already. */
export interface AwaitingCode {
  account: { id: string; email: string | null; mobile: string | null; status: 'pending' }
  requiresVerification: true
  expiresIn: number
  code?: string
}

type PendingCandidate = Candidate & { isSamePassword: boolean }

/** Keeps a registration until its address is proven, and sends the code. */
export async function signUpPending(
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
export async function isSameAsPending(parts: Parts, address: Address, input: SignUp): Promise<boolean> {
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
    return arrive(parts, db, {
      account: active,
      kind: 'account-verified',
      client,
      session: input.session,
      now,
    })
  })
}

/**
 * What a code for a sign-up proves, for published APIs that send it before or after the registration: one that waits
 * becomes an account and is signed in; otherwise the address is proven by a token. Throws 400 INVALID_CODE.
 */
export async function confirmSignUp(
  parts: Parts,
  input: Parameters<typeof verifySignUp>[1],
  client: Client,
): Promise<SignedInAccount | Awaited<ReturnType<typeof verifyCode>>> {
  const account = await findAccountByAddress(parts.db, readAddress(input))
  if (account?.status === 'pending') return verifySignUp(parts, input, client)
  return verifyCode(parts, { ...input, purpose: 'sign-up' }, client)
}

/** Refuses an address that has an account, where the operator lets that be told. Throws 409. */
export async function refuseTaken(
  parts: Parts,
  input: { email?: string | undefined; mobile?: string | undefined },
): Promise<void> {
  const address = readAddress(input)
  if (parts.settings.signupVerification === 'required') return
  const account = await findAccountByAddress(parts.db, address)
  if (account && account.status !== 'pending')
    throw taken({ emailKey: address.channel === 'email' ? address.key : null }, account)
}

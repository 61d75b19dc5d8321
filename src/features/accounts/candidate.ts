import { AppError } from '../../lib/errors.ts'
import { type Database, isUniqueViolation } from '../../platform/database/index.ts'
import { type Address, readUsername } from './addresses.ts'
import type { Parts } from './parts.ts'
import type { PasswordPolicy } from './passwords.ts'
import type { Purpose } from './schema-codes.ts'
import type { SessionWish } from './sessions.ts'
import {
  type AccountRow,
  findAccountByAddress,
  insertAccount,
  type NewAccount,
  replacePending,
} from './store.ts'

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

/** A sign-up that was read: an account that is not one yet. */
export type Candidate = Omit<NewAccount, 'id' | 'status' | 'now'> & { address: Address }

/** The account that a sign-up would make; hashes its password. Throws 400. */
export async function prepare(parts: Parts, address: Address, input: SignUp): Promise<Candidate> {
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

/** The account with its own address proven at that time, or not. */
export function withProof(account: NewAccount, address: Address, verifiedAt: Date | null): NewAccount {
  return address.channel === 'email'
    ? { ...account, emailVerifiedAt: verifiedAt }
    : { ...account, mobileVerifiedAt: verifiedAt }
}

/** Adds the account, or takes over a registration of the same address that nobody has proven. Throws 409. */
export async function insertOrTakeOver(db: Database, account: NewAccount): Promise<AccountRow> {
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

/** Puts a newer registration in the place of a pending one; null when it is not pending any more. Throws 409. */
export async function takeOver(db: Database, id: string, account: NewAccount): Promise<AccountRow | null> {
  try {
    return await replacePending(db, id, account)
  } catch (error) {
    throw isUniqueViolation(error) ? taken(account, null) : error
  }
}

/** The account that has the candidate's address. */
export function findExisting(db: Database, account: NewAccount): Promise<AccountRow | null> {
  if (account.emailKey !== null) return findAccountByAddress(db, { channel: 'email', key: account.emailKey })
  return findAccountByAddress(db, { channel: 'mobile', key: account.mobile ?? '' })
}

/** The refusal of a sign-up whose address or username somebody has. */
export function taken(account: Pick<NewAccount, 'emailKey'>, existing: AccountRow | null): AppError {
  if (!existing)
    return new AppError('conflict', 'USERNAME_TAKEN', 'This username is taken', field('username'))
  if (account.emailKey !== null)
    return new AppError('conflict', 'EMAIL_TAKEN', 'Email already exists', field('email'))
  return new AppError('conflict', 'MOBILE_TAKEN', 'Mobile number already exists', field('mobile'))
}

function field(name: string) {
  return { details: [{ field: name, message: 'already exists' }] }
}

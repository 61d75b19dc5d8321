import { AppError, invalidField, missing } from '../../lib/errors.ts'
import { type Database, isUniqueViolation } from '../../platform/database/index.ts'
import { type Address, readAddress, readUsername } from './addresses.ts'
import { checkCode, invalidCode } from './codes.ts'
import { deliver } from './letters.ts'
import type { Parts } from './parts.ts'
import { confirmPassword } from './recovery.ts'
import type { AccountView } from './schema.ts'
import { type Client, noteSecurityEvent } from './security-log.ts'
import { type AccountRow, findAccount, lockAccount } from './store.ts'
import { dropProofs } from './store-codes.ts'
import { setAddress, setPlan, updateNames } from './store-profile.ts'
import { viewAccount } from './view.ts'

/** The account as its owner sees it. Throws 404. */
export async function readAccount(parts: Parts, accountId: string): Promise<AccountView> {
  const account = await findAccount(parts.db, accountId)
  if (!account) throw missing('Account')
  return viewAccount(account)
}

/** New names; null removes one, absent leaves it. */
export interface ProfileChange {
  name?: string | null | undefined
  firstName?: string | null | undefined
  lastName?: string | null | undefined
  username?: string | null | undefined
}

/** Changes what the account is called. Throws 409 USERNAME_TAKEN. */
export async function updateProfile(
  parts: Parts,
  accountId: string,
  change: ProfileChange,
): Promise<AccountView> {
  const username = typeof change.username === 'string' ? readUsername(change.username) : null
  const run = parts.db.transaction().execute(async db => {
    const account = await lockAccount(db, accountId)
    if (!account) throw missing('Account')
    const keepsUsername = change.username === undefined
    await updateNames(db, accountId, {
      name: chosen(change.name, account.name),
      firstName: chosen(change.firstName, account.firstName),
      lastName: chosen(change.lastName, account.lastName),
      username: keepsUsername ? account.username : (username?.value ?? null),
      usernameKey: keepsUsername ? account.usernameKey : (username?.key ?? null),
      now: new Date(parts.now()),
    })
  })
  await run.catch(error => {
    throw isUniqueViolation(error) ? taken('username', 'USERNAME_TAKEN', 'This username is taken') : error
  })
  return readAccount(parts, accountId)
}

export interface AddressChange {
  accountId: string
  sessionId: string
  email?: string | undefined
  mobile?: string | undefined
  /** Sent to the new address for the purpose `address-change`. */
  code: string
  /** Needed when the account has one: a stolen session alone must not move an account. */
  currentPassword?: string | undefined
}

/**
 * Gives the account an e-mail address or mobile number that it has proven by code; the old one is told. The one that it
 * has already is verified so. Throws 400, and 409 when another account has the address.
 */
export async function changeAddress(
  parts: Parts,
  input: AddressChange,
  client: Client,
): Promise<AccountView> {
  const { accountId, sessionId } = input
  const address = readAddress(input)
  const account = await findAccount(parts.db, accountId)
  if (!account) throw missing('Account')
  if (account.passwordHash !== null)
    await confirmPassword(parts, account, { password: input.currentPassword, client })
  const right = await checkCode(parts, {
    address,
    purpose: 'address-change',
    code: input.code,
    client,
    account,
  })
  if (right?.accountId !== accountId) throw invalidCode()
  const now = new Date(parts.now())
  const run = parts.db.transaction().execute(async db => {
    await setAddress(db, accountId, { address, now })
    await dropProofs(db, accountId)
    const isSame = (address.channel === 'email' ? account.email : account.mobile) === address.value
    const kind = `${address.channel}-${isSame ? 'verified' : 'changed'}` as const
    await noteSecurityEvent(db, now, { kind, accountId, sessionId, client })
  })
  await run.catch(error => {
    throw isUniqueViolation(error) ? addressTaken(address) : error
  })
  tellOldAddress(parts, account, address)
  return readAccount(parts, accountId)
}

/** Puts the account on a plan within the transaction that decides it; tell `planChanged` when that has been kept. */
export async function putOnPlan(
  parts: Parts,
  db: Database,
  change: { accountId: string; plan: string },
): Promise<void> {
  await setPlan(db, change.accountId, { plan: change.plan, now: new Date(parts.now()) })
}

/** Puts the account on another plan; every process knows within five seconds. */
export async function changePlan(parts: Parts, accountId: string, plan: string): Promise<void> {
  await setPlan(parts.db, accountId, { plan, now: new Date(parts.now()) })
  await parts.presence.changed(accountId)
}

function chosen(wanted: string | null | undefined, kept: string | null): string | null {
  return wanted === undefined ? kept : wanted?.trim() || null
}

function tellOldAddress(parts: Parts, account: AccountRow, changed: Address): void {
  const old = changed.channel === 'email' ? { email: account.email } : { mobile: account.mobile }
  const [value] = Object.values(old)
  if (!value || value === changed.value) return
  const to = readAddress(changed.channel === 'email' ? { email: value } : { mobile: value })
  parts.later(() => deliver(parts, to, { kind: 'address-changed' }))
}

function addressTaken(address: Address): AppError {
  return address.channel === 'email'
    ? taken('email', 'EMAIL_TAKEN', 'Email already exists')
    : taken('mobile', 'MOBILE_TAKEN', 'Mobile number already exists')
}

function taken(field: string, code: string, message: string): AppError {
  return new AppError('conflict', code, message, { details: invalidField(field, 'already exists').details })
}

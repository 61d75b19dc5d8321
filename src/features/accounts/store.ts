import { type Database, statement } from '../../platform/database/index.ts'

export type Role = 'user' | 'admin'
export type AccountStatus = 'pending' | 'active' | 'banned'

/** An account as it is kept. */
export interface AccountRow {
  id: string
  email: string | null
  emailKey: string | null
  emailVerifiedAt: Date | null
  mobile: string | null
  mobileVerifiedAt: Date | null
  username: string | null
  usernameKey: string | null
  name: string | null
  firstName: string | null
  lastName: string | null
  passwordHash: string | null
  role: Role
  plan: string
  status: AccountStatus
  erasingAt: Date | null
  createdAt: Date
  updatedAt: Date
}

/** The columns of AccountRow. */
export const accountColumns = `id, email, email_key as "emailKey", email_verified_at as "emailVerifiedAt", mobile,
  mobile_verified_at as "mobileVerifiedAt", username, username_key as "usernameKey", name, first_name as "firstName", last_name as "lastName",
  password_hash as "passwordHash", role, plan, status, erasing_at as "erasingAt", created_at as "createdAt",
  updated_at as "updatedAt"`

const byId = statement<AccountRow>(
  `select ${accountColumns} from accounts where id = $1 and erasing_at is null`,
)
const byIdLocked = statement<AccountRow>(
  `select ${accountColumns} from accounts where id = $1 and erasing_at is null for update`,
)
const byEmail = statement<AccountRow>(`select ${accountColumns} from accounts where email_key = $1`)
const byMobile = statement<AccountRow>(`select ${accountColumns} from accounts where mobile = $1`)
const byUsername = statement<AccountRow>(`select ${accountColumns} from accounts where username_key = $1`)

/** The account, unless it is absent or being erased. */
export async function findAccount(db: Database, id: string): Promise<AccountRow | null> {
  return (await byId(db, id))[0] ?? null
}

/** The account, kept from being changed by others until the transaction ends. */
export async function lockAccount(db: Database, id: string): Promise<AccountRow | null> {
  return (await byIdLocked(db, id))[0] ?? null
}

/** The account that an address belongs to, also one that is being erased. */
export async function findAccountByAddress(
  db: Database,
  address: { channel: 'email' | 'mobile'; key: string },
): Promise<AccountRow | null> {
  const rows = address.channel === 'email' ? await byEmail(db, address.key) : await byMobile(db, address.key)
  return rows[0] ?? null
}

/** The account of a username, by its key. */
export async function findAccountByUsername(db: Database, key: string): Promise<AccountRow | null> {
  return (await byUsername(db, key))[0] ?? null
}

export interface NewAccount {
  id: string
  email: string | null
  emailKey: string | null
  emailVerifiedAt: Date | null
  mobile: string | null
  mobileVerifiedAt: Date | null
  username: string | null
  usernameKey: string | null
  name: string | null
  firstName: string | null
  lastName: string | null
  passwordHash: string | null
  status: AccountStatus
  now: Date
}

const insert = statement<AccountRow>(
  `insert into accounts (id, email, email_key, email_verified_at, mobile, mobile_verified_at, username, username_key,
     name, first_name, last_name, password_hash, password_changed_at, status, created_at, updated_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, case when $12::text is null then null else $14::timestamptz end,
     $13, $14, $14)
   on conflict do nothing returning ${accountColumns}`,
)

/** Adds the account; null when its e-mail, mobile number or username is taken. */
export async function insertAccount(db: Database, account: NewAccount): Promise<AccountRow | null> {
  const { id, email, emailKey, emailVerifiedAt, mobile, mobileVerifiedAt, username, usernameKey } = account
  const { name, firstName, lastName, passwordHash, status, now } = account
  const rows = await insert(
    db,
    id,
    email,
    emailKey,
    emailVerifiedAt,
    mobile,
    mobileVerifiedAt,
    username,
    usernameKey,
    name,
    firstName,
    lastName,
    passwordHash,
    status,
    now,
  )
  return rows[0] ?? null
}

const activate = statement<AccountRow>(
  `update accounts set status = 'active', updated_at = $3,
     email_verified_at = case when $2 = 'email' then $3 else email_verified_at end,
     mobile_verified_at = case when $2 = 'mobile' then $3 else mobile_verified_at end
   where id = $1 and status = 'pending' and erasing_at is null returning ${accountColumns}`,
)

/** Makes a pending account active, its address proven; null when it is not pending any more. */
export async function activateAccount(
  db: Database,
  input: { id: string; channel: 'email' | 'mobile'; now: Date },
): Promise<AccountRow | null> {
  return (await activate(db, input.id, input.channel, input.now))[0] ?? null
}

const replace = statement<AccountRow>(
  `update accounts set email = $2, email_verified_at = $3, mobile = $4, mobile_verified_at = $5, username = $6, username_key = $7,
     name = $8, first_name = $9, last_name = $10, password_hash = $11, status = $12, updated_at = $13
   where id = $1 and status = 'pending' and erasing_at is null returning ${accountColumns}`,
)

/** Puts a newer registration in the place of a pending one; null when it is not pending any more. */
export async function replacePending(
  db: Database,
  id: string,
  account: NewAccount,
): Promise<AccountRow | null> {
  const { email, emailVerifiedAt, mobile, mobileVerifiedAt, username, usernameKey } = account
  const { name, firstName, lastName, passwordHash, status, now } = account
  const rows = await replace(
    db,
    id,
    email,
    emailVerifiedAt,
    mobile,
    mobileVerifiedAt,
    username,
    usernameKey,
    name,
    firstName,
    lastName,
    passwordHash,
    status,
    now,
  )
  return rows[0] ?? null
}

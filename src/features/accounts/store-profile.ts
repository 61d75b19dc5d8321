import { type Database, statement } from '../../platform/database/index.ts'
import { type AccountRow, type AccountStatus, accountColumns, type Role } from './store.ts'

const setHash = statement(
  `update accounts set password_hash = $2, password_changed_at = $3, updated_at = $3 where id = $1`,
)

/** Keeps a new password's hash. */
export async function setPasswordHash(
  db: Database,
  id: string,
  change: { hash: string; now: Date },
): Promise<void> {
  await setHash(db, id, change.hash, change.now)
}

const setRehash = statement(`update accounts set password_hash = $3 where id = $1 and password_hash = $2`)

/** Replaces the hash of an unchanged password by a stronger one of the same password. */
export async function replaceHash(
  db: Database,
  id: string,
  hashes: { old: string; new: string },
): Promise<void> {
  await setRehash(db, id, hashes.old, hashes.new)
}

const prove = statement(
  `update accounts set status = case when status = 'pending' then 'active' else status end, updated_at = $3,
     email_verified_at = case when $2 = 'email' then coalesce(email_verified_at, $3) else email_verified_at end,
     mobile_verified_at = case when $2 = 'mobile' then coalesce(mobile_verified_at, $3) else mobile_verified_at end
   where id = $1`,
)

/** Notes that the account's own address was proven; a pending account becomes active. */
export async function markProven(
  db: Database,
  id: string,
  proof: { channel: 'email' | 'mobile'; now: Date },
): Promise<void> {
  await prove(db, id, proof.channel, proof.now)
}

export interface Names {
  name: string | null
  firstName: string | null
  lastName: string | null
  username: string | null
  usernameKey: string | null
}

const setNames = statement(
  `update accounts set name = $2, first_name = $3, last_name = $4, username = $5, username_key = $6, updated_at = $7 where id = $1`,
)

/** Keeps the account's names; violates accounts_username_key_key when the username is taken. */
export async function updateNames(db: Database, id: string, change: Names & { now: Date }): Promise<void> {
  const { name, firstName, lastName, username, usernameKey, now } = change
  await setNames(db, id, name, firstName, lastName, username, usernameKey, now)
}

const setEmail = statement(
  `update accounts set email = $2, email_key = $3, email_verified_at = $4, updated_at = $4 where id = $1`,
)
const setMobile = statement(
  `update accounts set mobile = $2, mobile_verified_at = $4, updated_at = $4 where id = $1 and $3::text = $2`,
)

/** Gives the account a proven address; violates a unique key when another account has it. */
export async function setAddress(
  db: Database,
  id: string,
  change: { address: { channel: 'email' | 'mobile'; value: string; key: string }; now: Date },
): Promise<void> {
  const { address, now } = change
  const set = address.channel === 'email' ? setEmail : setMobile
  await set(db, id, address.value, address.key, now)
}

const setStatusOf = statement<{ id: string }>(
  `update accounts set status = $3, updated_at = $4 where id = $1 and status = $2 and erasing_at is null returning id`,
)

/** Moves the account from one status to another; false when it was not in the first. */
export async function changeStatus(
  db: Database,
  id: string,
  change: { from: AccountStatus; to: AccountStatus; now: Date },
): Promise<boolean> {
  return (await setStatusOf(db, id, change.from, change.to, change.now)).length > 0
}

const setRoleOf = statement(`update accounts set role = $2, updated_at = $3 where id = $1`)
const setPlanOf = statement(`update accounts set plan = $2, updated_at = $3 where id = $1`)

export async function setRole(db: Database, id: string, change: { role: Role; now: Date }): Promise<void> {
  await setRoleOf(db, id, change.role, change.now)
}

export async function setPlan(db: Database, id: string, change: { plan: string; now: Date }): Promise<void> {
  await setPlanOf(db, id, change.plan, change.now)
}

const startErasing = statement<{ id: string }>(
  `update accounts set erasing_at = $2, updated_at = $2 where id = $1 and erasing_at is null returning id`,
)

/** Makes the account invisible and unusable from now on; false when it is already, or absent. */
export async function beginErasure(db: Database, id: string, now: Date): Promise<boolean> {
  return (await startErasing(db, id, now)).length > 0
}

const allowErasure = statement(`select set_config('atelier.erasing', 'on', true)`)
const dropCodes = statement(
  `delete from one_time_codes where address in (select lower(email) from accounts where id = $1 union select mobile from accounts where id = $1)`,
)
const dropVerifications = statement(
  `delete from verification_tokens where address in (select lower(email) from accounts where id = $1 union select mobile from accounts where id = $1)`,
)
const dropAccount = statement(`delete from accounts where id = $1`)

/** Removes the account with every row that hangs on it. Only inside a transaction. */
export async function deleteAccount(db: Database, id: string): Promise<void> {
  await allowErasure(db)
  await dropCodes(db, id)
  await dropVerifications(db, id)
  await dropAccount(db, id)
}

const erasing = statement<{ id: string }>(
  `select id from accounts where erasing_at < $1 order by erasing_at limit 100`,
)
const forgotten = statement<{ id: string }>(
  `select id from accounts where status = 'pending' and created_at < $1 and updated_at < $1 order by created_at limit 100`,
)

/** Accounts whose erasure began before the date and is not finished. */
export async function findErasing(db: Database, before: Date): Promise<string[]> {
  return (await erasing(db, before)).map(row => row.id)
}

/** Registrations that nobody proved since the date. */
export async function findForgotten(db: Database, before: Date): Promise<string[]> {
  return (await forgotten(db, before)).map(row => row.id)
}

const listing = statement<AccountRow>(
  `select ${accountColumns}
   from accounts
   where erasing_at is null and ($1::uuid is null or id < $1)
     and ($2::text is null or position($2 in coalesce(email_key, '')) > 0 or position($2 in coalesce(mobile, '')) > 0
       or position($2 in coalesce(username_key, '')) > 0 or position($2 in lower(coalesce(name, ''))) > 0)
   order by id desc limit $3`,
)

/** Accounts, the newest first; `search` is a part of an address or a name. */
export async function listAccounts(
  db: Database,
  page: { before?: string | undefined; search?: string | undefined; limit: number },
): Promise<AccountRow[]> {
  return listing(db, page.before ?? null, page.search?.toLowerCase() ?? null, page.limit)
}

const pruneSessions = statement(`delete from sessions where expires_at < $1 or ended_at < $1`)
const pruneCodes = statement(`delete from one_time_codes where expires_at < $1`)
const pruneVerifications = statement(`delete from verification_tokens where expires_at < $1`)

/** Removes sessions, codes and verification tokens that have been over since before the date. */
export async function pruneProofs(db: Database, before: Date): Promise<void> {
  await pruneSessions(db, before)
  await pruneCodes(db, before)
  await pruneVerifications(db, before)
}

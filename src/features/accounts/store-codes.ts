import { type Database, statement } from '../../platform/database/index.ts'
import type { Purpose } from './schema-codes.ts'

const put = statement(
  `insert into one_time_codes (address, purpose, channel, account_id, code_hash, created_at, expires_at)
   values ($1, $2, $3, $4, $5, $6, $7)
   on conflict (address, purpose) do update set channel = excluded.channel, account_id = excluded.account_id,
     code_hash = excluded.code_hash, attempts = 0, used_at = null, created_at = excluded.created_at, expires_at = excluded.expires_at`,
)

export interface NewCode {
  address: string
  purpose: Purpose
  channel: 'email' | 'mobile'
  accountId: string | null
  hash: Buffer
  now: Date
  expiresAt: Date
}

/** Keeps the address's newest code for the purpose; older ones stop working. Failures go on being counted. */
export async function putCode(db: Database, code: NewCode): Promise<void> {
  await put(db, code.address, code.purpose, code.channel, code.accountId, code.hash, code.now, code.expiresAt)
}

const tryOnce = statement<{ isRight: boolean; accountId: string | null }>(
  `update one_time_codes set attempts = attempts + 1,
     used_at = case when code_hash = $3 then $4::timestamptz end,
     failures = case when code_hash = $3 then 0 else failures + 1 end
   where address = $1 and purpose = $2 and used_at is null and expires_at > $4 and attempts < $5
   returning used_at is not null as "isRight", account_id as "accountId"`,
)

/** Counts one try and, when it is right, uses the code up, in one step; null when there is no code to try. */
export async function tryCode(
  db: Database,
  input: { address: string; purpose: Purpose; hash: Buffer; now: Date; maxAttempts: number },
) {
  const rows = await tryOnce(db, input.address, input.purpose, input.hash, input.now, input.maxAttempts)
  return rows[0] ?? null
}

const standing = statement<{ failures: number; lastSentAt: Date | null; hasLiveCode: boolean }>(
  `select coalesce(sum(failures), 0)::int as failures, max(created_at) as "lastSentAt",
     coalesce(bool_or(purpose = $2 and used_at is null and expires_at > $3 and attempts < $4), false) as "hasLiveCode"
   from one_time_codes where address = $1`,
)

/** How an address stands: wrong tries in a row over all purposes, and whether a code of this purpose could be used. */
export async function codeStanding(
  db: Database,
  input: { address: string; purpose: Purpose; now: Date; maxAttempts: number },
) {
  const rows = await standing(db, input.address, input.purpose, input.now, input.maxAttempts)
  return rows[0] ?? { failures: 0, lastSentAt: null, hasLiveCode: false }
}

const forget = statement(`update one_time_codes set failures = 0 where address = $1`)

/** Starts counting an address's wrong tries anew. */
export async function forgetFailures(db: Database, address: string): Promise<void> {
  await forget(db, address)
}

const drop = statement(`delete from one_time_codes where account_id = $1`)
const dropTokens = statement(`delete from verification_tokens where account_id = $1 and used_at is null`)

/** Makes every code and verification token of an account worthless. */
export async function dropProofs(db: Database, accountId: string): Promise<void> {
  await drop(db, accountId)
  await dropTokens(db, accountId)
}

export interface NewVerification {
  id: string
  hash: Buffer
  purpose: Purpose
  channel: 'email' | 'mobile'
  /** Where the code was sent, exactly: another spelling of it is not proven. */
  address: string
  accountId: string | null
  now: Date
  expiresAt: Date
}

const insertToken = statement(
  `insert into verification_tokens (id, token_hash, purpose, channel, address, account_id, created_at, expires_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8)`,
)

export async function insertVerification(db: Database, token: NewVerification): Promise<void> {
  const { id, hash, purpose, channel, address, accountId, now, expiresAt } = token
  await insertToken(db, id, hash, purpose, channel, address, accountId, now, expiresAt)
}

/** What a used verification token proved. */
export interface Verification {
  channel: 'email' | 'mobile'
  address: string
  accountId: string | null
}

const takeToken = statement<Verification>(
  `update verification_tokens set used_at = $3 where token_hash = $1 and purpose = any($2) and used_at is null and expires_at > $3
   returning channel, address, account_id as "accountId"`,
)

/** Uses a verification token up, once; null when it is unknown, used, expired or for another purpose. */
export async function takeVerification(
  db: Database,
  input: { hash: Buffer; purposes: readonly Purpose[]; now: Date },
): Promise<Verification | null> {
  return (await takeToken(db, input.hash, input.purposes, input.now))[0] ?? null
}

const takeOwn = statement<{ id: string }>(
  `update verification_tokens set used_at = $3 where id = (
     select id from verification_tokens where account_id = $1 and purpose = $2 and used_at is null and expires_at > $3
     order by expires_at desc limit 1 for update) returning id`,
)

/** Uses up the newest live token that an account earned for the purpose; false when there is none. */
export async function takeOwnVerification(
  db: Database,
  input: { accountId: string; purpose: Purpose; now: Date },
): Promise<boolean> {
  return (await takeOwn(db, input.accountId, input.purpose, input.now)).length > 0
}

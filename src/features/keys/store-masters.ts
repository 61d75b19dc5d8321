import { type Database, statement } from '../../platform/database/index.ts'
import type { Sealed } from './store.ts'

const select = statement<{ number: number; fingerprint: Buffer }>(
  'select number, fingerprint from master_keys where fingerprint = any($1::bytea[])',
)
const insert = statement(
  'insert into master_keys (fingerprint) values ($1) on conflict (fingerprint) do nothing',
)

/** The numbers of the master keys with these fingerprints; those never seen here have none. */
export function findMasters(db: Database, fingerprints: readonly Buffer[]) {
  return select(db, fingerprints)
}

/** Gives a master key the next number, unless it has one. */
export async function addMaster(db: Database, fingerprint: Buffer): Promise<void> {
  await insert(db, fingerprint)
}

/** A sealed key of whatever account, for its rotation. */
export type SealedRow = Sealed & { id: string; accountId: string }

const selectOld = statement<SealedRow>(
  `select id, account_id as "accountId", sealed_key as "sealedKey", sealed_data_key as "sealedDataKey",
     master_key as "masterKey" from provider_keys
   where id > $1 and master_key <> $2 order by id limit $3 for update`,
)

/** The next keys that are sealed under another master key than the given one, locked until the transaction ends. */
export function lockOthers(
  db: Database,
  page: { after: string; masterKey: number; limit: number },
): Promise<SealedRow[]> {
  return selectOld(db, page.after, page.masterKey, page.limit)
}

/** A row's data key under another master key. */
export interface Rewrapped {
  id: string
  sealedDataKey: Buffer
  fingerprint: string
}

const rewrap = statement(
  `update provider_keys k set sealed_data_key = r.sealed_data_key, fingerprint = r.fingerprint, master_key = $4
   from unnest($1::uuid[], $2::bytea[], $3::text[]) as r (id, sealed_data_key, fingerprint) where k.id = r.id`,
)

export async function saveRewrapped(db: Database, rows: readonly Rewrapped[], masterKey: number) {
  const ids = rows.map(row => row.id)
  const dataKeys = rows.map(row => row.sealedDataKey)
  await rewrap(
    db,
    ids,
    dataKeys,
    rows.map(row => row.fingerprint),
    masterKey,
  )
}

const count = statement<{ masterKey: number; keys: number }>(
  `select master_key as "masterKey", count(*)::int as keys from provider_keys group by master_key order by master_key`,
)

/** How many keys are sealed under each master key. */
export function countByMaster(db: Database) {
  return count(db)
}

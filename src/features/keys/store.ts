import { type Database, statement } from '../../platform/database/index.ts'
import type { OwnKeyProvider } from '../../platform/models/index.ts'

/** A key as it is sealed; see sealing.ts. */
export interface Sealed {
  sealedKey: Buffer
  sealedDataKey: Buffer
  masterKey: number
}

/** What of a key may be seen. */
export interface KeyRow {
  id: string
  accountId: string
  provider: OwnKeyProvider
  name: string
  baseUrl: string | null
  models: string[]
  isActive: boolean
  fallbackToCredits: boolean
  fingerprint: string
  lastFour: string | null
  lastUsedAt: Date | null
  lastError: { code: string; message: string } | null
  lastErrorAt: Date | null
  createdAt: Date
  updatedAt: Date
}

const columns = `id, account_id as "accountId", provider, name, base_url as "baseUrl", models, is_active as "isActive",
  falls_back_to_credits as "fallbackToCredits", fingerprint, last_four as "lastFour", last_used_at as "lastUsedAt",
  last_error as "lastError", last_error_at as "lastErrorAt", created_at as "createdAt", updated_at as "updatedAt"`
const sealedColumns = `sealed_key as "sealedKey", sealed_data_key as "sealedDataKey", master_key as "masterKey"`

const selectAll = statement<KeyRow>(
  `select ${columns} from provider_keys where account_id = $1 order by created_at desc, id desc`,
)

/** The keys of an account, the newest first. */
export function listKeys(db: Database, accountId: string): Promise<KeyRow[]> {
  return selectAll(db, accountId)
}

const selectOne = statement<KeyRow & Sealed>(
  `select ${columns}, ${sealedColumns} from provider_keys where id = $1 and account_id = $2`,
)

/** A key of an account with what it is sealed in, or null. */
export async function readKey(db: Database, id: string, accountId: string) {
  return (await selectOne(db, id, accountId))[0] ?? null
}

const lock = statement<{ keys: number }>(
  `select (select count(*)::int from provider_keys where account_id = $1) as keys
   from accounts where id = $1 for no key update`,
)

/** Lets changes of an account's keys take turns until the transaction ends; gives how many it has. */
export async function lockKeys(db: Database, accountId: string): Promise<number> {
  return (await lock(db, accountId))[0]?.keys ?? 0
}

const deactivate = statement(
  `update provider_keys set is_active = false, updated_at = $4
   where account_id = $1 and provider = $2 and id <> $3 and is_active`,
)

/** Makes room for one active key of a provider. */
export async function deactivateOthers(
  db: Database,
  key: Pick<KeyRow, 'accountId' | 'provider' | 'id'>,
  now: Date,
): Promise<void> {
  await deactivate(db, key.accountId, key.provider, key.id, now)
}

/** What is written of a key. */
export type NewKey = Omit<KeyRow, 'lastUsedAt' | 'lastError' | 'lastErrorAt' | 'createdAt' | 'updatedAt'> &
  Sealed & { now: Date }

const insert = statement<KeyRow>(
  `insert into provider_keys (id, account_id, provider, name, base_url, models, is_active, falls_back_to_credits,
     fingerprint, last_four, sealed_key, sealed_data_key, master_key, created_at, updated_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14) returning ${columns}`,
)
const update = statement<KeyRow>(
  `update provider_keys set name = $3, base_url = $4, models = $5, is_active = $6, falls_back_to_credits = $7,
     updated_at = $8 where id = $1 and account_id = $2 returning ${columns}`,
)
const reseal = statement<KeyRow>(
  `update provider_keys set fingerprint = $3, last_four = $4, sealed_key = $5, sealed_data_key = $6, master_key = $7,
     last_error = null, last_error_at = null where id = $1 and account_id = $2 returning ${columns}`,
)

export async function insertKey(db: Database, key: NewKey): Promise<KeyRow> {
  const seen = [key.id, key.accountId, key.provider, key.name, key.baseUrl, key.models, key.isActive]
  const kept = [key.fallbackToCredits, key.fingerprint, key.lastFour, key.sealedKey, key.sealedDataKey]
  return firstOf(await insert(db, ...seen, ...kept, key.masterKey, key.now))
}

/** Writes what of a key may be seen and changed. */
export async function updateKey(db: Database, key: KeyRow, now: Date): Promise<KeyRow> {
  const { id, accountId, name, baseUrl, models, isActive, fallbackToCredits } = key
  return firstOf(await update(db, id, accountId, name, baseUrl, models, isActive, fallbackToCredits, now))
}

/** Puts another key into the row; its last error went with the old one. */
export async function replaceSecret(
  db: Database,
  key: Pick<NewKey, 'id' | 'accountId' | 'fingerprint' | 'lastFour' | keyof Sealed>,
): Promise<KeyRow> {
  const { id, accountId, fingerprint, lastFour, sealedKey, sealedDataKey, masterKey } = key
  return firstOf(await reseal(db, id, accountId, fingerprint, lastFour, sealedKey, sealedDataKey, masterKey))
}

const remove = statement<Pick<KeyRow, 'provider' | 'name'>>(
  'delete from provider_keys where id = $1 and account_id = $2 returning provider, name',
)

/** Removes a key with its usage; null when the account has none such. */
export async function deleteKey(db: Database, id: string, accountId: string) {
  return (await remove(db, id, accountId))[0] ?? null
}

const learnModels = statement(
  `update provider_keys set models = $3 where id = $1 and account_id = $2 and models = '{}'`,
)

/** Keeps the models that a server says it has, where nobody has said otherwise. */
export async function keepModels(
  db: Database,
  key: Pick<KeyRow, 'id' | 'accountId'>,
  models: readonly string[],
): Promise<void> {
  await learnModels(db, key.id, key.accountId, models)
}

/** An account's active key, as far as it takes to decide who pays. */
export type ActiveKey = Pick<KeyRow, 'id' | 'provider' | 'name' | 'lastFour' | 'models' | 'fallbackToCredits'>

const selectActive = statement<ActiveKey & { accountId: string }>(
  `select account_id as "accountId", id, provider, name, last_four as "lastFour", models,
     falls_back_to_credits as "fallbackToCredits"
   from provider_keys where account_id = any($1::uuid[]) and is_active order by created_at`,
)

/** The active keys of some accounts; those without any are left out. */
export async function listActive(
  db: Database,
  accountIds: readonly string[],
): Promise<Map<string, ActiveKey[]>> {
  const found = new Map<string, ActiveKey[]>()
  for (const { accountId, ...key } of await selectActive(db, accountIds))
    found.set(accountId, [...(found.get(accountId) ?? []), key])
  return found
}

function firstOf(rows: readonly KeyRow[]): KeyRow {
  const [row] = rows
  if (!row) throw new Error('a provider key vanished while it was locked')
  return row
}

import { type Database, statement } from '../../platform/database/index.ts'

/** What an account works on: the platform's credits, or its own keys. */
export type Preference = 'platform' | 'byok'

export interface PreferenceRow {
  preference: Preference
  /** When its first key in this mode began the lock. */
  activatedAt: Date | null
  lockedUntil: Date | null
}

const columns = `preference, activated_at as "activatedAt", locked_until as "lockedUntil"`

const readOne = statement<PreferenceRow>(`select ${columns} from key_preferences where account_id = $1`)

/** What the account chose; null when it never did. */
export async function readPreference(db: Database, accountId: string): Promise<PreferenceRow | null> {
  return (await readOne(db, accountId))[0] ?? null
}

const putOne = statement<PreferenceRow>(
  `insert into key_preferences as p (account_id, preference, updated_at) values ($1, $2, $3)
   on conflict (account_id) do update set preference = $2, updated_at = $3,
     activated_at = case when $2 = 'byok' then p.activated_at end,
     locked_until = case when $2 = 'byok' then p.locked_until end
     where p.preference = $2 or p.locked_until is null or p.locked_until <= $3
   returning ${columns}`,
)

/** Keeps a choice; null when the account is bound to its own keys until later. */
export async function putPreference(
  db: Database,
  input: { accountId: string; preference: Preference; now: Date },
): Promise<PreferenceRow | null> {
  return (await putOne(db, input.accountId, input.preference, input.now))[0] ?? null
}

const lockOnce = statement<{ id: string }>(
  `update key_preferences set activated_at = $2, locked_until = $3
   where account_id = $1 and preference = 'byok' and activated_at is null returning account_id as id`,
)

/** Begins the lock of an account that works on its own keys, once. */
export async function beginLock(
  db: Database,
  input: { accountId: string; now: Date; until: Date },
): Promise<void> {
  await lockOnce(db, input.accountId, input.now, input.until)
}

const switchAll = statement<{ id: string }>(
  `update provider_keys k set is_active = $2::boolean and k.id = (
       select n.id from provider_keys n where n.account_id = k.account_id and n.provider = k.provider
       order by n.is_active desc, n.created_at desc limit 1), updated_at = now()
   where account_id = $1 and is_active is distinct from ($2::boolean and k.id = (
       select n.id from provider_keys n where n.account_id = k.account_id and n.provider = k.provider
       order by n.is_active desc, n.created_at desc limit 1))
   returning id`,
)

/** Switches the account's keys off, or the newest of each provider on where none is. */
export async function switchKeys(db: Database, accountId: string, on: boolean): Promise<void> {
  await switchAll(db, accountId, on)
}

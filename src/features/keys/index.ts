import { missing } from '../../lib/errors.ts'
import { isId } from '../../lib/ids.ts'
import { createActiveKeys } from './active.ts'
import { addKey, type Caller, changeKey, removeKey } from './change.ts'
import type { KeysDeps, Parts } from './parts.ts'
import { keyAdded, prefer, preferenceOf } from './preference.ts'
import { rotateKeys } from './rotate.ts'
import type { CreateKeyBody, KeyView, UpdateKeyBody } from './schema.ts'
import { createKeyring } from './sealing.ts'
import { listKeys, readKey } from './store.ts'
import type { Preference } from './store-preference.ts'
import { type KeyUse, noteUse } from './store-usage.ts'
import { openKey, readUsage, tryKey } from './use.ts'
import { viewKey } from './view.ts'

export { ownKeysOf } from './active.ts'
export type { Caller } from './change.ts'
export type { KeysDeps } from './parts.ts'
export type { Rotation } from './rotate.ts'
export type { ActiveKey } from './store.ts'
export type { KeyUse } from './store-usage.ts'
export type { OpenKey } from './use.ts'

const hourMs = 3_600_000
const trialsPerHour = 120

export type Keys = ReturnType<typeof createKeys>

/** People's own keys for model providers: kept sealed, never given back, at most one active for each provider. */
export function createKeys(deps: KeysDeps) {
  const { db, cache, models, accounts, secrets, creationsPerHour, report } = deps
  const now = deps.now ?? Date.now
  const limiter = (name: string, points: number) =>
    cache.limiter({ name: `keys:${name}`, points, windowMs: hourMs })
  const parts: Parts = {
    ...{ db, models, accounts, report },
    now: () => new Date(now()),
    keyring: createKeyring(db, secrets),
    active: createActiveKeys({ db, cache, now }),
    creations: limiter('create', creationsPerHour),
    trials: limiter('try', trialsPerHour),
  }

  async function read(accountId: string, id: string): Promise<KeyView> {
    const row = isId(id) ? await readKey(db, id, accountId) : null
    if (!row) throw missing('Provider key')
    return viewKey(row)
  }

  return {
    /** All keys of the account, the newest first. */
    list: async (accountId: string) => (await listKeys(db, accountId)).map(viewKey),
    /** A key of the account. Throws 404. */
    read,
    /** Keeps a new key; unless told otherwise it is active, in place of the provider's other one. Throws 400, 409, 429. */
    create: (caller: Caller, body: CreateKeyBody) => addKey(parts, caller, body),
    /** Changes what is given; `apiKey` puts another key into its place. Throws 400, 404. */
    update: (caller: Caller, id: string, body: UpdateKeyBody) => changeKey(parts, caller, { id, body }),
    /** Removes a key for good. Throws 404. */
    remove: (caller: Caller, id: string) => removeKey(parts, caller, id),
    /** What the account chose to work on: the platform's credits or its own keys; null when it never chose. */
    preference: (accountId: string) => preferenceOf(parts, accountId),
    /** Chooses; throws 400 PREFERENCE_LOCKED for 90 days after the first own key. */
    prefer: (accountId: string, preference: Preference) => prefer(parts, accountId, preference),
    /** Begins those 90 days, once, for an account that chose its own keys. */
    keyAdded: (accountId: string) => keyAdded(parts, accountId),
    /** Asks the provider something cheap. Throws 404, 409 when it cannot be opened, 429. */
    test: (accountId: string, input: { id: string; model?: string | undefined }) =>
      tryKey(parts, accountId, input),
    /** What a key was used for. Throws 404. */
    usage: (accountId: string, input: { id: string; days: number }) => readUsage(parts, accountId, input),

    /** The active keys of an account, at most one of each provider; cheap to ask again. */
    active: (accountId: string) => parts.active.of(accountId),
    /** Whether a key of the account pays for what it asks when it names no model. */
    pays: async (accountId: string) => {
      const active = await parts.active.of(accountId)
      return active.some(({ provider }) => provider === models.defaultModel.provider)
    },
    /** A key to be used now, active or not; null when it is gone. Throws AppError conflict KEY_UNREADABLE. */
    open: (id: string, accountId: string) => openKey(parts, id, accountId),
    /** Counts a call to the provider. */
    noteUse: (id: string, use: KeyUse) => noteUse(db, id, use),

    /** Wraps all keys under the current master key, while servers work; safe to interrupt and to repeat. */
    rotate: (options?: { batchSize?: number; onBatch?: (rewrapped: number) => void }) =>
      rotateKeys(parts, options),
    close: () => parts.active.close(),
  }
}

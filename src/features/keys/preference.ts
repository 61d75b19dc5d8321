import { AppError } from '../../lib/errors.ts'
import type { Parts } from './parts.ts'
import {
  beginLock,
  type Preference,
  type PreferenceRow,
  putPreference,
  readPreference,
  switchKeys,
} from './store-preference.ts'

const lockMs = 90 * 86_400_000

/** What the account chose to work on, and until when it is bound to that; null when it never chose. */
export function preferenceOf(parts: Parts, accountId: string): Promise<PreferenceRow | null> {
  return readPreference(parts.db, accountId)
}

/**
 * Lets the account work on the platform's credits (its keys are switched off) or on its own keys (they are switched on).
 * Throws 400 PREFERENCE_LOCKED while it is bound to its own keys.
 */
export async function prefer(
  parts: Parts,
  accountId: string,
  preference: Preference,
): Promise<PreferenceRow> {
  const kept = await parts.db.transaction().execute(async db => {
    const row = await putPreference(db, { accountId, preference, now: parts.now() })
    if (row) await switchKeys(db, accountId, preference === 'byok')
    return row
  })
  if (!kept) {
    throw new AppError(
      'invalid',
      'PREFERENCE_LOCKED',
      'You chose your own keys, and can change back when the 90 days are over',
      { details: [{ field: 'preference', message: 'is locked for 90 days after the first key' }] },
    )
  }
  await parts.active.changed(accountId)
  return kept
}

/** Binds an account that works on its own keys for 90 days, from its first key on. */
export function keyAdded(parts: Parts, accountId: string): Promise<void> {
  const now = parts.now()
  return beginLock(parts.db, { accountId, now, until: new Date(now.getTime() + lockMs) })
}

import { eraseAccount, resumeErasures } from './erasure.ts'
import type { Parts } from './parts.ts'
import { pruneSecurityEvents } from './store-events.ts'
import { findForgotten, pruneProofs } from './store-profile.ts'

const day = 24 * 60 * 60 * 1000
const keepProofsMs = 30 * day
const keepPendingMs = 7 * day
const keepEventsMs = 400 * day

/**
 * What time makes necessary, about once an hour: finishes erasures, drops registrations that nobody proved within a week,
 * sessions and codes a month after their end, and security events after 400 days. Any number of processes may run it.
 */
export async function tidyAccounts(parts: Parts): Promise<void> {
  const now = parts.now()
  await resumeErasures(parts)
  for (const accountId of await findForgotten(parts.db, new Date(now - keepPendingMs))) {
    await eraseAccount(parts, accountId)
  }
  await pruneProofs(parts.db, new Date(now - keepProofsMs))
  await pruneSecurityEvents(parts.db, new Date(now - keepEventsMs))
}

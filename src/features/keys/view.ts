import type { KeyView } from './schema.ts'
import type { KeyRow } from './store.ts'

/** What is told of a kept key. */
export function viewKey(row: KeyRow): KeyView {
  const { id, provider, name, isActive, baseUrl, models, fallbackToCredits, lastFour, fingerprint } = row
  return {
    ...{ id, provider, name, isActive, baseUrl, models, fallbackToCredits, lastFour, fingerprint },
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    lastError: viewFailure(row),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

/** The last call that failed, or null. */
export function viewFailure({ lastError, lastErrorAt }: KeyRow): KeyView['lastError'] {
  return lastError && lastErrorAt ? { ...lastError, at: lastErrorAt.toISOString() } : null
}

import type { Database } from '../../platform/database/index.ts'
import { isFinal } from './replay.ts'
import { type Generation, readGeneration, readStoredLog, type StoredLog } from './store.ts'

/** Whether a log has ended and its generation is still as it was then. */
function isSame(stored: StoredLog, { status, attempts, lastSeq }: Generation): boolean {
  const isAsThen = stored.status === status && stored.attempts === attempts && stored.lastSeq === lastSeq
  return isAsThen && isFinal(status)
}

export type SharedLogs = ReturnType<typeof createSharedLogs>

/**
 * Stored logs for readers. All who read one that has ended at a time read the same object, so that a long text is in memory
 * once, however many and slow they are.
 */
export function createSharedLogs(db: Database) {
  const loading = new Map<string, Promise<StoredLog | null>>()
  const ended = new Map<string, WeakRef<StoredLog>>()
  const forgotten = new FinalizationRegistry<string>(id => {
    if (ended.get(id)?.deref() === undefined) ended.delete(id)
  })

  function load(accountId: string, id: string): Promise<StoredLog | null> {
    const loaded = readStoredLog(db, id, accountId)
    loading.set(id, loaded)
    const settle = (stored: StoredLog | null) => {
      if (loading.get(id) === loaded) loading.delete(id)
      if (!stored || !isFinal(stored.status)) return
      ended.set(id, new WeakRef(stored))
      forgotten.register(stored, id)
    }
    loaded.then(settle, () => settle(null))
    return loaded
  }

  return {
    /** A generation of the account with its text and marks as they are now, or null. */
    async read(accountId: string, id: string): Promise<StoredLog | null> {
      const known = ended.get(id)?.deref() ?? loading.get(id)
      if (!known) return load(accountId, id)
      // Whether it is there, and this account's, is asked each time; what is asked for has no text.
      const [generation, stored] = await Promise.all([
        readGeneration(db, id, accountId),
        Promise.resolve(known).catch(() => null),
      ])
      if (!generation) return null
      return stored && isSame(stored, generation) ? stored : load(accountId, id)
    },
  }
}

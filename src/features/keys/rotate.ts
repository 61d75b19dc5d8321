import type { Database } from '../../platform/database/index.ts'
import type { Keyring } from './sealing.ts'
import { countByMaster, lockOthers, type Rewrapped, type SealedRow, saveRewrapped } from './store-masters.ts'

/** How a rotation went. */
export interface Rotation {
  /** The number of the current master key. */
  masterKey: number
  /** Keys whose data key was wrapped anew now. */
  rewrapped: number
  /** Keys that nobody here can open: their master key was not given, or their row was changed from outside. */
  unreadable: number
  /** All keys that are sealed under the current master key by now. */
  current: number
}

const firstId = '00000000-0000-0000-0000-000000000000'

/**
 * Wraps the data keys of all keys under the current master key, batch by batch, while servers read and write them. What a
 * batch has done stays done, whatever happens; done again, it does what is left.
 */
export async function rotateKeys(
  parts: { db: Database; keyring: Keyring },
  { batchSize = 200, onBatch = () => {} }: { batchSize?: number; onBatch?: (rewrapped: number) => void } = {},
): Promise<Rotation> {
  const { db, keyring } = parts
  const masterKey = await keyring.current()
  let after = firstId
  let rewrapped = 0
  let unreadable = 0
  for (;;) {
    const batch = await db.transaction().execute(async transaction => {
      const rows = await lockOthers(transaction, { after, masterKey, limit: batchSize })
      const done = await rewrapAll(keyring, rows)
      if (done.length > 0) await saveRewrapped(transaction, done, masterKey)
      return { last: rows.at(-1)?.id, rewrapped: done.length, unreadable: rows.length - done.length }
    })
    rewrapped += batch.rewrapped
    unreadable += batch.unreadable
    if (batch.last === undefined) break
    after = batch.last
    onBatch(rewrapped)
  }
  const counts = await countByMaster(db)
  const current = counts.find(count => count.masterKey === masterKey)?.keys ?? 0
  return { masterKey, rewrapped, unreadable, current }
}

async function rewrapAll(keyring: Keyring, rows: readonly SealedRow[]): Promise<Rewrapped[]> {
  const done = await Promise.all(rows.map(row => keyring.rewrap(row).catch(() => null)))
  return done.filter(row => row !== null)
}

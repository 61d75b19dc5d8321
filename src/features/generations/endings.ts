import type { Database } from '../../platform/database/index.ts'
import { type Ending, saveEndings } from './store-endings.ts'

export type Endings = ReturnType<typeof createEndings>

interface Waiting {
  ending: Ending
  resolve(finishedAt: Date | null): void
  reject(error: unknown): void
}

/** So many statements at once: a row that is locked must not hold up the ends of all others. */
const mostAtOnce = 3

/** Stores the ends of runs. Those that come while others are being stored go together, in one statement. */
export function createEndings(db: Database) {
  let waiting: Waiting[] = []
  let storing = 0

  async function storeAll(): Promise<void> {
    storing++
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      await storeTogether(db, batch)
    }
    storing--
  }

  return {
    /** Ends a run and settles it; gives when that was, or null when it had already ended or is in other hands. */
    save(ending: Ending): Promise<Date | null> {
      return new Promise((resolve, reject) => {
        waiting.push({ ending, resolve, reject })
        if (storing < mostAtOnce) void storeAll()
      })
    },
  }
}

async function storeTogether(db: Database, batch: readonly Waiting[]): Promise<void> {
  try {
    const ended = await saveEndings(
      db,
      batch.map(({ ending }) => ending),
    )
    for (const { ending, resolve } of batch) resolve(ended.get(ending.generationId) ?? null)
  } catch (error) {
    // One that cannot be stored must not keep the others from it.
    if (batch.length > 1) await Promise.all(batch.map(each => storeTogether(db, [each])))
    else batch[0]?.reject(error)
  }
}

import { sql } from 'kysely'
import { AppError } from '../../lib/errors.ts'
import { wasCancelled } from './failures.ts'
import type { Database } from './statement.ts'

/** What `work` gives, in a transaction of its own; null when one of its statements took longer than `ms`. */
export async function withinTime<T>(
  db: Database,
  ms: number,
  work: (db: Database) => Promise<T>,
): Promise<T | null> {
  try {
    return await db.transaction().execute(async transaction => {
      await sql`select set_config('statement_timeout', ${String(ms)}, true)`.execute(transaction)
      return work(transaction)
    })
  } catch (error) {
    if (error instanceof AppError && wasCancelled(error.cause)) return null
    throw error
  }
}

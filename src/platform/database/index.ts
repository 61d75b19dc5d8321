import { Kysely, PostgresDialect, type PostgresPool } from 'kysely'
import type pg from 'pg'
import { databaseUnavailable } from './failures.ts'
import { ConnectionSource, createPool, type PoolOptions } from './pool.ts'
import { connectDirectly, type Database, statement } from './statement.ts'
import type { Tables } from './tables.ts'

export { hasSqlState, isForeignKeyViolation, isUniqueViolation } from './failures.ts'
export { containing } from './like.ts'
export type { DatabaseSource } from './pool.ts'
export { type Database, type Pair, statement, statementPair } from './statement.ts'
export type * from './tables.ts'
export { withinTime } from './time-limit.ts'

/** An open database: `db` for queries, `pool` for those that bring their own (the queue). */
export interface OpenDatabase {
  db: Database
  pool: pg.Pool
  /** Answers when the database does, within two seconds; else throws AppError unavailable. */
  ping(): Promise<void>
  close(): Promise<void>
}

const select1 = statement('select 1 where $1::int = 1')

/**
 * Opens a pool; nothing connects before the first query. Failing connections, at any time, throw AppError unavailable
 * DATABASE_UNAVAILABLE and are replaced; violated constraints pass through for `isUniqueViolation`.
 */
export function openDatabase(options: PoolOptions): OpenDatabase {
  const pool = createPool(options)
  const source = new ConnectionSource(pool)
  // Kysely's type also asks for cursors, which nobody here uses.
  const kyselyPool = source as unknown as PostgresPool
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: kyselyPool }) })
  connectDirectly(db, source)
  return {
    db,
    pool,
    ping: () => withinMs(2_000, select1(db, 1)),
    async close() {
      await db.destroy()
      if (!pool.ending) await pool.end()
    },
  }
}

async function withinMs(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(databaseUnavailable(new Error(`no answer in ${ms} ms`))), ms)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

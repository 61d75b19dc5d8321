import { CompiledQuery as Compiled, type CompiledQuery, type Kysely } from 'kysely'
import type { ConnectionSource } from './pool.ts'
import { giveName } from './statement-names.ts'
import type { Tables } from './tables.ts'

/** The database, or a transaction of it: what store functions receive. */
export type Database = Kysely<Tables>

const sources = new WeakMap<object, ConnectionSource>()

/** Lets statements on this database go to its connections directly, past Kysely. */
export function connectDirectly(db: Database, source: ConnectionSource): void {
  sources.set(db, source)
}

/**
 * A hand-written statement for hot paths: prepared once per connection, values are $1, $2, …; gives the rows. Undefined is
 * not a value: pass null. Arrays are Postgres arrays, so JSON goes in as JSON.stringify(…).
 */
export function statement<Row extends object = Record<string, never>>(text: string) {
  const name = giveName(text)
  const { query, queryId } = Compiled.raw(text)
  return async function run(db: Database, ...values: readonly unknown[]): Promise<Row[]> {
    const source = sources.get(db)
    if (source) return source.run<Row>(name, text, values)
    const compiled: CompiledQuery<Row> = { sql: text, parameters: values, query, queryId }
    return (await db.executeQuery(compiled)).rows
  }
}

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
  const prepared = { name: giveName(text), text }
  const { query, queryId } = Compiled.raw(text)
  return async function run(db: Database, ...values: readonly unknown[]): Promise<Row[]> {
    const source = sources.get(db)
    if (source) return (await source.run([{ statement: prepared, values }]))[0] as Row[]
    const compiled: CompiledQuery<Row> = { sql: text, parameters: values, query, queryId }
    return (await db.executeQuery(compiled)).rows
  }
}

/** What two statements gave that were sent as one transaction. */
export interface Pair<Row> {
  /** The rows of the first, before they are committed: they may yet come to nothing. */
  first: Promise<Row[]>
  /** Resolves when both are on the disk; rejects when neither is, or when the connection was lost before that was known. */
  committed: Promise<void>
}

/**
 * Two hand-written statements for hot paths, sent together and committed together, so that what the first one gives can be
 * worked with while the second one and the disk are at work. Values are $1, $2, … for each of them.
 */
export function statementPair<Row extends object>(firstText: string, secondText: string) {
  const first = { name: giveName(firstText), text: firstText }
  const second = { name: giveName(secondText), text: secondText }
  return function run(
    db: Database,
    firstValues: readonly unknown[],
    secondValues: readonly unknown[],
  ): Pair<Row> {
    const source = sources.get(db)
    if (!source) throw new Error('a pair of statements is a transaction of its own')
    const { promise, resolve, reject } = Promise.withResolvers<Row[]>()
    const ignore = () => {}
    const asked = [
      { statement: first, values: firstValues },
      { statement: second, values: secondValues },
    ] as const
    const committed = source
      .run(asked, rows => resolve(rows as Row[]))
      .then(ignore, error => {
        reject(error)
        throw error
      })
    // Whoever heard of the failure by one of them need not ask the other.
    promise.catch(ignore)
    committed.catch(ignore)
    return { first: promise, committed }
  }
}

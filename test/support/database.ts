import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { type Database, openDatabase } from '../../src/platform/database/index.ts'

/** A database of its own, empty but migrated; dropped when disposed. */
export interface TestDatabase extends AsyncDisposable {
  db: Database
  pool: pg.Pool
  /** For whoever opens connections of his own, such as the queue or a second app. */
  url: string
  name: string
  close(): Promise<void>
}

export interface TestDatabaseOptions {
  maxConnections?: number
  /** Without the schema: for tests of migrations. */
  isEmpty?: boolean
}

/** Copies the migrated template into a new database: `await using database = await createTestDatabase()`. */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const server = inject('database')
  const name = `test_${randomBytes(6).toString('hex')}`
  const { isEmpty = false, ...pool } = options
  await administer(
    `create database ${name}${isEmpty ? '' : ` template ${server.template}`} strategy file_copy`,
  )
  const url = `postgresql://${server.user}:${server.password}@/${name}?host=${encodeURIComponent(server.host)}&port=${server.port}`
  const open = openDatabase({ source: url, ...pool })
  let closing: Promise<void> | undefined
  async function dispose(): Promise<void> {
    await open.close()
    await administer(`drop database if exists ${name} with (force)`)
  }
  const close = () => {
    closing ??= dispose()
    return closing
  }
  return { db: open.db, pool: open.pool, url, name, close, [Symbol.asyncDispose]: close }
}

/** One statement on the server that belongs to no test database. */
async function administer(text: string): Promise<void> {
  const { template: _, ...server } = inject('database')
  const client = new pg.Client({ ...server, database: 'postgres' })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}

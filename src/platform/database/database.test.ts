import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { createTestDatabase } from '../../../test/support/database.ts'
import { newId } from '../../lib/ids.ts'
import { isUniqueViolation, openDatabase, statement, withinTime } from './index.ts'

const insertAccount = statement(`insert into accounts (id, email, email_key) values ($1, $2, $2)`)
const countAccounts = statement<{ count: number; at: Date }>(
  `select count(*) as count, now() as at from accounts where $1::int = 1`,
)

test('statements and Kysely share one database, with numbers and dates as such', async () => {
  await using database = await createTestDatabase()
  await insertAccount(database.db, newId(), 'ann@example.org')
  const [row] = await countAccounts(database.db, 1)
  expect(row?.count).toBe(1)
  expect(row?.at).toBeInstanceOf(Date)
  const found = await database.db
    .selectFrom('accounts')
    .selectAll()
    .where('email', '=', 'ann@example.org')
    .executeTakeFirstOrThrow()
  expect(found.plan).toBe('basic')
  const { rows } = await sql<{
    total: number
  }>`select sum(x::bigint) as total, ${1}::int from generate_series(1, 3) x`.execute(database.db)
  expect(rows[0]?.total).toBe(6)
})

test('a statement inside a transaction belongs to it', async () => {
  await using database = await createTestDatabase()
  const work = database.db.transaction().execute(async db => {
    await insertAccount(db, newId(), 'bob@example.org')
    expect((await countAccounts(db, 1))[0]?.count).toBe(1)
    throw new Error('changed my mind')
  })
  await expect(work).rejects.toThrow('changed my mind')
  expect((await countAccounts(database.db, 1))[0]?.count).toBe(0)
})

test('a violated constraint passes through and can be told apart', async () => {
  await using database = await createTestDatabase()
  await insertAccount(database.db, newId(), 'cy@example.org')
  const error = await insertAccount(database.db, newId(), 'cy@example.org').catch((thrown: unknown) => thrown)
  expect(isUniqueViolation(error)).toBe(true)
  expect(isUniqueViolation(error, 'accounts_email_key_key')).toBe(true)
  expect(isUniqueViolation(error, 'accounts_pkey')).toBe(false)
})

test('what takes too long is given up, its writes with it; the connection and other statements go on', async () => {
  await using database = await createTestDatabase()
  const { db, close } = openDatabase({ source: database.url, maxConnections: 1 })
  onTestFinished(close)
  const connection = async () => {
    const { rows } = await sql<{ pid: number; limit: string }>`
      select pg_backend_pid() as pid, current_setting('statement_timeout') as limit`.execute(db)
    return rows[0]
  }
  const before = await connection()
  const asked = performance.now()
  const given = await withinTime(db, 50, async transaction => {
    await insertAccount(transaction, newId(), 'dee@example.org')
    await sql`select pg_sleep(20)`.execute(transaction)
  })
  expect(given).toBeNull()
  expect(performance.now() - asked).toBeLessThan(5000)
  expect((await countAccounts(db, 1))[0]?.count).toBe(0)
  expect(await connection()).toEqual(before)
  expect(await withinTime(db, 5000, transaction => countAccounts(transaction, 1))).toHaveLength(1)
  const wrong = withinTime(db, 5000, transaction => sql`select 1 / 0`.execute(transaction))
  await expect(wrong).rejects.toThrow('division by zero')
})

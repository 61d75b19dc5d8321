import { expect, inject, test, vi } from 'vitest'
import { createTestDatabase } from '../../../test/support/database.ts'
import { startProxy } from '../../../test/support/database-proxy.ts'
import { AppError } from '../../lib/errors.ts'
import { examineDatabase } from './examine.ts'
import { openDatabase, statement } from './index.ts'

const backend = statement<{ pid: number }>('select pg_backend_pid() as pid where $1::int = 1')
const sleepFor = statement('select pg_sleep($1)')

const unavailable = expect.objectContaining({
  kind: 'unavailable',
  code: 'DATABASE_UNAVAILABLE',
  retryAfterSeconds: 1,
})

test('a connection that is cut in the middle of a statement fails as unavailable; the next one works', async () => {
  await using database = await createTestDatabase({ maxConnections: 1 })
  const [row] = await backend(database.db, 1)
  const waiting = sleepFor(database.db, 20).catch((error: unknown) => error)
  await using other = await createTestDatabase()
  await other.pool.query('select pg_terminate_backend($1)', [row?.pid])
  const error = await waiting
  expect(error).toBeInstanceOf(AppError)
  expect(error).toEqual(unavailable)
  expect(await backend(database.db, 1)).toHaveLength(1)
})

test('a transaction whose connection is cut fails as unavailable and leaves a working pool', async () => {
  await using database = await createTestDatabase({ maxConnections: 1 })
  await using other = await createTestDatabase()
  const work = database.db.transaction().execute(async db => {
    const [row] = await backend(db, 1)
    await other.pool.query('select pg_terminate_backend($1)', [row?.pid])
    return backend(db, 1)
  })
  await expect(work).rejects.toEqual(unavailable)
  expect(await database.db.selectFrom('accounts').select('id').execute()).toEqual([])
})

test('idle connections that are cut are replaced without anybody noticing much', async () => {
  await using database = await createTestDatabase({ maxConnections: 3 })
  await using other = await createTestDatabase()
  await Promise.all([1, 2, 3].map(() => sleepFor(database.db, 0.05)))
  await other.pool.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
    database.name,
  ])
  await vi.waitFor(async () => expect(await backend(database.db, 1)).toHaveLength(1), {
    timeout: 5_000,
    interval: 5,
  })
})

test('a statement that takes too long is cancelled as unavailable', async () => {
  await using database = await createTestDatabase()
  const impatient = openDatabase({ source: database.url, statementTimeoutMs: 100 })
  await expect(sleepFor(impatient.db, 20)).rejects.toEqual(unavailable)
  await impatient.ping()
  await impatient.close()
})

test('a network that swallows everything: requests end, and the pool heals when it is back', async () => {
  await using database = await createTestDatabase()
  await using proxy = await startProxy(inject('database'))
  const login = database.url.slice(0, database.url.indexOf('@'))
  const source = `${login}@127.0.0.1:${proxy.port}/${database.name}`
  const remote = openDatabase({ source, maxConnections: 2, statementTimeoutMs: 500, connectTimeoutMs: 2000 })
  await Promise.all([sleepFor(remote.db, 0.05), sleepFor(remote.db, 0.05)])
  proxy.swallow(true)
  const startedAt = Date.now()
  const all = await Promise.allSettled([1, 2, 3, 4, 5].map(() => backend(remote.db, 1)))
  expect(Date.now() - startedAt).toBeLessThan(10_000)
  for (const each of all) expect(each).toEqual({ status: 'rejected', reason: unavailable })
  await expect(remote.ping()).rejects.toEqual(unavailable)
  proxy.swallow(false)
  await vi.waitFor(() => remote.ping(), { timeout: 10_000, interval: 20 })
  const work = remote.db.transaction().execute(async db => {
    await backend(db, 1)
    proxy.swallow(true)
    return backend(db, 1)
  })
  const swallowedAt = Date.now()
  await expect(work).rejects.toEqual(unavailable)
  expect(Date.now() - swallowedAt).toBeLessThan(8_000)
  proxy.swallow(false)
  await vi.waitFor(() => remote.ping(), { timeout: 10_000, interval: 20 })
  await remote.close()
})

test('a server that is not there is unavailable, and doctor says where', async () => {
  const url = 'postgresql://ann:secret@127.0.0.1:1/none'
  const absent = openDatabase({ source: url })
  await expect(absent.ping()).rejects.toEqual(unavailable)
  await absent.close()
  const report = await examineDatabase({ databaseUrl: url, dataDir: '/nowhere' })
  expect(report.where).toBe('postgresql://ann@127.0.0.1:1/none')
  expect(report.problem).toContain('ECONNREFUSED')
})

test('doctor sees a healthy database and how far it is migrated', async () => {
  await using database = await createTestDatabase()
  const report = await examineDatabase({ databaseUrl: database.url, dataDir: '/nowhere' })
  expect(report).toMatchObject({ problem: null, pending: [], serverVersion: expect.stringMatching(/^18/) })
  expect(report.applied[0]).toBe('0001_accounts.sql')
  expect(report.where).not.toContain(new URL(database.url.replace('@/', '@host/')).password)
})

test('hundreds of different texts do not pile up prepared statements', async () => {
  await using database = await createTestDatabase({ maxConnections: 1 })
  for (let width = 1; width <= 700; width++) {
    const ids = Array.from({ length: width }, () => '00000000-0000-7000-8000-000000000000')
    const query = database.db.selectFrom('accounts').select('id').where('id', 'in', ids)
    await query.execute()
    await query.execute()
  }
  const { rows } = await database.pool.query<{ count: number }>('select count(*) from pg_prepared_statements')
  expect(rows[0]?.count).toBeLessThanOrEqual(500)
  expect(rows[0]?.count).toBeGreaterThan(100)
})

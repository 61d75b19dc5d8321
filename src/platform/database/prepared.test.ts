import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { type Database, isUniqueViolation, openDatabase, statement, statementPair } from './index.ts'

let database: TestDatabase
/** One connection, so that what a statement leaves behind is met by the next one. */
let one: ReturnType<typeof openDatabase>
beforeAll(async () => {
  database = await createTestDatabase()
  await database.pool.query(
    'create table notes (id integer primary key, text text, at timestamptz default now())',
  )
  one = openDatabase({ source: database.url, maxConnections: 1 })
})
beforeEach(() => database.pool.query('truncate notes'))
afterAll(async () => {
  await one.close()
  await database.close()
})

const notes = async () => (await database.pool.query('select id, text from notes order by id')).rows
const insert = 'insert into notes (id, text) values ($1, $2) returning id, text, at'

/** Texts that no connection has prepared. */
let texts = 0
const fresh = (text: string) => `/* ${texts++} */ ${text}`

describe('a prepared statement', () => {
  test('gives rows with the types that everything else gives, the first time and again', async () => {
    const select = statement(
      fresh(`select $1::int as whole, 7::bigint as long, 1.5::numeric as decimal, true as yes, null as nothing, 'ä\\' as text,
        '{"a":[1]}'::jsonb as json, date '2026-11-26' as day, timestamptz '2026-11-26 10:00+00' as at, '{1,2}'::bigint[] as list,
        $2::text[] as texts, $3::bytea as bytes`),
    )
    const expected = {
      ...{ whole: 3, long: 7, decimal: 1.5, yes: true, nothing: null, text: 'ä\\', json: { a: [1] } },
      ...{ day: '2026-11-26', at: new Date('2026-11-26T10:00:00Z'), list: [1, 2] },
      ...{ texts: ['a "b"', '\\', 'NULL'], bytes: Buffer.from([0, 255]) },
    }
    for (let turn = 0; turn < 3; turn++) {
      const rows = await select(one.db, 3, ['a "b"', '\\', 'NULL'], Buffer.from([0, 255]))
      expect(rows).toEqual([expected])
    }
  })

  test('gives no rows where there are none, and as many as there are', async () => {
    const silent = statement(fresh('update notes set text = $1'))
    expect(await silent(one.db, 'x')).toEqual([])
    expect(await silent(one.db, 'x')).toEqual([])
    const many = statement<{ n: number }>(fresh('select n from generate_series(1, $1::int) n'))
    expect(await many(one.db, 0)).toEqual([])
    expect((await many(one.db, 3000)).map(row => row.n)).toEqual(
      Array.from({ length: 3000 }, (_, i) => i + 1),
    )
  })

  test('that fails leaves its connection as good as it was', async () => {
    const wrong = statement(fresh('select nothing from nowhere where $1'))
    const failing = statement(fresh('select 1 / $1::int as result'))
    for (let turn = 0; turn < 2; turn++) {
      await expect(wrong(one.db, true)).rejects.toThrow('nowhere')
      await expect(failing(one.db, 0)).rejects.toThrow('division by zero')
      expect(await failing(one.db, 1)).toEqual([{ result: 1 }])
    }
    const circular: unknown[] = []
    circular.push({ toPostgres: () => circular })
    await expect(failing(one.db, circular)).rejects.toThrow()
    expect(await failing(one.db, 1)).toEqual([{ result: 1 }])
  })

  test('is described anew when a table has changed, without an end to its users', async () => {
    const all = statement(fresh('select * from notes where $1'))
    await statement(fresh(insert))(one.db, 1, 'a')
    expect(Object.keys((await all(one.db, true))[0] ?? {})).toEqual(['id', 'text', 'at'])
    await database.pool.query('alter table notes add column more text')
    onTestFinished(async () => void (await database.pool.query('alter table notes drop column more')))
    await all(one.db, true).catch(() => {})
    expect(Object.keys((await all(one.db, true))[0] ?? {})).toEqual(['id', 'text', 'at', 'more'])
  })

  test('finds another connection when its own was cut', async () => {
    const pid = statement<{ pid: number }>(fresh('select pg_backend_pid() as pid where $1'))
    for (let turn = 0; turn < 5; turn++) {
      const [row] = await pid(one.db, true)
      await database.pool.query('select pg_terminate_backend($1, 5000)', [row?.pid])
      await expect.poll(() => pid(one.db, true), { interval: 1 }).toHaveLength(1)
    }
  })
})

describe('a pair of statements', () => {
  const insertTwo = (second: string) =>
    statementPair<{ id: number; text: string }>(fresh(insert), fresh(second))

  test('is one transaction, and gives the rows of the first before the second is done', async () => {
    const pair = insertTwo('with slept as (select pg_sleep($2)) insert into notes (id) select $1 from slept')
    for (const id of [1, 11]) {
      const { first, committed } = pair(one.db, [id, 'first'], [id + 1, 0.3])
      expect(await first).toMatchObject([{ id, text: 'first', at: expect.any(Date) }])
      expect((await notes()).filter(note => note.id >= id)).toEqual([])
      await committed
      expect((await notes()).map(note => note.id).filter(found => found >= id)).toEqual([id, id + 1])
    }
  })

  test('sees in the second what the first did', async () => {
    const pair = insertTwo('update notes set text = text || $2 where id = $1')
    await pair(one.db, [1, 'a'], [1, 'b']).committed
    expect(await notes()).toEqual([{ id: 1, text: 'ab' }])
  })

  test('comes to nothing when the second fails, however early the first was told', async () => {
    const pair = insertTwo('insert into notes (id) values ($1), ($1)')
    for (let turn = 0; turn < 3; turn++) {
      const { first, committed } = pair(one.db, [1, 'a'], [2])
      expect(await first).toMatchObject([{ id: 1 }])
      expect(isUniqueViolation(await committed.catch((error: unknown) => error))).toBe(true)
      expect(await notes()).toEqual([])
    }
  })

  test('does nothing of the second when the first fails, and both can be asked again', async () => {
    const pair = insertTwo('insert into notes (id) values ($1)')
    for (const [index, good] of [1, 2].entries()) {
      const failed = pair(one.db, [null, 'a'], [99])
      await expect(failed.first).rejects.toThrow('not-null')
      await expect(failed.committed).rejects.toThrow('not-null')
      await pair(one.db, [good * 10, 'a'], [good]).committed
      expect(await notes()).toHaveLength((index + 1) * 2)
    }
  })

  test('that is cut in the middle comes to nothing, and says so', async () => {
    const pair = statementPair<{ pid: number }>(
      fresh(`with kept as (insert into notes (id) values ($1)) select pg_backend_pid() as pid`),
      fresh('select pg_sleep($1)'),
    )
    const { first, committed } = pair(one.db, [1], [20])
    const [row] = await first
    await database.pool.query('select pg_terminate_backend($1, 5000)', [row?.pid])
    await expect(committed).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    expect(await notes()).toEqual([])
    await vi.waitFor(() => one.ping(), { timeout: 10_000 })
  })

  test('cannot be part of another transaction', async () => {
    const pair = insertTwo('select $1')
    const within = one.db.transaction().execute(async db => pair(db as Database, [1, 'a'], [1]).committed)
    await expect(within).rejects.toThrow('a transaction of its own')
  })
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { migrate, readMigrationState } from './migrate.ts'

let database: TestDatabase
let folder: string

beforeEach(async () => {
  database = await createTestDatabase({ isEmpty: true })
  folder = await mkdtemp(join(tmpdir(), 'atelier-migrations-'))
  await write('0001_first.sql', 'create table firsts (id integer primary key);')
  await write(
    '0002_second.sql',
    'create table seconds (id integer primary key);\ninsert into seconds values (1);',
  )
})

afterEach(async () => {
  await database.close()
  await rm(folder, { recursive: true, force: true })
})

const write = (name: string, text: string) => writeFile(join(folder, name), text)
const run = () => migrate({ source: database.url, folder })

test('applies each file once, in order', async () => {
  expect(await run()).toEqual(['0001_first.sql', '0002_second.sql'])
  expect(await run()).toEqual([])
  await write('0003_third.sql', 'alter table seconds add note text;')
  expect(await readMigrationState({ source: database.url, folder })).toEqual({
    applied: ['0001_first.sql', '0002_second.sql'],
    pending: ['0003_third.sql'],
  })
  expect(await run()).toEqual(['0003_third.sql'])
})

test('processes that start together apply each file exactly once', async () => {
  const results = await Promise.all([run(), run(), run(), run()])
  expect(results.flat().sort()).toEqual(['0001_first.sql', '0002_second.sql'])
})

test('a file that fails leaves nothing behind and names its line', async () => {
  await write('0003_broken.sql', 'create table thirds (id integer);\n\nalter table nowhere add x integer;')
  await expect(run()).rejects.toThrow(/0003_broken\.sql failed: relation "nowhere" does not exist/)
  const { rows } = await database.pool.query(
    `select to_regclass('thirds') as thirds, to_regclass('seconds') as seconds`,
  )
  expect(rows).toEqual([{ thirds: null, seconds: 'seconds' }])
  await write('0003_broken.sql', 'create table thirds (id integer);')
  expect(await run()).toEqual(['0003_broken.sql'])
})

test('a file that was changed after it had been applied stops the start', async () => {
  await run()
  await write('0001_first.sql', 'create table firsts (id bigint primary key);')
  await expect(run()).rejects.toThrow(/0001_first\.sql was changed after it had been applied/)
})

test('a database that is newer than the files stops the start', async () => {
  await write('0003_third.sql', 'select 1;')
  await run()
  await rm(join(folder, '0003_third.sql'))
  await expect(run()).rejects.toThrow(/0003_third\.sql, which this version does not know/)
})

test('a number that was left out may come later, but none may come twice', async () => {
  await write('0005_fifth.sql', 'create table fifths (id int);')
  expect(await run()).toContain('0005_fifth.sql')
  await write('0004_fourth.sql', 'create table fourths (id int);')
  expect(await run()).toEqual(['0004_fourth.sql'])
  expect(await run()).toEqual([])
  await write('0005_other.sql', 'select 1;')
  await expect(run()).rejects.toThrow(/0005_fifth\.sql and 0005_other\.sql have the same number/)
})

test('a server that does not answer stops the start in one line, without the password', async () => {
  const startedAt = Date.now()
  const problem = await migrate({ source: 'postgresql://ann:secret@127.0.0.1:1/none' }).catch(
    (error: Error) => error.stack,
  )
  expect(problem).toMatch(/^cannot use the database postgresql:\/\/ann@127\.0\.0\.1:1\/none: .*ECONNREFUSED/)
  expect(problem).not.toContain('\n')
  expect(Date.now() - startedAt).toBeLessThan(10_000)
})

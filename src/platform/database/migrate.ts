import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { connectAtStart } from './connect.ts'
import type { DatabaseSource } from './pool.ts'
import { DatabaseStartError } from './start-error.ts'

/** One numbered file. */
export interface Migration {
  id: number
  name: string
  text: string
  checksum: string
}

export interface MigrateOptions {
  source: DatabaseSource
  /** The folder of the files; the project's own unless told. */
  folder?: string
}

const projectFolder = fileURLToPath(new URL('../../../migrations', import.meta.url))

/** Held while migrations run, so that processes that start together take turns. */
const migrationLock = 4_711_000_002

/**
 * Brings the schema up to date, each file in a transaction of its own. Gives the names that were applied now. Throws
 * DatabaseStartError when an applied file has changed, when the database is newer than the files, or when a file fails.
 */
export async function migrate({ source, folder = projectFolder }: MigrateOptions): Promise<string[]> {
  const migrations = await readMigrations(folder)
  const client = await connectAtStart(source)
  try {
    await client.query('select pg_advisory_lock($1)', [migrationLock])
    await client.query(`create table if not exists schema_migrations (
      id integer primary key,
      name text not null,
      checksum text not null,
      applied_at timestamptz not null default now()
    )`)
    const pending = pendingOf(migrations, await readApplied(client))
    for (const migration of pending) await apply(client, migration)
    return pending.map(migration => migration.name)
  } finally {
    await client.end().catch(() => {})
  }
}

/** How far a database is: what is applied and what is not. Changes nothing; throws like `migrate`. */
export async function readMigrationState({ source, folder = projectFolder }: MigrateOptions) {
  const migrations = await readMigrations(folder)
  const client = await connectAtStart(source)
  try {
    const { rows } = await client.query<{ found: boolean }>(
      `select to_regclass('schema_migrations') is not null as found`,
    )
    const applied = rows[0]?.found ? await readApplied(client) : []
    const pending = pendingOf(migrations, applied)
    return { applied: applied.map(each => each.name), pending: pending.map(each => each.name) }
  } finally {
    await client.end().catch(() => {})
  }
}

/**
 * The files of a folder in order of their numbers. Each number occurs once; one may be left out, because branches that take
 * the next numbers at the same time land in any order, and a file that comes later is applied then.
 */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter(name => /^\d+_.+\.sql$/.test(name)).sort()
  const migrations = await Promise.all(names.map(name => readMigration(folder, name)))
  migrations.sort((left, right) => left.id - right.id)
  migrations.forEach((migration, index) => {
    const before = migrations[index - 1]
    if (before?.id === migration.id)
      throw new DatabaseStartError(`${before.name} and ${migration.name} have the same number`)
  })
  return migrations
}

async function readMigration(folder: string, name: string): Promise<Migration> {
  const text = (await readFile(join(folder, name), 'utf8')).replaceAll('\r\n', '\n')
  const checksum = createHash('sha256').update(text).digest('hex')
  return { id: Number.parseInt(name, 10), name, text, checksum }
}

type Applied = Pick<Migration, 'id' | 'name' | 'checksum'>

async function readApplied(client: pg.Client): Promise<Applied[]> {
  const { rows } = await client.query<Applied>('select id, name, checksum from schema_migrations order by id')
  return rows
}

function pendingOf(migrations: readonly Migration[], applied: readonly Applied[]): Migration[] {
  const files = new Map(migrations.map(migration => [migration.id, migration]))
  for (const each of applied) {
    const file = files.get(each.id)
    if (!file) {
      throw new DatabaseStartError(
        `the database has migration ${each.name}, which this version does not know: start a newer version`,
      )
    }
    if (file.checksum !== each.checksum) {
      throw new DatabaseStartError(
        `migration ${file.name} was changed after it had been applied: put it back and write a new one instead`,
      )
    }
  }
  const known = new Set(applied.map(each => each.id))
  return migrations.filter(migration => !known.has(migration.id))
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  await client.query('begin')
  try {
    await client.query(migration.text)
    await client.query('insert into schema_migrations (id, name, checksum) values ($1, $2, $3)', [
      migration.id,
      migration.name,
      migration.checksum,
    ])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw new DatabaseStartError(`migration ${migration.name} failed: ${lineIn(error, migration.text)}`, {
      cause: error,
    })
  }
}

function lineIn(error: unknown, text: string): string {
  const { message, position } = error as { message: string; position?: string }
  if (!position) return message
  return `${message} (line ${text.slice(0, Number(position)).split('\n').length})`
}

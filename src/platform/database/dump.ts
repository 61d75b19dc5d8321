import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { readCatalog } from './catalog.ts'
import { startEmbedded } from './embedded.ts'
import { migrate } from './migrate.ts'
import { connectionConfig, type DatabaseSource } from './pool.ts'
import { schemaText } from './schema-text.ts'
import { tablesText } from './tables-text.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** The two files that are made from the schema, relative to the project. */
export const schemaPath = 'migrations/schema.sql'
export const tablesPath = 'src/platform/database/tables.ts'

/** What the two files must contain, read from a migrated database. */
export async function describeSchema(source: DatabaseSource): Promise<{ schema: string; tables: string }> {
  const client = new pg.Client(connectionConfig(source))
  await client.connect()
  try {
    const catalog = await readCatalog(client)
    return { schema: schemaText(catalog), tables: format(tablesText(catalog)) }
  } finally {
    await client.end()
  }
}

function format(text: string): string {
  const biome = join(root, 'node_modules', '.bin', 'biome')
  return execFileSync(biome, ['check', '--write', `--stdin-file-path=${tablesPath}`], {
    cwd: root,
    input: text,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
  })
}

async function writeSchemaFiles(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'atelier-schema-'))
  try {
    const embedded = await startEmbedded({ dataDir: folder, settings: { fsync: 'off' } })
    try {
      await migrate({ source: embedded.connection })
      const { schema, tables } = await describeSchema(embedded.connection)
      await writeFile(join(root, schemaPath), schema)
      await writeFile(join(root, tablesPath), tables)
    } finally {
      await embedded.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

if (import.meta.main) await writeSchemaFiles()

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { startEmbedded } from '../../src/platform/database/embedded.ts'
import { migrate } from '../../src/platform/database/migrate.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    database: { host: string; port: number; user: string; password: string }
  }
}

/** The migrated database that every test database is copied from. */
export const templateName = 'template_atelier'

/** One Postgres for the whole run, in a folder that goes away with it. Only here it may forget on a power cut. */
export default async function setup(project: TestProject) {
  const folder = await mkdtemp(join(tmpdir(), 'atelier-test-'))
  const settings = {
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: '300',
  }
  const embedded = await startEmbedded({ dataDir: folder, settings })
  const server = embedded.connection()
  const client = new pg.Client({ ...server })
  await client.connect()
  await client.query(`create database ${templateName}`)
  await client.end()
  await migrate({ source: () => ({ ...server, database: templateName }) })
  project.provide('database', {
    host: server.host,
    port: server.port,
    user: server.user,
    password: server.password,
  })
  return async () => {
    await embedded.close()
    await rm(folder, { recursive: true, force: true })
  }
}

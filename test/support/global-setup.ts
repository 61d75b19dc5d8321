import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { startEmbedded } from '../../src/platform/database/embedded.ts'
import { migrate } from '../../src/platform/database/migrate.ts'
import { makeTestFolder, removeTestFolder } from './folder.ts'
import { findMachine, type Machine, skippedLine } from './machine.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The server of this run; `template` is the migrated database that every test database is copied from. */
    database: { host: string; port: number; user: string; password: string; template: string }
    /** What this machine has beyond npm; tests that need what is missing are skipped: `test.skipIf(!inject('machine').redis)`. */
    machine: Machine
  }
}

const template = 'template_atelier'

/** One Postgres for the whole run, in a folder that goes away with it. Only here it may forget on a power cut. */
export default async function setup(project: TestProject) {
  const machine = findMachine()
  const skipped = skippedLine(machine)
  project.provide('machine', machine)
  const folder = await makeTestFolder('run')
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
  await client.query(`create database ${template}`)
  await client.end()
  await migrate({ source: () => ({ ...server, database: template }) })
  const { host, port, user, password } = server
  project.provide('database', { host, port, user, password, template })
  return async () => {
    await embedded.close()
    await removeTestFolder(folder)
    if (skipped) process.stdout.write(`${skipped}\n`)
  }
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { readPassword, role, runAs } from '../../src/platform/database/embedded/cluster.ts'
import { findNative, runnableNative } from '../../src/platform/database/embedded/native.ts'
import { findPlace } from '../../src/platform/database/embedded/place.ts'
import { startEmbedded } from '../../src/platform/database/embedded.ts'
import { freePort } from '../support/ports.ts'
import type { ConnectionSource } from './audit.ts'

/** A Postgres as an operator runs one: a server on a TCP port of 127.0.0.1, apart from everything that uses it. */
export interface PostgresServer {
  url: string
  source: ConnectionSource
  /** What `pg_ctl restart -m immediate` does: it ends without tidying up, as in a crash, and starts again. */
  crash(options?: { downMs?: number }): Promise<void>
  close(): Promise<void>
}

/** Makes a database in a folder and serves it. It waits for the disk, as Postgres does unless told otherwise. */
export async function startPostgres(folder: string): Promise<PostgresServer> {
  // Makes the cluster; what runs on it afterwards is an ordinary server.
  await (await startEmbedded({ dataDir: folder })).close()
  const place = await findPlace(folder)
  const native = await runnableNative(await findNative(), place.owner, place.home)
  const password = await readPassword(place)
  const port = await freePort()
  const connection = { host: '127.0.0.1', port, user: role, password, database: 'postgres' }

  async function isUp(): Promise<boolean> {
    const client = new pg.Client(connection)
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query('select 1')
      return true
    } catch {
      return false
    } finally {
      await client.end().catch(() => {})
    }
  }

  async function launch() {
    const settings = [
      'listen_addresses=127.0.0.1',
      `port=${port}`,
      'unix_socket_directories=',
      'max_connections=200',
    ]
    const args = ['-D', place.cluster, ...settings.flatMap(setting => ['-c', setting])]
    const child = spawn(join(native, 'bin', 'postgres'), args, {
      ...runAs(place.owner),
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    child.stderr.on('data', chunk => void appendFile(join(folder, 'postgres.log'), chunk).catch(() => {}))
    for (const deadline = Date.now() + 30_000; !(await isUp()); await sleep(25)) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error('Postgres did not start')
    }
    return child
  }

  let child = await launch()
  const end = async (signal: NodeJS.Signals) => {
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  return {
    url: `postgresql://${role}:${password}@127.0.0.1:${port}/postgres`,
    source: async () => connection,
    async crash({ downMs = 0 } = {}) {
      await end('SIGQUIT')
      await sleep(downMs)
      child = await launch()
    },
    close: () => end('SIGINT'),
  }
}

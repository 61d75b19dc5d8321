import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { startEmbedded } from '../../src/platform/database/embedded.ts'
import { createDatabase } from '../database.ts'
import { type ServerProcess, startServer } from '../processes.ts'
import { atelierEnvironment, type Caller, project, seedAtelier, startFlags } from '../rows.ts'

/** A server, perhaps with a worker apart, on a Postgres of its own. */
export interface World {
  label: string
  port: number
  server: ServerProcess
  /** Null where jobs run inside the server. */
  worker: ServerProcess | null
  postmaster: number
  callers: readonly Caller[]
  /** Makes another database in its Postgres; gives the URL. */
  createDatabase(name: string): Promise<string>
}

/** Where questions go, and who asks them. */
export type Askable = Pick<World, 'port' | 'callers'>

export interface WorldOptions {
  label: string
  providerPort: number
  /** With one the queue and the logs are on it, and the worker is a process of its own. */
  redisUrl: string | null
  stack: AsyncDisposableStack
}

const accounts = 100

/** Opens a world in a new folder; the stack closes it and removes all it wrote. */
export async function openWorld({ label, providerPort, redisUrl, stack }: WorldOptions): Promise<World> {
  const dataDir = mkdtempSync(join(tmpdir(), 'atelier-bench-'))
  stack.defer(() => rmSync(dataDir, { recursive: true, force: true }))
  const postgres = await startEmbedded({ dataDir })
  stack.defer(() => rmSync(dirname(postgres.cluster), { recursive: true, force: true }))
  stack.defer(() => postgres.close())
  const callers = await seedAtelier({ dataDir, providerPort, accounts })
  const env = {
    ...atelierEnvironment({ dataDir, providerPort }),
    WORKER_CONCURRENCY: '50',
    ...(redisUrl ? { REDIS_URL: redisUrl, WORKER: 'apart' } : {}),
  }
  const begin = async (verb: string, awaited: RegExp) => {
    const started = await startServer([...startFlags, 'src/main.ts', verb], { cwd: project, env, awaited })
    stack.defer(() => started.stop())
    return started
  }
  const server = await begin('serve', /http:\/\/localhost:(\d+)\/api\/v1/)
  const worker = redisUrl ? await begin('worker', /worker is ready: (\d+) jobs/) : null
  const [postmaster] = readFileSync(join(postgres.cluster, 'postmaster.pid'), 'utf8').split('\n')
  return {
    ...{ label, port: Number(server.found), server, worker, postmaster: Number(postmaster), callers },
    createDatabase: name => createDatabase(postgres.connection(), name),
  }
}

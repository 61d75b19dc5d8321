import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type ConnectionSource, embeddedIn } from './audit.ts'
import { type Person, signUp } from './client.ts'
import { type PostgresServer, startPostgres } from './postgres.ts'
import type { Report } from './report.ts'
import { type Member, Stage } from './stage.ts'

export type Mode = 'embedded' | 'distributed'

/** A system of processes on one database, with accounts that use it. */
export interface World {
  mode: Mode
  stage: Stage
  source: ConnectionSource
  servers: readonly Member[]
  /** The worker of its own, where there is one; else servers run jobs. */
  worker: Member | null
  people: readonly Person[]
  redis: TestRedis | null
  postgres: PostgresServer | null
}

/** Where the members of a world find their surroundings, beside what every stage sets. */
export interface WorldOptions {
  report: Report
  /** So many accounts, because one account may not have all workers. */
  people: number
  env?: Record<string, string>
}

/** One process on its embedded database, as a newcomer has it. */
async function openEmbedded(stage: Stage, { people, env = {} }: WorldOptions): Promise<World> {
  const server = await stage.start({ name: 'server', env })
  return {
    mode: 'embedded',
    stage,
    source: embeddedIn(stage.dataDir),
    servers: [server],
    worker: null,
    people: await signUpAll(server.url, people),
    redis: null,
    postgres: null,
  }
}

/** Two servers and a worker on a Postgres and a Redis of their own. */
async function openDistributed(stage: Stage, { people, env = {} }: WorldOptions): Promise<World> {
  const folder = join(stage.folder, 'postgres')
  await mkdir(folder)
  const postgres = await startPostgres(folder)
  stage.defer(() => postgres.close())
  const redis = await startRedis()
  stage.defer(() => redis.close())
  const all = { ...env, DATABASE_URL: postgres.url, REDIS_URL: redis.url, WORKER: 'apart' }
  const first = await stage.start({ name: 'server A', env: all })
  const [second, worker] = await Promise.all([
    stage.start({ name: 'server B', env: all }),
    stage.start({ name: 'worker', verb: 'worker', env: all }),
  ])
  return {
    mode: 'distributed',
    stage,
    source: postgres.source,
    servers: [first, second],
    worker,
    people: await signUpAll(first.url, people),
    redis,
    postgres,
  }
}

/** Opens a world; what was opened is closed again when that fails. */
export async function openWorld(mode: Mode, options: WorldOptions): Promise<World> {
  const stage = await Stage.open(options.report)
  try {
    return await (mode === 'embedded' ? openEmbedded(stage, options) : openDistributed(stage, options))
  } catch (error) {
    await stage.abandon()
    throw error
  }
}

function signUpAll(url: string, count: number): Promise<Person[]> {
  return Promise.all(Array.from({ length: count }, () => signUp(url)))
}

/** The server that a client asks at its n-th try: each client begins with its own, and goes on to the next. */
export function serverFor({ servers }: World, client: number, attempt: number): string {
  return servers[(client + attempt) % servers.length]?.url ?? ''
}

/** The person who is behind the n-th client. */
export function personFor({ people }: World, client: number): Person {
  const person = people[client % people.length]
  if (!person) throw new Error('a world without people')
  return person
}

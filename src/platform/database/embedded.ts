import { makeCluster, readPassword } from './embedded/cluster.ts'
import { isLastOut, type Lease, type Refusal, type SocketConnection, takeLease } from './embedded/lease.ts'
import { findNative, runnableNative } from './embedded/native.ts'
import { findPlace, type Place, relocatedBase } from './embedded/place.ts'
import {
  disownLocks,
  makeSocketFolder,
  type PidFile,
  type Postmaster,
  readPidFile,
  removeSocketFolder,
  runsCluster,
  sleep,
  spawnPostmaster,
  stopPostmaster,
} from './embedded/postmaster.ts'
import { DatabaseStartError } from './start-error.ts'

export type { SocketConnection } from './embedded/lease.ts'
export { DatabaseStartError } from './start-error.ts'

export interface EmbeddedOptions {
  dataDir: string
  logger?: EmbeddedLogger
  /** Postgres settings for this run, above those in postgresql.conf. */
  settings?: Readonly<Record<string, string>>
}

/** The part of a logger that is used here. */
export interface EmbeddedLogger {
  info(details: object, message: string): void
  warn(details: object, message: string): void
}

export type EmbeddedPostgres = Awaited<ReturnType<typeof startEmbedded>>

/**
 * A running Postgres on DATA_DIR: the one that is already running there, or a new one. It is started again when it dies.
 * `close` stops it, unless another process still uses it. Throws DatabaseStartError.
 */
export async function startEmbedded(options: EmbeddedOptions) {
  const { place, native } = await prepare(options.dataDir)
  const site: Site = { place, native, password: await readPassword(place), settings: options.settings ?? {} }
  let isClosing = false
  let lease = await reach(site)
  let recovery: Promise<void> = Promise.resolve()
  watch()

  /** When the connection ends without our wish, Postgres crashed or was killed: find it again, or start it again. */
  function watch(): void {
    lease.client.once('end', () => {
      if (!isClosing) recovery = recover()
    })
  }

  async function recover(): Promise<void> {
    options.logger?.warn({ cluster: place.cluster }, 'the embedded database was lost; starting it again')
    while (!isClosing) {
      try {
        lease = await reach(site)
        watch()
        options.logger?.info({ cluster: place.cluster }, 'the embedded database is back')
        return
      } catch (error) {
        options.logger?.warn({ error }, 'the embedded database did not come back; trying again')
        await sleep(1_000)
      }
    }
  }

  return {
    cluster: place.cluster,
    /** How to connect now; ask again for each connection, since the socket may move when Postgres is started again. */
    connection: (): SocketConnection => lease.connection,
    /** The same as a URL that `pg` understands. */
    url: (): string => urlOf(lease.connection),
    async close(): Promise<void> {
      if (isClosing) return
      isClosing = true
      await recovery
      await leave(site, lease)
    },
  }
}

interface Site {
  place: Place
  native: string
  password: string
  settings: Readonly<Record<string, string>>
}

async function prepare(dataDir: string): Promise<{ place: Place; native: string }> {
  const package_ = await findNative()
  for (;;) {
    const place = await findPlace(dataDir)
    const native = await runnableNative(
      package_,
      place.owner,
      place.owner.isOther ? relocatedBase : place.home,
    )
    if (await makeCluster(place, native)) return { place, native }
  }
}

/** How long a Postgres that says it is ready may leave us without an answer. */
const silenceLimitMs = 2_500
/** How long Postgres may take to start; after a crash it has to read its journal first. */
const startLimitMs = 120_000

/** Adopts the Postgres that runs on the cluster, or starts one, and takes a lease on it. */
async function reach(site: Site): Promise<Lease> {
  const { cluster } = site.place
  const startedAt = Date.now()
  let child: Postmaster | null = null
  let avoidCluster = false
  for (let pauseMs = 2; Date.now() - startedAt < startLimitMs; pauseMs = Math.min(pauseMs * 1.3, 50)) {
    const pidFile = await readPidFile(cluster)
    const answer: Lease | Refusal = pidFile?.socketFolder
      ? await takeLease(site.place, site.password, pidFile.socketFolder)
      : 'absent'
    if (typeof answer !== 'string') return answer
    if (child?.hasEnded()) {
      avoidCluster = readFailure(await child.ended, cluster, Date.now() - startedAt)
      child = null
    } else if (
      child === null &&
      !(await isInUse({ cluster, pidFile, answer, waitedMs: Date.now() - startedAt }))
    ) {
      if (answer === 'absent' && pidFile) await removeSocketFolder(pidFile.socketFolder)
      child = await start(site, avoidCluster)
    }
    await sleep(pauseMs)
  }
  throw new DatabaseStartError(
    `the database in ${cluster} did not become ready in ${startLimitMs / 1000} s: see postgres.log beside it`,
  )
}

interface Sighting {
  cluster: string
  pidFile: PidFile | null
  answer: Refusal
  waitedMs: number
}

/** Whether a Postgres that somebody else started has the cluster and is worth waiting for. */
async function isInUse({ cluster, pidFile, answer, waitedMs }: Sighting): Promise<boolean> {
  if (!pidFile) return false
  if (answer === 'busy') return true
  if (!(await runsCluster(pidFile.pid, cluster))) return false
  if (answer === 'stranger') {
    throw new DatabaseStartError(
      `the Postgres in ${cluster} (process ${pidFile.pid}) does not accept the password in atelier.password`,
    )
  }
  if (pidFile.status === 'ready' && waitedMs > silenceLimitMs) {
    throw new DatabaseStartError(
      `process ${pidFile.pid} uses the database in ${cluster} but does not answer in ${pidFile.socketFolder}: stop it and start again`,
    )
  }
  return true
}

async function start(site: Site, avoidCluster: boolean): Promise<Postmaster> {
  await disownLocks(site.place.cluster)
  const socketFolder = await makeSocketFolder(site.place, { avoidCluster })
  return spawnPostmaster(site.place, { native: site.native, socketFolder, settings: site.settings })
}

/** What the log of a Postgres that did not start asks for: another socket folder (true), patience (false), or a person. */
function readFailure(log: string, cluster: string, waitedMs: number): boolean {
  if (log.includes('could not create any Unix-domain sockets')) return true
  const isTransient = /lock file ".*" already exists|is still in use/.test(log)
  if (isTransient && waitedMs < 10_000) return false
  const reason =
    log.split('\n').find(line => /FATAL|PANIC|error/i.test(line)) ?? log.trim().split('\n').at(-1)
  throw new DatabaseStartError(
    `the database in ${cluster} does not start: ${reason?.trim() || 'see postgres.log beside it'}`,
  )
}

async function leave(site: Site, lease: Lease): Promise<void> {
  const { cluster } = site.place
  const isLast = await isLastOut(lease).catch(() => false)
  if (!isLast) return lease.client.end()
  const pidFile = await readPidFile(cluster)
  if (pidFile) await stopPostmaster(pidFile.pid, cluster)
  await lease.client.end().catch(() => {})
  await removeSocketFolder(lease.connection.host)
}

function urlOf({ user, password, database, host, port }: SocketConnection): string {
  return `postgresql://${user}:${password}@/${database}?host=${encodeURIComponent(host)}&port=${port}`
}

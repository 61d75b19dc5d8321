import { execFileSync, spawn } from 'node:child_process'
import { chown, mkdtemp, open, readFile, readlink, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { DatabaseStartError } from '../start-error.ts'
import { runAs } from './cluster.ts'
import { exists, isAlive } from './native.ts'
import { canReach } from './owner.ts'
import type { Place } from './place.ts'

/** What `postmaster.pid` says about the Postgres that uses a cluster. */
export interface PidFile {
  pid: number
  /** Empty until Postgres has written it. */
  socketFolder: string
  status: string
}

/** There is one server for each cluster, so the number only names the socket file. */
export const port = 5432
const socketName = `.s.PGSQL.${port}`
/** The kernel's limit for the path of a socket, without its final NUL: 107 bytes, on macOS 103. */
const socketPathBytes = process.platform === 'linux' ? 107 : 103
const temporaryPrefix = 'atelier-pg-'

/** Reads `postmaster.pid`; null when there is none. */
export async function readPidFile(cluster: string): Promise<PidFile | null> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')
  const [pid, , , , socketFolder, , , status] = text.split('\n')
  if (!pid) return null
  return { pid: Number(pid), socketFolder: socketFolder ?? '', status: status?.trim() ?? 'starting' }
}

/** Whether a living process is the Postgres of this cluster, and not another one that got its process id. */
export async function runsCluster(pid: number, cluster: string): Promise<boolean> {
  if (!isAlive(pid)) return false
  if (process.platform !== 'linux') return commandOf(pid).includes('postgres')
  try {
    const [theirs, ours] = await Promise.all([stat(`/proc/${pid}/cwd`), stat(cluster)])
    return (
      theirs.ino === ours.ino &&
      theirs.dev === ours.dev &&
      basename(await readlink(`/proc/${pid}/exe`)).startsWith('postgres')
    )
  } catch {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    return basename(command.split('\0')[0] ?? '').startsWith('postgres') && command.includes(cluster)
  }
}

function commandOf(pid: number): string {
  try {
    return execFileSync('ps', ['-p', String(pid), '-o', 'comm='], { encoding: 'utf8' })
  } catch {
    return ''
  }
}

/**
 * Makes the lock files harmless that a killed Postgres left and that name a process which lives, but is not Postgres: the
 * id was given again, as containers do at every start, or a dead one was not yet noticed by its parent. Only the number
 * is replaced, by one that no process can have: Postgres then still sees for itself whether an orphaned backend is left.
 */
export async function disownLocks(cluster: string): Promise<void> {
  for (const name of ['postmaster.pid', `${socketName}.lock`]) {
    const path = join(cluster, name)
    const text = await readFile(path, 'utf8').catch(() => '')
    const pid = Number.parseInt(text, 10)
    if (pid > 0 && isAlive(pid) && !(await runsCluster(pid, cluster))) {
      await writeFile(path, text.replace(/^\d+/, '999999999'))
    }
  }
}

/**
 * The folder for the socket: the cluster itself, so that whoever sees the data can find the server that uses it. When that
 * path is too long for a socket, or its file system has none: a new 0700 folder with a random name among temporary files.
 */
export async function makeSocketFolder(place: Place, options: { avoidCluster: boolean }): Promise<string> {
  if (!options.avoidCluster && fits(place.cluster)) return place.cluster
  for (const base of new Set([tmpdir(), '/tmp'])) {
    if (
      !fits(join(base, `${temporaryPrefix}XXXXXX`)) ||
      !(await canReach(base, place.owner).catch(() => false))
    )
      continue
    const folder = await mkdtemp(join(base, temporaryPrefix))
    if (place.owner.isOther) await chown(folder, place.owner.uid, place.owner.gid)
    return folder
  }
  throw new DatabaseStartError(
    `no folder is short enough for the database's socket: use a shorter DATA_DIR than ${place.dataDir}`,
  )
}

/** Removes what makeSocketFolder made among temporary files; leaves everything else. */
export async function removeSocketFolder(folder: string): Promise<void> {
  if (!basename(folder).startsWith(temporaryPrefix)) return
  if (![tmpdir(), '/tmp'].includes(dirname(folder))) return
  await rm(folder, { recursive: true, force: true })
}

function fits(folder: string): boolean {
  return Buffer.byteLength(join(folder, socketName)) <= socketPathBytes
}

/** A Postgres process that we started. */
export interface Postmaster {
  pid: number
  socketFolder: string
  /** Settles when it has ended, with the lines it wrote to its log. */
  ended: Promise<string>
  hasEnded(): boolean
}

/** Starts Postgres on the cluster, in a session of its own: a Ctrl-C in the terminal must reach us only. */
export async function spawnPostmaster(
  place: Place,
  options: { native: string; socketFolder: string; settings: Readonly<Record<string, string>> },
): Promise<Postmaster> {
  const logPath = join(place.home, 'postgres.log')
  const log = await openLog(logPath)
  const { size: logStart } = await log.stat()
  const fixed = {
    ...options.settings,
    listen_addresses: '',
    port,
    unix_socket_directories: options.socketFolder,
    unix_socket_permissions: '0700',
    // After a crash: one call for the whole file system instead of opening a thousand files.
    ...(process.platform === 'linux' && { recovery_init_sync_method: 'syncfs' }),
  }
  const args = Object.entries(fixed).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(join(options.native, 'bin', 'postgres'), ['-D', place.cluster, ...args], {
    ...runAs(place.owner),
    cwd: '/',
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  })
  let hasEnded = false
  const ended = new Promise<string>(resolve => {
    const settle = async () => {
      hasEnded = true
      resolve((await readFile(logPath).catch(() => Buffer.alloc(0))).subarray(logStart).toString('utf8'))
    }
    child.once('error', settle)
    child.once('exit', settle)
  })
  child.unref()
  await log.close()
  return { pid: child.pid ?? 0, socketFolder: options.socketFolder, ended, hasEnded: () => hasEnded }
}

const logLimitBytes = 5_000_000

async function openLog(path: string) {
  const { size } = await stat(path).catch(() => ({ size: 0 }))
  if (size > logLimitBytes) await rename(path, `${path}.1`)
  return open(path, 'a', 0o600)
}

/** Asks Postgres to end: open transactions are rolled back, everything is written. Waits; insists after ten seconds. */
export async function stopPostmaster(pid: number, cluster: string): Promise<void> {
  const startedAt = Date.now()
  let urgency = 0
  for (const [afterMs, signal] of [
    [0, 'SIGINT'],
    [10_000, 'SIGQUIT'],
  ] as const) {
    while (Date.now() - startedAt < afterMs) {
      if (await isGone(pid, cluster)) return
      urgency = Math.min(urgency + 2, 25)
      await sleep(urgency)
    }
    try {
      process.kill(pid, signal)
    } catch {
      return
    }
  }
  const limit = Date.now() + 5_000
  while (Date.now() < limit && !(await isGone(pid, cluster))) await sleep(25)
}

async function isGone(pid: number, cluster: string): Promise<boolean> {
  return !isAlive(pid) || !(await exists(join(cluster, 'postmaster.pid')))
}

/** Waits so many milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseStartError } from '../start-error.ts'
import { exists, removeAbandoned } from './native.ts'
import type { Owner } from './owner.ts'
import { type Place, recordHome, syncFolder, writeDurably } from './place.ts'

/** The role that owns everything in the embedded cluster. */
export const role = 'atelier'

/**
 * Written into postgresql.conf of a new cluster, where an operator may change them: for a small machine with many short
 * transactions. fsync and synchronous_commit keep Postgres' own default, which is on.
 */
const settings: Record<string, string> = {
  max_connections: '100',
  shared_buffers: '64MB',
  effective_cache_size: '256MB',
  work_mem: '4MB',
  maintenance_work_mem: '64MB',
  max_wal_size: '512MB',
  min_wal_size: '64MB',
  checkpoint_timeout: '15min',
  random_page_cost: '1.1',
  jit: 'off',
  io_method: 'sync',
  max_parallel_workers_per_gather: '0',
  max_logical_replication_workers: '0',
  idle_in_transaction_session_timeout: '60s',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // What people wrote must not reach the log: no statements, no failing rows.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
  // The password is 32 random bytes: more rounds would make connecting slower and guessing no harder.
  scram_iterations: '1',
}

/** Makes the cluster when there is none. Several processes may do so at once; one wins. False: look for the place again. */
export async function makeCluster(place: Place, native: string): Promise<boolean> {
  if (await exists(place.cluster)) return true
  await removeAbandoned(place.home, 'postgres.new-')
  const workshop = join(place.home, `postgres.new-${process.pid}-${randomBytes(4).toString('hex')}`)
  try {
    await mkdir(workshop, { mode: 0o700 })
    await giveFile(place.owner, workshop)
    const password = randomBytes(32).toString('base64url')
    const passwordFile = join(workshop, 'password')
    await writeDurably(passwordFile, password)
    await giveFile(place.owner, passwordFile)
    const fresh = join(workshop, 'cluster')
    await runInitdb({ native, folder: fresh, passwordFile, owner: place.owner })
    await rename(passwordFile, join(fresh, 'atelier.password'))
    await syncFolder(fresh)
    await rename(fresh, place.cluster).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
    await syncFolder(place.home)
    if (await recordHome(place)) return true
    await rm(place.home, { recursive: true, force: true })
    return false
  } catch (error) {
    if (place.home !== place.dataDir) await rm(place.home, { recursive: true, force: true })
    throw error
  } finally {
    await rm(workshop, { recursive: true, force: true })
  }
}

/** The password of the cluster's role; only the user that runs Postgres, and root, can read it. */
export async function readPassword(place: Place): Promise<string> {
  try {
    return (await readFile(join(place.cluster, 'atelier.password'), 'utf8')).trim()
  } catch {
    throw new DatabaseStartError(
      `${place.cluster} is not a database made by this server: atelier.password is missing there`,
    )
  }
}

interface InitdbTask {
  native: string
  folder: string
  passwordFile: string
  owner: Owner
}

async function runInitdb({ native, folder, passwordFile, owner }: InitdbTask): Promise<void> {
  const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']
  const access = ['--username', role, '--auth=scram-sha-256', `--pwfile=${passwordFile}`]
  const tuning = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(
    join(native, 'bin', 'initdb'),
    ['-D', folder, '--no-instructions', ...access, ...locale, ...tuning],
    {
      ...runAs(owner),
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let complaint = ''
  child.stderr.on('data', chunk => {
    complaint += chunk
  })
  const problem = await new Promise<string | null>(resolve => {
    child.on('error', (error: NodeJS.ErrnoException) =>
      // The file is there, so what is missing is the loader that it names.
      resolve(error.code === 'ENOENT' ? 'this system has no glibc, as Alpine' : error.message),
    )
    child.on('close', code => resolve(code === 0 ? null : complaint.trim().replaceAll('\n', '; ')))
  })
  if (problem === null) return
  throw new DatabaseStartError(
    `the packaged Postgres cannot make a database here (${problem}): set DATABASE_URL to a Postgres of your own`,
  )
}

/** Spawn options that run a program as the owner, with a small environment. */
export function runAs(owner: Owner) {
  const environment = { env: { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' } }
  return owner.isOther ? { ...environment, uid: owner.uid, gid: owner.gid } : environment
}

async function giveFile(owner: Owner, path: string): Promise<void> {
  if (owner.isOther) await chown(path, owner.uid, owner.gid)
}

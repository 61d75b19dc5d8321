import { stat } from 'node:fs/promises'
import pg from 'pg'
import { role } from './cluster.ts'
import type { Place } from './place.ts'
import { port } from './postmaster.ts'

/** How to connect to the embedded database. */
export interface SocketConnection {
  host: string
  port: number
  user: string
  password: string
  database: string
}

/** One open connection that says "somebody still uses this Postgres", and whose end says that Postgres is gone. */
export interface Lease {
  client: pg.Client
  connection: SocketConnection
}

/** Why no lease was had: nobody listens, not ready to answer, or a Postgres of another cluster answered. */
export type Refusal = 'absent' | 'busy' | 'stranger'

/** Held in shared mode by every process that uses the cluster; whoever can have it alone is the last one out. */
const leaseLock = 4_711_000_001

/** Connects to the Postgres at a socket folder and makes sure that it serves the cluster of `place`. */
export async function takeLease(
  place: Place,
  password: string,
  socketFolder: string,
): Promise<Lease | Refusal> {
  const connection = { host: socketFolder, port, user: role, password, database: 'postgres' }
  const client = new pg.Client({
    ...connection,
    ssl: false,
    connectionTimeoutMillis: 3_000,
    application_name: 'atelier lease',
  })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ folder: string }>(
      `select current_setting('data_directory') as folder`,
    )
    if (!(await isSameFolder(rows[0]?.folder ?? '', place.cluster))) {
      await client.end()
      return 'stranger'
    }
    await client.query('select pg_advisory_lock_shared($1)', [leaseLock])
    return { client, connection }
  } catch (error) {
    await client.end().catch(() => {})
    return refusalOf(error as { code?: string })
  }
}

/** Gives the lease back. True when nobody else has one, and then nobody gets one before the connection ends. */
export async function isLastOut(lease: Lease): Promise<boolean> {
  const { rows } = await lease.client.query<{ last: boolean }>(
    `select case when pg_advisory_unlock_shared($1) then pg_try_advisory_lock($1) else false end as last`,
    [leaseLock],
  )
  return rows[0]?.last ?? false
}

/** A folder that cannot be seen from here belongs to a container that shares the data: the socket in it was proof enough. */
async function isSameFolder(theirs: string, ours: string): Promise<boolean> {
  const [their, our] = await Promise.all([stat(theirs).catch(() => null), stat(ours)])
  return their === null || (their.ino === our.ino && their.dev === our.dev)
}

function refusalOf(error: { code?: string }): Refusal {
  const code = error.code ?? ''
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTSOCK') return 'absent'
  return code.startsWith('28') ? 'stranger' : 'busy'
}

import type { PostgresQueryResult } from 'kysely'
import pg from 'pg'
import { databaseUnavailable, translate, wasCancelled } from './failures.ts'
import { nameFor } from './statement-names.ts'

/** How to connect: a URL, or settings that are asked for at each new connection because the server may move. */
export type DatabaseSource =
  | string
  | (() => { host: string; port: number; user: string; password: string; database: string })

export interface PoolOptions {
  source: DatabaseSource
  /** At most so many connections at once; 10 unless told. */
  maxConnections?: number
  /** A statement that takes longer is cancelled by the server; 8 s unless told, so that requests end within ten. */
  statementTimeoutMs?: number
  /** How long to wait for a connection; 5 s unless told. */
  connectTimeoutMs?: number
  /** Settings of every connection, such as `search_path`; names and values are part of the statement, never input. */
  settings?: Readonly<Record<string, string>>
}

const int8 = 20
const date = 1082
const numeric = 1700
const int8Array = 1016

/** Numbers are numbers (ours stay far below 2^53), dates without a time stay text, timestamptz is a Date. */
const types = {
  getTypeParser(oid: number, format?: string) {
    if (format !== 'binary') {
      if (oid === int8 || oid === numeric) return Number
      if (oid === date) return String
      if (oid === int8Array) return toNumbers
    }
    return pg.types.getTypeParser(oid, format as 'text')
  },
} as pg.CustomTypesConfig

function toNumbers(text: string): (number | null)[] {
  if (text === '{}') return []
  return text
    .slice(1, -1)
    .split(',')
    .map(each => (each === 'NULL' ? null : Number(each)))
}

/** What `pg` needs to connect to a source; for the few connections that are opened beside the pool. */
export function connectionConfig(source: DatabaseSource): pg.ClientConfig {
  if (typeof source === 'string')
    return { connectionString: source, application_name: 'atelier', keepAlive: true, types }
  return { ...source(), ssl: false, application_name: 'atelier', types }
}

/** A pool of `pg` whose connections survive each other's failures. */
export function createPool(options: PoolOptions): pg.Pool {
  const {
    source,
    settings = {},
    maxConnections = 10,
    statementTimeoutMs = 8_000,
    connectTimeoutMs = 5_000,
  } = options
  const setText = Object.entries(settings)
    .map(([name, value]) => `set ${name} = ${value}`)
    .join('; ')
  class SourceClient extends pg.Client {
    constructor(config: pg.ClientConfig) {
      super({ ...config, ...connectionConfig(source) })
    }
  }
  const pool = new pg.Pool({
    Client: SourceClient as unknown as typeof pg.Client & (() => pg.Client),
    max: maxConnections,
    statement_timeout: statementTimeoutMs,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 60_000,
    ...(setText !== '' && { onConnect: (client: pg.ClientBase) => client.query(setText) }),
    // A peer that vanished without a word cannot cancel anything: then the client gives up by itself.
    ...(typeof source === 'string' && { query_timeout: statementTimeoutMs + 1_000 }),
  })
  // Lost connections are told to whoever uses them, and replaced; the events themselves need a listener only.
  pool.on('error', () => {})
  pool.on('connect', client => client.on('error', () => {}))
  return pool
}

/** One connection as Kysely and `statement` use it: statements get names, connection trouble becomes an AppError. */
export class PooledConnection {
  readonly #client: pg.PoolClient
  #isBroken = false

  constructor(client: pg.PoolClient) {
    this.#client = client
  }

  async query<Row>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<Row>> {
    // Nothing is asked of a connection that failed once, not even a rollback: its end rolls back.
    if (this.#isBroken) throw databaseUnavailable(new Error('the connection was lost'))
    const name = values.length > 0 ? nameFor(text) : undefined
    try {
      const query = { text, values: values as unknown[] }
      const result: unknown = await this.#client.query(name === undefined ? query : { name, ...query })
      return result as PostgresQueryResult<Row>
    } catch (error) {
      const translated = translate(error)
      const isBroken = translated !== error && !wasCancelled(error)
      if (isBroken || isStalePlan(error)) this.#isBroken = true
      throw translated
    }
  }

  release(): void {
    this.#client.release(this.#isBroken)
  }
}

/** After a migration by another process, a prepared statement may promise other columns: a new connection knows better. */
function isStalePlan(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error as { code?: string }).code === '0A000' &&
    error.message.startsWith('cached plan')
  )
}

/** The pool as Kysely sees it. */
export class ConnectionSource {
  readonly #pool: pg.Pool
  readonly #connections = new WeakMap<pg.PoolClient, PooledConnection>()

  constructor(pool: pg.Pool) {
    this.#pool = pool
  }

  async connect(): Promise<PooledConnection> {
    const client = await this.#pool.connect().catch(error => {
      throw translate(error)
    })
    let connection = this.#connections.get(client)
    if (!connection) {
      connection = new PooledConnection(client)
      this.#connections.set(client, connection)
    }
    return connection
  }

  /** One prepared statement on a connection of its own. Callbacks, because promises between would cost as much as the rest. */
  run<Row>(name: string, text: string, values: readonly unknown[]): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      this.#pool.connect((connectError, client, release) => {
        if (connectError || !client) return reject(translate(connectError))
        client.query({ name, text, values: values as unknown[] }, (error, result) => {
          if (!error) {
            release()
            return resolve(result.rows)
          }
          const translated = translate(error)
          release(translated !== error || isStalePlan(error))
          reject(translated)
        })
      })
    })
  }

  end(): Promise<void> {
    return this.#pool.end()
  }
}

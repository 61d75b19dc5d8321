import type { PostgresQueryResult } from 'kysely'
import pg from 'pg'
import { databaseUnavailable, translate, wasCancelled } from './failures.ts'
import { type Asked, PreparedRun } from './prepared.ts'
import { nameFor } from './statement-names.ts'
import { types } from './value-types.ts'

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

/** A connection with the way to give it back; `true` when it is not to be used again. */
interface Loan {
  client: pg.PoolClient
  release(isBroken?: boolean): void
}

/** So many connections, and so long, are kept for the next statement before the pool has them again. */
const mostKept = 4
const keptMs = 20

/** The pool as Kysely sees it, and as hot statements do. */
export class ConnectionSource {
  readonly #pool: pg.Pool
  readonly #connections = new WeakMap<pg.PoolClient, PooledConnection>()
  readonly #kept: Loan[] = []
  readonly #broken = new WeakSet<pg.PoolClient>()
  #keeping: NodeJS.Timeout | undefined

  constructor(pool: pg.Pool) {
    this.#pool = pool
    pool.on('connect', client => client.on('error', () => this.#broken.add(client)))
  }

  async connect(): Promise<PooledConnection> {
    const client =
      this.#takeKept()?.client ??
      (await this.#pool.connect().catch(error => {
        throw translate(error)
      }))
    let connection = this.#connections.get(client)
    if (!connection) {
      connection = new PooledConnection(client)
      this.#connections.set(client, connection)
    }
    return connection
  }

  /** Prepared statements on a connection of their own, in one transaction; gives the rows of each. */
  run(asked: readonly [Asked, ...Asked[]], onRows?: (rows: object[]) => void): Promise<object[][]> {
    // Callbacks, because promises between would cost as much as the rest.
    return new Promise((resolve, reject) => {
      const begin = (loan: Loan) => {
        const query = new PreparedRun(
          asked,
          error => {
            if (!error) {
              this.#keep(loan)
              return resolve(query.rows)
            }
            const translated = translate(error)
            loan.release(translated !== error || isStalePlan(error))
            reject(translated)
          },
          onRows,
        )
        loan.client.query(query)
      }
      const kept = this.#takeKept()
      if (kept) return begin(kept)
      this.#pool.connect((error, client, release) => {
        if (error || !client) reject(translate(error))
        else begin({ client, release })
      })
    })
  }

  /** Taking a connection from the pool and giving it back sets four timers: under load the next statement is spared that. */
  #keep(loan: Loan): void {
    if (this.#kept.length >= mostKept || this.#pool.waitingCount > 0 || this.#pool.ending) {
      loan.release()
      return
    }
    this.#kept.push(loan)
    this.#keeping ??= setTimeout(() => this.#giveBack(), keptMs)
  }

  #takeKept(): Loan | undefined {
    for (let loan = this.#kept.pop(); loan; loan = this.#kept.pop()) {
      if (!this.#broken.has(loan.client)) return loan
      loan.release(true)
    }
    return undefined
  }

  #giveBack(): void {
    clearTimeout(this.#keeping)
    this.#keeping = undefined
    for (const loan of this.#kept.splice(0)) loan.release(this.#broken.has(loan.client))
  }

  end(): Promise<void> {
    const ended = this.#pool.end()
    this.#giveBack()
    return ended
  }
}

import { type PgPool, type PgPoolClient, type PgQueryResult, runMigrations } from 'bullmq'
import type pg from 'pg'
import { isUnavailable } from '../database/failures.ts'
import { giveName } from '../database/statement-names.ts'

/** Where BullMQ keeps its tables, beside ours in `public`. */
export const queueSchema = 'bullmq'

/**
 * A group's turn is the number after its last one, but never behind the job that waits first; all turns are forgotten
 * when nothing waits. They are not logged: after a crash of the server they begin anew.
 */
const turns = `
  create unlogged table if not exists turns (
    queue text, account text, last integer not null, primary key (queue, account)
  );
  create or replace function take_turn(p_queue text, p_account text) returns integer
  language plpgsql set search_path from current as $$
  declare
    v_first integer;
    v_turn integer;
  begin
    select priority into v_first from job where queue = p_queue and state = 'waiting' order by priority, seq limit 1;
    if v_first is null then
      delete from turns where queue = p_queue;
      return 1;
    end if;
    insert into turns as t (queue, account, last) values (p_queue, p_account, greatest(v_first, 1))
      on conflict (queue, account) do update set last = greatest(v_first, t.last + 1)
      returning last into v_turn;
    return v_turn;
  end $$;
`

const lockKey = 0x41_54_4c_51

/** Brings BullMQ's schema, and what we add to it, up to date; several processes may do so at once. */
export async function prepareSchema(pool: pg.Pool): Promise<void> {
  const client = await pool.connect()
  try {
    await runMigrations(client, queueSchema)
    await client.query('begin')
    await client.query('select pg_advisory_xact_lock($1)', [lockKey])
    await client.query(turns)
    await client.query('commit')
    client.release()
  } catch (error) {
    client.release(true)
    throw error
  }
}

/**
 * The pool as BullMQ sees it. A lost connection looks to BullMQ like a refused one, the only kind of loss that it waits
 * out: other errors would make it ask again without a pause, or take finished work for failed. Statements get names.
 */
export class PatientPool implements PgPool {
  readonly #pool: pg.Pool

  constructor(pool: pg.Pool) {
    this.#pool = pool
  }

  // biome-ignore lint/suspicious/noExplicitAny: BullMQ's own signature
  query<Row = any>(text: string, values?: readonly unknown[]): Promise<PgQueryResult<Row>> {
    const query = values ? { name: giveName(text), text, values: [...values] } : { text }
    return waitable(
      this.#pool.query<pg.QueryResultRow>(query) as Promise<unknown> as Promise<PgQueryResult<Row>>,
    )
  }

  connect(): Promise<PgPoolClient> {
    return waitable(this.#pool.connect() as Promise<unknown> as Promise<PgPoolClient>)
  }

  async end(): Promise<void> {}

  on(event: 'error', listener: (error: Error) => void): this
  on(event: 'connect', listener: (client: PgPoolClient) => void): this
  on(event: string, listener: (argument: never) => void): this {
    this.#pool.on(event as 'error', listener as (error: Error) => void)
    return this
  }

  removeAllListeners(): this {
    return this
  }
}

async function waitable<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    if (!isUnavailable(error)) throw error
    throw Object.assign(new Error('ECONNREFUSED: the database is away', { cause: error }), {
      code: 'ECONNREFUSED',
    })
  }
}

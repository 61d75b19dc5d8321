import pg from 'pg'
import { vi } from 'vitest'

/** The time of a database and of this process, both as far from the real one as the test says; it goes on ticking. */
export interface TestClock extends AsyncDisposable {
  /** From now on it is this time. */
  set(time: string | number): Promise<void>
  now(): number
}

/**
 * Takes over `now()` in a test database, for connections that are opened afterwards, by a schema that is searched before
 * Postgres' own; and `Date.now()` here. Open it before the product.
 */
export async function openClock(databaseUrl: string, time: string | number): Promise<TestClock> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  await client.query(`
    create schema clock;
    create table clock.shift (by interval not null);
    insert into clock.shift values ('0');
    create function clock.now() returns timestamptz language sql stable
      as 'select pg_catalog.now() + (select by from clock.shift)';
    do $$ begin execute format('alter database %I set search_path = clock, public, pg_catalog', current_database()); end $$`)
  const real = Date.now
  let shiftMs = 0
  const spy = vi.spyOn(Date, 'now').mockImplementation(() => real() + shiftMs)
  const set = async (to: string | number) => {
    shiftMs = new Date(to).getTime() - real()
    await client.query('update clock.shift set by = make_interval(secs => $1)', [shiftMs / 1000])
  }
  await set(time)
  return {
    set,
    now: () => real() + shiftMs,
    async [Symbol.asyncDispose]() {
      spy.mockRestore()
      await client.end()
    },
  }
}

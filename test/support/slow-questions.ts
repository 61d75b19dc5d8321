import { sql } from 'kysely'
import type { Database } from '../../src/platform/database/index.ts'

// Questions that say so are stored slowly, or never: what happens meanwhile can be looked at for as long as it takes.

/** From here on a message with `slowly` waits in `whileStoring` on its way to the disk, and one with `never` fails. */
export async function hinderQuestions(db: Database): Promise<void> {
  await sql`create function hinder() returns trigger language plpgsql as $$
    begin
      if new.content like '%slowly%' then perform pg_advisory_xact_lock(42); end if;
      if new.content like '%never%' then raise 'the disk is full' using errcode = '53100'; end if;
      return new;
    end $$`.execute(db)
  await sql`create trigger hinder before insert on messages for each row execute function hinder()`.execute(
    db,
  )
}

/** Keeps questions that are stored slowly from the disk while something is done. */
export function whileStoring<T>(db: Database, work: () => Promise<T>): Promise<T> {
  return db.connection().execute(async own => {
    await sql`select pg_advisory_lock(42)`.execute(own)
    try {
      return await work()
    } finally {
      await sql`select pg_advisory_unlock(42)`.execute(own)
    }
  })
}

/** How many questions wait for the disk. */
export async function waitingQuestions(db: Database): Promise<number> {
  const { rows } = await sql`select from pg_locks where locktype = 'advisory' and objid = 42 and not granted
    and database = (select oid from pg_database where datname = current_database())`.execute(db)
  return rows.length
}

import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbedded } from '../src/platform/database/embedded.ts'

const floorName = 'bench_floor'
const floorSchema = `
  create table conversations (id uuid primary key, account_id uuid not null, message_count integer not null,
    updated_at timestamptz not null default now());
  create table messages (id uuid primary key, conversation_id uuid not null references conversations, position integer not null,
    role text not null, content text not null, created_at timestamptz not null default now(),
    unique (conversation_id, position))`

export interface FloorAccount {
  accountId: string
  conversationId: string
}

export type BenchDatabase = Awaited<ReturnType<typeof openBenchDatabase>>

/**
 * The embedded Postgres of the run, the same one for the floor and for Atelier, each in a database of its own, and
 * nobody else's.
 */
export async function openBenchDatabase(dataDir: string) {
  const embedded = await startEmbedded({ dataDir })
  const connection = embedded.connection()
  const floorUrl = await createDatabase(connection, floorName)
  const admin = new pg.Client(connection)
  await admin.connect()
  const floor = new pg.Client({ ...connection, database: floorName })
  await floor.connect()
  await floor.query(floorSchema)
  const postmaster = Number(readFileSync(join(embedded.cluster, 'postmaster.pid'), 'utf8').split('\n')[0])
  return {
    postmaster,
    cluster: embedded.cluster,
    floorUrl,
    /** Gives the floor accounts with a conversation of these messages each. */
    async fillFloor(
      count: number,
      messages: readonly { role: string; content: string }[],
    ): Promise<FloorAccount[]> {
      const made = Array.from({ length: count }, () => ({
        accountId: randomUUID(),
        conversationId: randomUUID(),
      }))
      for (const { accountId, conversationId } of made) {
        await floor.query('insert into conversations (id, account_id, message_count) values ($1, $2, $3)', [
          conversationId,
          accountId,
          messages.length,
        ])
        await floor.query(
          `insert into messages (id, conversation_id, position, role, content)
           select gen_random_uuid(), $1, t.position, t.role, t.content
           from unnest($2::text[], $3::text[]) with ordinality as t (role, content, position)`,
          [conversationId, messages.map(each => each.role), messages.map(each => each.content)],
        )
      }
      return made
    },
    /** Takes conversations back to their first messages, so that every measurement starts from the same. */
    async rewind(whose: 'floor' | 'atelier', messages: number): Promise<void> {
      const client = whose === 'floor' ? floor : admin
      if (whose === 'atelier') await client.query('delete from generations')
      await client.query('delete from messages where position > $1', [messages])
      await client.query('update conversations set message_count = $1 where message_count <> $1', [messages])
      await client.query('vacuum messages')
      await client.query('vacuum conversations')
      if (whose === 'atelier') await client.query('vacuum generations')
    },
    async close(): Promise<void> {
      await floor.end()
      await admin.end()
      await embedded.close()
    },
  }
}

interface Connection {
  host: string
  port: number
  user: string
  password: string
  database: string
}

/** Makes a database beside the one of a connection; gives its URL. */
export async function createDatabase(connection: Connection, name: string): Promise<string> {
  const admin = new pg.Client(connection)
  await admin.connect()
  await admin.query(`create database ${name}`)
  await admin.end()
  return urlOf({ ...connection, database: name })
}

function urlOf(connection: Connection): string {
  const { host, port, user, password, database } = connection
  return `postgresql://${user}:${password}@/${database}?host=${encodeURIComponent(host)}&port=${port}`
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { startEmbedded } from '../src/platform/database/embedded.ts'
import { openDatabase } from '../src/platform/database/index.ts'
import { migrate } from '../src/platform/database/migrate.ts'
import { connectionConfig } from '../src/platform/database/pool.ts'

/** The account that has everything. */
export const accountId = '00000000-0000-7000-8000-000000000001'

/** SQL: an id of row `i`; ids are in the order of time, as real ones. */
export const idOf = (i: string) => `('01900000-0000-7000-8000-' || lpad(to_hex(${i}), 12, '0'))::uuid`

/** SQL: words that are in every tenth, twentieth, thousandth row, and in the oldest twentieth. */
export const rareWords = `case when i % 10 = 0 then ' bakery' else '' end || case when i % 20 = 0 then ' butter' else '' end
  || case when i <= 5000 then ' heirloom' else '' end || case when i % 1000 = 0 then ' sourdough' else '' end`

/** An embedded Postgres of its own whose tables are filled for one account. The indexes of words are made after the rows. */
export async function openFilled(name: string, { tables, fill }: { tables: string[]; fill: string[] }) {
  const dataDir = await mkdtemp(join(tmpdir(), `atelier-${name}-bench-`))
  const logger = { info() {}, warn() {}, debug() {} }
  const embedded = await startEmbedded({ dataDir, logger } as unknown as Parameters<typeof startEmbedded>[0])
  const database = openDatabase({ source: embedded.connection, maxConnections: 1 })
  async function close(): Promise<void> {
    await database.close()
    await embedded.close()
    await rm(dataDir, { recursive: true, force: true })
  }
  try {
    await migrate({ source: embedded.connection })
    // A connection without the statement timeout: entry by entry the indexes would take minutes.
    const client = new pg.Client(connectionConfig(embedded.connection))
    await client.connect()
    await client.query('set statement_timeout = 0')
    await client.query(
      "insert into accounts (id, email, email_key, password_hash) values ($1, 'bench@example.com', 'bench@example.com', 'x')",
      [accountId],
    )
    const { rows: indexes } = await client.query(
      "select indexname as name, indexdef as text from pg_indexes where tablename = any ($1) and indexdef like '%USING gin%'",
      [tables],
    )
    for (const { name } of indexes) await client.query(`drop index ${name}`)
    for (const text of fill) await client.query(text)
    for (const { text } of indexes) await client.query(text)
    await client.query(`vacuum analyze ${tables}`)
    await client.end()
    await sleep(1000)
  } catch (error) {
    await close()
    throw error
  }
  return { db: database.db, close }
}

/** What so many rounds of a search gave, with their times. */
export async function time<T>(rounds: number, work: () => Promise<T>): Promise<{ last: T; told: string }> {
  const times: number[] = []
  let last = await work()
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now()
    last = await work()
    times.push(performance.now() - begun)
  }
  times.sort((one, other) => one - other)
  const median = times[Math.floor(rounds / 2)]
  return { last, told: `median ${median?.toFixed(1)} ms, slowest ${times.at(-1)?.toFixed(1)} ms` }
}

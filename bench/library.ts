// Search over 100,000 entries of one account, through the feature: npm run bench:library

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import pg from 'pg'
import { findEntries } from '../src/features/library/entries.ts'
import { startEmbedded } from '../src/platform/database/embedded.ts'
import { openDatabase } from '../src/platform/database/index.ts'
import { migrate } from '../src/platform/database/migrate.ts'
import { connectionConfig } from '../src/platform/database/pool.ts'
import { cpuMsOf } from './processes.ts'

const entries = 100_000
const rounds = 40
const dataDir = await mkdtemp(join(tmpdir(), 'atelier-library-bench-'))
const logger = { info() {}, warn() {}, debug() {} }
const embedded = await startEmbedded({ dataDir, logger } as unknown as Parameters<typeof startEmbedded>[0])
await migrate({ source: embedded.connection })
const database = openDatabase({ source: embedded.connection, maxConnections: 1 })
const { db } = database
try {
  const accountId = '00000000-0000-7000-8000-000000000001'
  await sql`insert into accounts (id, email, email_key, password_hash) values (${accountId}, 'bench@example.com', 'bench@example.com', 'x')`.execute(
    db,
  )
  // Indexes are made after the rows, on a connection without the statement timeout: entry by entry takes minutes. Ids are in
  // the order of time, as those of real entries.
  const client = new pg.Client(connectionConfig(embedded.connection))
  await client.connect()
  await client.query('set statement_timeout = 0')
  const { rows: indexes } = await client.query(
    "select indexname as name, indexdef as text from pg_indexes where tablename = 'library_entries' and indexdef like '%gin%'",
  )
  for (const { name } of indexes) await client.query(`drop index ${name}`)
  await client.query(`
    insert into library_entries (id, account_id, title, type, body)
    select ('01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, '${accountId}', 'Entry ' || i || ' about ' || md5(i::text), 'Blog Post',
      (select string_agg(substr(md5((i * 7 + w)::text), 1, 3 + w % 6), ' ') from generate_series(1, 120) w)
        || case when i % 10 = 0 then ' bakery' else '' end || case when i % 20 = 0 then ' butter' else '' end
        || case when i <= 5000 then ' heirloom' else '' end || case when i % 1000 = 0 then ' sourdough' else '' end
    from generate_series(1, ${entries}) i`)
  for (const { text } of indexes) await client.query(text)
  await client.query('vacuum analyze library_entries')
  await client.end()
  await sleep(1000)
  const cases = {
    'every entry (entry)': 'entry',
    'one in ten (bakery)': 'bakery',
    'one in twenty (butter)': 'butter',
    'one in twenty, all of them old (heirloom)': 'heirloom',
    'one in a thousand (sourdough)': 'sourdough',
    'a part of a word (urdoug)': 'urdoug',
    'one entry (Entry 77777)': 'entry 77777',
    'its words in another order (77777 entry)': '77777 entry',
    'two letters (ba)': 'ba',
    'nothing (zzqxyz)': 'zzqxyz',
    'patterns (%%%)': '%%%',
  }
  for (const [name, search] of Object.entries(cases)) {
    const times: number[] = []
    let found = 0
    const cpuBefore = await cpuOfPostgres()
    for (let round = 0; round < rounds; round++) {
      const begun = performance.now()
      found = (await findEntries(db, { accountId, limit: 30, search })).entries.length
      times.push(performance.now() - begun)
    }
    const cpuMs = ((await cpuOfPostgres()) - cpuBefore) / rounds
    times.sort((one, other) => one - other)
    process.stdout.write(
      `${name}: ${found} found, median ${times[rounds / 2]?.toFixed(1)} ms, slowest ${times.at(-1)?.toFixed(1)} ms, CPU of Postgres ${cpuMs.toFixed(1)} ms\n`,
    )
  }
} finally {
  await database.close()
  await embedded.close()
  await rm(dataDir, { recursive: true, force: true })
}

/** CPU time of the connections' processes so far, in milliseconds; on a busy machine it says more than the clock. */
async function cpuOfPostgres(): Promise<number> {
  const { rows } = await sql<{
    pid: number
  }>`select pid from pg_stat_activity where application_name = 'atelier'`.execute(db)
  return rows.reduce((sum, { pid }) => sum + cpuMsOf(pid), 0)
}

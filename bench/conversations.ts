// Search over 100,000 conversations of one account: npm run bench:conversations

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import pg from 'pg'
import { listNumbered, searchConversations } from '../src/features/conversations/store-search.ts'
import { startEmbedded } from '../src/platform/database/embedded.ts'
import { openDatabase } from '../src/platform/database/index.ts'
import { migrate } from '../src/platform/database/migrate.ts'
import { connectionConfig } from '../src/platform/database/pool.ts'

const conversations = 100_000
const rounds = 20
const dataDir = await mkdtemp(join(tmpdir(), 'atelier-conversations-bench-'))
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
  // Indexes are made after the rows, on a connection without the statement timeout.
  const client = new pg.Client(connectionConfig(embedded.connection))
  await client.connect()
  await client.query('set statement_timeout = 0')
  const { rows: indexes } = await client.query(
    "select indexname as name, indexdef as text from pg_indexes where tablename in ('messages', 'conversations') and indexdef like '%USING gin%'",
  )
  for (const { name } of indexes) await client.query(`drop index ${name}`)
  const id = (i: string) => `('01900000-0000-7000-8000-' || lpad(to_hex(${i}), 12, '0'))::uuid`
  await client.query(`
    insert into conversations (id, account_id, kind, title, message_count, updated_at)
    select ${id('i')}, '${accountId}', 'chat', 'Chat ' || i || ' about ' || substr(md5(i::text), 1, 8), 2,
      timestamptz '2026-01-01' + i * interval '1 second'
    from generate_series(1, ${conversations}) i`)
  await client.query(`
    insert into messages (id, conversation_id, account_id, position, role, content)
    select gen_random_uuid(), ${id('i')}, '${accountId}', p, case p when 1 then 'user' else 'assistant' end,
      (select string_agg(substr(md5((i * 7 + w + p)::text), 1, 3 + w % 6), ' ') from generate_series(1, p * 50) w)
        || case when i % 10 = 0 then ' bakery' else '' end || case when i % 20 = 0 then ' butter' else '' end
        || case when i <= 5000 then ' heirloom' else '' end || case when i % 1000 = 0 then ' sourdough' else '' end
    from generate_series(1, ${conversations}) i, generate_series(1, 2) p`)
  for (const { text } of indexes) await client.query(text)
  await client.query('vacuum analyze conversations, messages')
  await client.end()
  await sleep(1000)
  const cases = {
    'every conversation (about)': 'about',
    'one in ten (bakery)': 'bakery',
    'one in twenty (butter)': 'butter',
    'one in twenty, all of them old (heirloom)': 'heirloom',
    'one in a thousand (sourdough)': 'sourdough',
    'a part of a word (urdoug)': 'urdoug',
    'a title (Chat 77777)': 'Chat 77777',
    'two letters of many (ba)': 'ba',
    'two letters of none (zq)': 'zq',
    'nothing (zzqxyz)': 'zzqxyz',
    'patterns (% 200 times)': '%'.repeat(200),
    'patterns (_% 100 times)': '_%'.repeat(100),
  }
  for (const [name, search] of Object.entries(cases)) {
    const page = await time(() => searchConversations(db, { accountId, limit: 31, after: null, search }))
    const numbered = await time(() => listNumbered(db, { accountId, limit: 20, offset: 0, search }))
    const count = page.last?.length ?? 'refused'
    process.stdout.write(
      `${name}: ${count} found, ${page.told}; by number: ${numbered.last?.totalCount ?? 'refused'} found, ${numbered.told}\n`,
    )
  }
} finally {
  await database.close()
  await embedded.close()
  await rm(dataDir, { recursive: true, force: true })
}

async function time<T>(work: () => Promise<T>): Promise<{ last: T; told: string }> {
  const times: number[] = []
  let last = await work()
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now()
    last = await work()
    times.push(performance.now() - begun)
  }
  times.sort((one, other) => one - other)
  return { last, told: `median ${times[rounds / 2]?.toFixed(1)} ms, slowest ${times.at(-1)?.toFixed(1)} ms` }
}

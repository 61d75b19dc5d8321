// Search over 100,000 entries of one account, through the feature: npm run bench:library

import { sql } from 'kysely'
import { findEntries } from '../src/features/library/entries.ts'
import { accountId, idOf, openFilled, rareWords, time } from './one-account.ts'
import { cpuMsOf } from './processes.ts'

const entries = 100_000
const rounds = 40
const { db, close } = await openFilled('library', {
  tables: ['library_entries'],
  fill: [
    `insert into library_entries (id, account_id, title, type, body)
    select ${idOf('i')}, '${accountId}', 'Entry ' || i || ' about ' || md5(i::text), 'Blog Post',
      (select string_agg(substr(md5((i * 7 + w)::text), 1, 3 + w % 6), ' ') from generate_series(1, 120) w) || ${rareWords}
    from generate_series(1, ${entries}) i`,
  ],
})
try {
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
    const cpuBefore = await cpuOfPostgres()
    const { last, told } = await time(rounds, () => findEntries(db, { accountId, limit: 30, search }))
    const cpuMs = ((await cpuOfPostgres()) - cpuBefore) / (rounds + 1)
    process.stdout.write(
      `${name}: ${last.entries.length} found, ${told}, CPU of Postgres ${cpuMs.toFixed(1)} ms\n`,
    )
  }
} finally {
  await close()
}

/** CPU time of the connections' processes so far, in milliseconds; on a busy machine it says more than the clock. */
async function cpuOfPostgres(): Promise<number> {
  const { rows } = await sql<{
    pid: number
  }>`select pid from pg_stat_activity where application_name = 'atelier'`.execute(db)
  return rows.reduce((sum, { pid }) => sum + cpuMsOf(pid), 0)
}

// Search over 100,000 conversations of one account: npm run bench:conversations

import { listNumbered, searchConversations } from '../src/features/conversations/store-search.ts'
import { accountId, idOf, openFilled, rareWords, time } from './one-account.ts'

const conversations = 100_000
const rounds = 20
const { db, close } = await openFilled('conversations', {
  tables: ['conversations', 'messages'],
  fill: [
    `insert into conversations (id, account_id, kind, title, message_count, updated_at)
    select ${idOf('i')}, '${accountId}', 'chat', 'Chat ' || i || ' about ' || substr(md5(i::text), 1, 8), 2,
      timestamptz '2026-01-01' + i * interval '1 second'
    from generate_series(1, ${conversations}) i`,
    `insert into messages (id, conversation_id, account_id, position, role, content)
    select gen_random_uuid(), ${idOf('i')}, '${accountId}', p, case p when 1 then 'user' else 'assistant' end,
      (select string_agg(substr(md5((i * 7 + w + p)::text), 1, 3 + w % 6), ' ') from generate_series(1, p * 50) w)
        || ${rareWords}
    from generate_series(1, ${conversations}) i, generate_series(1, 2) p`,
  ],
})
try {
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
    const page = await time(rounds, () =>
      searchConversations(db, { accountId, limit: 31, after: null, search }),
    )
    const numbered = await time(rounds, () => listNumbered(db, { accountId, limit: 20, offset: 0, search }))
    const count = page.last?.length ?? 'refused'
    process.stdout.write(
      `${name}: ${count} found, ${page.told}; by number: ${numbered.last?.totalCount ?? 'refused'} found, ${numbered.told}\n`,
    )
  }
} finally {
  await close()
}

import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../../../test/support/app.ts'

const chatCount = 1000
let server: TestApp
let token: string
let accountId: string
/** All chats, the one last written to first. */
const chats: { id: string; title: string; text: string; growing: string }[] = []

beforeAll(async () => {
  server = await startApp()
  const person = await server.signUp()
  token = person.token
  accountId = person.accountId
  const stranger = await server.signUp()
  for (let index = 0; index < chatCount; index++) {
    const words = ['common', 'é_%']
    if (index % 10 === 3) words.push('TENTH')
    if (index % 97 === 1) words.push('Größenordnung')
    if (index === 5 || index === 990) words.push('needleinhay qz')
    const title = index % 400 === 7 ? `Rare 100%` : 'Chat'
    const id = `01900000-0000-7000-8000-${index.toString(16).padStart(12, '0')}`
    chats.unshift({ id, title, text: words.join(' '), growing: index === 9 ? 'halfwrit' : '' })
  }
  const rows = JSON.stringify(chats)
  for (const [owner, other] of [
    [accountId, ''],
    [stranger.accountId, 'f'],
  ]) {
    const id = sql`overlay((row ->> 'id') placing ${other} from 1 for length(${other}))::uuid`
    await sql`insert into conversations (id, account_id, kind, title, message_count, updated_at)
      select ${id}, ${owner}::uuid, 'chat', row ->> 'title', 2, timestamptz '2026-01-01' - n / 3 * interval '1 second'
      from jsonb_array_elements(${rows}::jsonb) with ordinality e (row, n)`.execute(server.app.db)
    await sql`insert into messages (id, conversation_id, account_id, position, role, content, is_whole)
      select gen_random_uuid(), ${id}, ${owner}::uuid, position, role, row ->> field, is_whole
      from jsonb_array_elements(${rows}::jsonb) row,
        (values (1, 'user', 'text', true), (2, 'assistant', 'growing', false)) m (position, role, field, is_whole)
      `.execute(server.app.db)
  }
  // Chats of one second stand by their ids; n / 3 made three of each.
  const { rows: ordered } = await sql<{
    id: string
  }>`select id from conversations where account_id = ${accountId}
    order by updated_at desc, id desc`.execute(server.app.db)
  const places = new Map(ordered.map(({ id }, place) => [id, place]))
  chats.sort((one, other) => (places.get(one.id) ?? 0) - (places.get(other.id) ?? 0))
})
afterAll(() => server[Symbol.asyncDispose]())

/** Ids on all pages. */
async function find(search: string, limit: number): Promise<string[]> {
  const found: string[] = []
  for (let cursor = ''; ; ) {
    const query = `limit=${limit}&search=${encodeURIComponent(search)}${cursor && `&cursor=${cursor}`}`
    const answer = await server.call('GET', `/api/v1/conversations?${query}`, { token })
    expect(answer.status, answer.text).toBe(200)
    found.push(...answer.body.data.conversations.map((chat: { id: string }) => chat.id))
    cursor = answer.body.data.nextCursor
    if (!cursor) return found
  }
}

function expected(search: string): string[] {
  const holds = (text: string) => text.toLowerCase().includes(search.toLowerCase())
  return chats
    .filter(({ title, text, growing }) => holds(title) || holds(text) || holds(growing))
    .map(({ id }) => id)
}

const searches: [search: string, limit: number, count: number][] = [
  ['COMMON', 100, chatCount],
  ['tenth', 60, 100],
  ['größenord', 5, 11],
  ['needle', 1, 2],
  ['qz', 30, 2],
  ['e 100%', 30, 3],
  ['halfwrit', 30, 1],
  ['nothing of it', 30, 0],
  ['é_%', 100, chatCount],
]

test.each(searches)(
  'a search for %s finds all that hold it, newest first, in pages of %i',
  // Tried again because a database that stands still for a moment refuses two letters.
  { retry: 2 },
  async (search, limit, count) => {
    expect(expected(search)).toHaveLength(count)
    expect(await find(search, limit)).toEqual(expected(search))
  },
)

test.each(searches)(
  'a search for %s by page number tells the same and how many there are',
  { retry: 2 },
  async (search, _, count) => {
    const query = `search=${encodeURIComponent(search)}&limit=2&page=1`
    const { body } = await server.call('GET', `/api/conversations?${query}`, { token })
    expect(body.pagination.totalCount).toBe(count)
    expect(body.conversations.map(({ id }: { id: string }) => id)).toEqual(expected(search).slice(0, 2))
  },
)

test('what could only be found by reading for long is refused', async () => {
  const { db } = server.app
  await sql`insert into messages (id, conversation_id, account_id, position, role, content, is_whole)
    select gen_random_uuid(), id, account_id, 3, 'user', repeat('Å tall story ', 9000), false from conversations
    where account_id = ${accountId}`.execute(db)
  const paths = ['/api/v1/conversations', '/api/conversations']
  for (const path of paths) {
    const refused = await server.call('GET', `${path}?search=zq`, { token })
    expect([path, refused.status]).toEqual([path, 400])
    expect(refused.body.message).toMatch(/^search is in too many of your conversations, or too short/)
  }
  await db.deleteFrom('messages').where('account_id', '=', accountId).where('position', '=', 3).execute()
  for (const path of paths)
    await expect.poll(async () => (await server.call('GET', `${path}?search=zq`, { token })).status).toBe(200)
})

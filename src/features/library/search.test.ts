import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../../../test/support/app.ts'

const entryCount = 1200
let server: TestApp
let token: string
/** All entries, newest first. */
const entries: { id: string; text: string }[] = []

beforeAll(async () => {
  server = await startApp()
  const person = await server.signUp()
  token = person.token
  const stranger = await server.signUp()
  for (let index = 0; index < entryCount; index++) {
    const words = ['common']
    if (index % 10 === 3) words.push('TENTH')
    if (index % 97 === 1) words.push('Größenordnung')
    if (index < 90) words.push('heirloom')
    if (index === 5 || index === 1190) words.push('needleinhay')
    const id = `01900000-0000-7000-8000-${index.toString(16).padStart(12, '0')}`
    entries.unshift({ id, text: `Entry ${index} ${words.join(' ')}` })
  }
  const rows = JSON.stringify(entries)
  for (const [accountId, other] of [
    [person.accountId, ''],
    [stranger.accountId, 'f'],
  ])
    await sql`insert into library_entries (id, account_id, title, type, body)
      select overlay((row ->> 'id') placing ${other} from 1 for length(${other}))::uuid, ${accountId}::uuid, 'T', 'Y', row ->> 'text'
      from jsonb_array_elements(${rows}::jsonb) row`.execute(server.app.db)
})
afterAll(() => server[Symbol.asyncDispose]())

/** Ids on all pages. */
async function find(search: string, limit: number): Promise<string[]> {
  const found: string[] = []
  for (let cursor = ''; ; ) {
    const query = `limit=${limit}&search=${encodeURIComponent(search)}${cursor && `&cursor=${cursor}`}`
    const answer = await server.call('GET', `/api/v1/library?${query}`, { token })
    expect(answer.status, answer.text).toBe(200)
    found.push(...answer.body.data.entries.map((entry: { id: string }) => entry.id))
    cursor = answer.body.data.nextCursor
    if (!cursor) return found
  }
}

test.each([
  ['common', 100],
  ['tenth', 7],
  ['größenordnung', 5],
  ['RÖSSEN', 5],
  ['rößenord', 2],
  ['heirloom', 20],
  ['eirloo', 20],
  ['needle', 1],
  ['common needle', 1],
  ['needle common', 1],
  ['mon needlei', 30],
  ['entry 1190', 30],
  ['heir tenth', 4],
  ['zzz', 30],
])('a search for %s finds all that hold it, newest first, in pages of %i', async (search, limit) => {
  const words = search.toLowerCase().split(' ')
  const holds = (text: string) =>
    words.every(word => text.split(' ').some(each => each.startsWith(word))) ||
    text.includes(search.toLowerCase())
  const expected = entries.filter(({ text }) => holds(text.toLowerCase())).map(({ id }) => id)
  expect(await find(search, limit)).toEqual(expected)
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insertAccount } from '../../../test/support/accounts.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { newId } from '../../lib/ids.ts'
import type { Generation } from '../generations/index.ts'
import { buildPrompt } from './context.ts'
import { titleOf } from './title.ts'

let database: TestDatabase
let accountId: string

beforeAll(async () => {
  database = await createTestDatabase()
  accountId = await insertAccount(database.db)
})
afterAll(() => database.close())

async function conversationOf(
  contents: readonly string[],
  systemPrompt: string | null = null,
): Promise<string> {
  const id = newId()
  await database.db
    .insertInto('conversations')
    .values({ id, account_id: accountId, kind: 'chat', title: 't', system_prompt: systemPrompt })
    .execute()
  const rows = contents.map((content, index) => ({
    id: newId(),
    conversation_id: id,
    account_id: accountId,
    position: index + 1,
    role: index % 2 === 0 ? ('user' as const) : ('assistant' as const),
    content,
  }))
  await database.db.insertInto('messages').values(rows).execute()
  return id
}

/** No conversation here has a summary; that is tested with the model that makes it. */
const memory = { note() {}, recall: async () => null }

const promptOf = (conversationId: string, budget: number, replyOffset = 0) =>
  buildPrompt({ db: database.db, memory }, { conversationId, replyOffset } as Generation, {
    budgetTokens: budget,
    recent: null,
  })

describe('the prompt of a reply', () => {
  test('ends with its own question, although others were asked while it waited', async () => {
    const id = await conversationOf(['one', '', 'later', ''])
    const [, reply] = await database.db
      .selectFrom('messages')
      .select('id')
      .where('conversation_id', '=', id)
      .orderBy('position')
      .execute()
    const generation = { conversationId: id, replyId: reply?.id ?? null, replyOffset: 0 } as Generation
    const prompt = await buildPrompt({ db: database.db, memory }, generation, {
      budgetTokens: 999,
      recent: null,
    })
    expect(prompt.messages).toEqual([{ role: 'user', content: 'one' }])
  })

  test('holds the whole conversation when it fits, oldest first, without the empty reply', async () => {
    const id = await conversationOf(['one', 'two', 'three', ''], 'Be brief.')
    expect(await promptOf(id, 10_000)).toEqual({
      system: 'Be brief.',
      messages: [
        { role: 'user', content: 'one' },
        { role: 'assistant', content: 'two' },
        { role: 'user', content: 'three' },
      ],
    })
  })

  test('keeps the newest messages that fit, and never begins with the model', async () => {
    const long = 'x'.repeat(400)
    const id = await conversationOf([long, long, long, long, 'the question', ''])
    const { messages } = await promptOf(id, 250)
    expect(messages.at(-1)).toEqual({ role: 'user', content: 'the question' })
    expect(messages).toHaveLength(3)
    expect(messages[0]?.role).toBe('user')
  })

  test('always holds the question, however long it is', async () => {
    const id = await conversationOf(['early', 'answer', 'y'.repeat(10_000), ''])
    expect((await promptOf(id, 100)).messages).toEqual([{ role: 'user', content: 'y'.repeat(10_000) }])
  })

  test('reads more than one page of messages', async () => {
    const contents = Array.from({ length: 101 }, (_, index) => `m${index}`)
    const { messages } = await promptOf(await conversationOf(contents), 100_000)
    expect(messages.map(message => message.content)).toEqual(contents)
  })

  test('joins questions that follow one another, because providers want the roles to alternate', async () => {
    const id = await conversationOf(['first', '', 'second', ''])
    expect((await promptOf(id, 1000)).messages).toEqual([{ role: 'user', content: 'first\n\nsecond' }])
  })

  test('of a continued reply ends with its words and the request to go on', async () => {
    const id = await conversationOf(['write', 'half of it'])
    const { messages } = await promptOf(id, 1000, 10)
    expect(messages.slice(0, 2)).toEqual([
      { role: 'user', content: 'write' },
      { role: 'assistant', content: 'half of it' },
    ])
    expect(messages[2]?.role).toBe('user')
    expect(messages[2]?.content).toMatch(/Go on exactly where it stopped/)
  })
})

describe('titles', () => {
  test.each([
    ['  Hello\n  there ', 'Hello there'],
    ['# Make a *nice* page', 'Make a nice page'],
    ['```js\nconst a = 1\n```\nWhat does it do?', 'What does it do?'],
    ['a'.repeat(51), `${'a'.repeat(47)}...`],
    ['a'.repeat(50), 'a'.repeat(50)],
    ['😀'.repeat(60), `${'😀'.repeat(47)}...`],
    ['```', '```'],
  ])('%j → %j', (message, title) => expect(titleOf(message)).toBe(title))
})

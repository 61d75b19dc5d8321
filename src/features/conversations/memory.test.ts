import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ScriptedProvider, startProvider } from '../../../test/provider/index.ts'
import { insertAccount } from '../../../test/support/accounts.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { openEngine } from '../../../test/support/engine.ts'
import type { Artifacts } from '../artifacts/index.ts'
import { createConversations } from './index.ts'

let database: TestDatabase
let provider: ScriptedProvider

beforeAll(async () => {
  database = await createTestDatabase()
  provider = await startProvider()
})
afterAll(async () => {
  await provider.close()
  await database.close()
})

/** About 5,000 tokens; an unknown model has about 24,000 for its prompt. */
const filler = (word: string) => `${word} `.repeat(3600)

interface Asked {
  messages: { role: string; content: string }[]
}

test('a conversation that outgrows its window is summed up, and the summary stands for what no longer fits', async () => {
  await using engine = await openEngine(database, { provider })
  const { generations } = engine
  createConversations({ db: database.db, generations, artifacts: {} as Artifacts })
  const accountId = await insertAccount(database.db)
  const model = 'openai/no-such-model-known'
  let conversationId: string | undefined
  const ask = async (message: string) => {
    const request = { accountId, kind: 'chat', message, conversationId, model }
    const started = await generations.start(request)
    conversationId = started.conversationId
    await generations.wait(accountId, started.generation.id)
  }
  const isSummary = (request: { body: unknown }) =>
    /keep the memory/.test((request.body as Asked).messages[0]?.content ?? '')

  await provider.script({ text: 'The parrot is called Olaf.' })
  await ask(`My parrot is called Olaf. ${filler('alpha')}`)
  for (const word of ['beta', 'gamma', 'delta', 'epsilon']) await ask(filler(word))
  await provider.waitFor(log => log.some(isSummary))
  await expect
    .poll(async () => {
      const row = await database.db
        .selectFrom('conversations')
        .select(['summary', 'summary_until as until'])
        .where('id', '=', conversationId ?? '')
        .executeTakeFirstOrThrow()
      return row.summary !== null && row.until >= 2
    })
    .toBe(true)
  const asked = (await provider.requests()).find(isSummary)?.body as Asked
  expect(asked.messages.at(-1)?.content).toContain('My parrot is called Olaf')

  await ask('What is my parrot called?')
  const last = (await provider.requests()).filter(request => !isSummary(request)).at(-1)?.body as Asked
  expect(last.messages[0]).toMatchObject({ role: 'system' })
  expect(last.messages[0]?.content).toMatch(/Summary of the conversation before these messages/)
  expect(last.messages.at(-1)?.content).toBe('What is my parrot called?')
  expect(JSON.stringify(last.messages.slice(1))).not.toContain('alpha')
})

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type ScriptedProvider, startProvider } from '../../../test/provider/index.ts'
import { insertAccount } from '../../../test/support/accounts.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { openEngine, type TestEngine } from '../../../test/support/engine.ts'
import { hinderQuestions, whileStoring } from '../../../test/support/slow-questions.ts'
import { readBalance } from '../billing/store.ts'

let database: TestDatabase
let provider: ScriptedProvider
let engine: TestEngine
let accountId: string

beforeAll(async () => {
  database = await createTestDatabase()
  await hinderQuestions(database.db)
  provider = await startProvider()
  engine = await openEngine(database, { provider })
})
beforeEach(async () => {
  accountId = await insertAccount(database.db)
  await provider.clear()
})
afterAll(async () => {
  await engine[Symbol.asyncDispose]()
  await provider.close()
  await database.close()
})

const ask = (message: string, more: object = {}) =>
  engine.generations.start({ accountId, kind: 'chat', message, model: 'openai/ok', ...more })

const rows = async (table: 'generations' | 'conversations' | 'messages' | 'ledger_entries') =>
  (await database.pool.query(`select * from ${table} where account_id = $1 order by id`, [accountId])).rows

/** Whatever was begun has left nothing: no row, no hold, no counted message. */
async function expectNothing(): Promise<void> {
  for (const table of ['generations', 'conversations', 'messages'] as const)
    expect(await rows(table)).toEqual([])
  expect((await rows('ledger_entries')).map(entry => entry.kind)).toEqual(['adjustment'])
  expect(await readBalance(database.db, accountId)).toBe(1_000_000_000_000_000)
}

const answered = (count: number) =>
  provider.waitFor(log => log.length === count && log.every(request => request.finishedAt !== null))

test('a model is asked while its question goes to the disk, and its answer is kept', async () => {
  const first = await whileStoring(database.db, async () => {
    const starting = ask('store this slowly')
    await answered(1)
    expect(await rows('generations')).toEqual([])
    return { starting }
  })
  const { generation, conversationId, replyId } = await first.starting
  const ended = await engine.generations.wait(accountId, generation.id)
  expect(ended).toMatchObject({ status: 'completed', finishReason: 'stop' })
  const second = await whileStoring(database.db, async () => {
    const starting = ask('and this slowly', { conversationId })
    await answered(2)
    expect(await rows('messages')).toHaveLength(2)
    return { starting }
  })
  const further = await second.starting
  expect((await engine.generations.wait(accountId, further.generation.id)).status).toBe('completed')
  const messages = (await rows('messages')).toSorted((one, other) => one.position - other.position)
  expect(messages.map(({ position, role }) => [position, role])).toEqual([
    [1, 'user'],
    [2, 'assistant'],
    [3, 'user'],
    [4, 'assistant'],
  ])
  expect(messages.find(message => message.id === replyId)?.content).toBe(ended.content)
  expect(await provider.requests()).toHaveLength(2)
})

test.each(['ok', 'slow', 'stall', 'server-error', 'key-refused'])(
  'a question that cannot be stored is no run, whatever its model does: %s',
  async script => {
    const { starting } = await whileStoring(database.db, async () => {
      const starting = ask('slowly, and never', { model: `openai/${script}` })
      starting.catch(() => {})
      await provider.waitFor(log => log.length > 0)
      return { starting }
    })
    await expect(starting).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    if (script === 'slow' || script === 'stall') {
      const [closed] = await provider.waitFor(log => log[0]?.clientClosedAt != null)
      expect(closed?.finishedAt).toBeNull()
    }
    await expectNothing()
    const { length } = await provider.requests()
    // By then the next of its further attempts would have come.
    await sleep(700)
    expect(await provider.requests()).toHaveLength(length)
    await expectNothing()
  },
)

test('questions that could not be stored say nothing about their provider', async () => {
  for (let index = 0; index < 10; index++) await expect(ask('never')).rejects.toThrow()
  const { generation } = await ask('a good one')
  expect((await engine.generations.wait(accountId, generation.id)).status).toBe('completed')
})

test('a model that fails before its question is stored has failed when it is', async () => {
  const failing = (more: object) =>
    whileStoring(database.db, async () => {
      await provider.clear()
      const starting = ask('slowly', { model: 'openai/key-refused', ...more })
      await answered(1)
      await sleep(20)
      return { starting }
    })
  const { generation } = await (await failing({})).starting
  const ended = await engine.generations.wait(accountId, generation.id)
  expect(ended).toMatchObject({ status: 'failed', error: { code: 'PROVIDER_KEY_REFUSED' } })
  const kinds = (await rows('ledger_entries')).map(entry => entry.kind)
  expect(kinds.toSorted()).toEqual(['adjustment', 'hold', 'release'])
  const other = await (await failing({ fallbackModels: ['openai/ok'] })).starting
  expect(await engine.generations.wait(accountId, other.generation.id)).toMatchObject({
    status: 'completed',
    model: 'openai/ok',
  })
})

test('what may have been asked before is stored first, and asked once', async () => {
  const { starting } = await whileStoring(database.db, async () => {
    const starting = ask('slowly', { idempotencyKey: 'one' })
    await sleep(200)
    expect(await provider.requests()).toEqual([])
    return { starting }
  })
  const { generation } = await starting
  await engine.generations.wait(accountId, generation.id)
  const all = await Promise.all(Array.from({ length: 10 }, () => ask('x', { idempotencyKey: 'two' })))
  expect(new Set(all.map(each => each.generation.id)).size).toBe(1)
  await engine.generations.wait(accountId, all[0]?.generation.id ?? '')
  expect(await provider.requests()).toHaveLength(2)
  await expect(ask('never', { idempotencyKey: 'three' })).rejects.toThrow()
  expect(await provider.requests()).toHaveLength(2)
})

test('a model is never asked for a conversation of somebody else', async () => {
  const { generation, conversationId } = await ask('mine')
  await engine.generations.wait(accountId, generation.id)
  const stranger = await insertAccount(database.db)
  const asking = ask('yours', { accountId: stranger, conversationId })
  await expect(asking).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(await provider.requests()).toHaveLength(1)
  expect(await readBalance(database.db, stranger)).toBe(1_000_000_000_000_000)
})

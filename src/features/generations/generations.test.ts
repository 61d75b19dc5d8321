import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insertAccount } from '../../../test/support/accounts.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { openEngine } from '../../../test/support/engine.ts'
import { newId } from '../../lib/ids.ts'
import type { LogEvent } from '../../platform/events/index.ts'
import type { Generations } from './index.ts'

let database: TestDatabase
let accountId: string

beforeAll(async () => {
  database = await createTestDatabase()
  accountId = await insertAccount(database.db)
})
afterAll(() => database.close())

/** The engine as one process has it, on the test database and the sandbox model. */
const createEngine = (options: Parameters<typeof openEngine>[1] = {}) => openEngine(database, options)

async function collect(batches: AsyncIterable<readonly LogEvent[]>): Promise<LogEvent[]> {
  const events: LogEvent[] = []
  for await (const batch of batches) events.push(...batch)
  return events
}

const textOf = (events: readonly LogEvent[]) =>
  events
    .filter(event => event.type === 'text-delta')
    .map(event => event.text)
    .join('')

async function firstText(generations: Generations, id: string): Promise<void> {
  for await (const batch of await generations.follow({ accountId, id, after: 0 })) {
    if (batch.some(event => event.type === 'text-delta')) return
  }
}

const ask = (generations: Generations, extra: object = {}) =>
  generations.start({ accountId, kind: 'chat', message: 'Write about the sea', ...extra })

describe('a generation', () => {
  test('runs to its end: the events are the stored text, and the end says what it took', async () => {
    await using engine = await createEngine()
    const { generations } = engine
    const started = await ask(generations)
    const events = await collect(await generations.follow({ accountId, id: started.generation.id, after: 0 }))
    const stored = await generations.wait(accountId, started.generation.id)
    expect(events.at(0)?.type).toBe('generation-start')
    expect(events.at(-1)).toMatchObject({
      type: 'generation-end',
      status: 'completed',
      finishReason: 'stop',
      error: null,
    })
    expect(textOf(events)).toBe(stored.content)
    expect(stored.content.length).toBeGreaterThan(50)
    expect(stored).toMatchObject({ status: 'completed', lastSeq: events.at(-1)?.seq })
    expect(stored.outputTokens).toBeGreaterThan(5)
    expect(stored.costMicroCredits).toBeGreaterThan(0)
  })

  test('can be read again from every position, by the log in memory and by what is stored', async () => {
    await using engine = await createEngine()
    const { generations } = engine
    const { generation } = await ask(generations)
    const whole = await collect(await generations.follow({ accountId, id: generation.id, after: 0 }))
    await using later = await createEngine()
    const text = textOf(whole)
    const end = whole.at(-1)?.seq ?? 0
    for (let after = 0; after <= end; after += 7) {
      const live = await collect(await generations.follow({ accountId, id: generation.id, after }))
      const stored = await collect(await later.generations.follow({ accountId, id: generation.id, after }))
      expect(textOf(stored)).toBe(textOf(live))
      expect(text.endsWith(textOf(stored))).toBe(true)
      expect(stored.filter(event => event.text === undefined)).toEqual(
        live.filter(event => event.text === undefined),
      )
    }
  })

  // Tried again because the machine itself can stop for a moment.
  test('stops when told, within a second, and keeps what it wrote', { retry: 2 }, async () => {
    await using engine = await createEngine({ delayMs: 20 })
    const { generations } = engine
    const { generation } = await ask(generations)
    await firstText(generations, generation.id)
    const before = performance.now()
    const ended = await generations.cancel(accountId, generation.id)
    expect(performance.now() - before).toBeLessThan(1000)
    expect(ended).toMatchObject({ status: 'cancelled', finishReason: 'cancelled', usageEstimated: true })
    const events = await collect(await generations.follow({ accountId, id: generation.id, after: 0 }))
    const stored = await generations.wait(accountId, generation.id)
    expect(stored.content).toBe(textOf(events))
    expect(stored.content).not.toBe('')
    expect(stored.costMicroCredits).toBeGreaterThan(0)
  })

  test('is kept while it runs, about every second', async () => {
    await using engine = await createEngine({ delayMs: 30 })
    const { generation } = await ask(engine.generations)
    await using reader = await createEngine()
    await expect
      .poll(async () => (await reader.generations.poll(accountId, generation.id, 0)).lastSeq, {
        timeout: 5000,
      })
      .toBeGreaterThan(5)
    expect((await reader.generations.read(accountId, generation.id)).status).toBe('running')
  })

  test('of a process that died is interrupted with what it had, and ends for those who follow', async () => {
    await using engine = await createEngine({ delayMs: 10 })
    const { generation } = await ask(engine.generations, { maxOutputTokens: 3 })
    await engine.generations.wait(accountId, generation.id)
    await database.db
      .updateTable('generations')
      .set({
        status: 'running',
        hold_micro_credits: 0,
        runner: 'elsewhere/1/x',
        heartbeat_at: new Date(Date.now() - 60_000),
        marks: '[]',
      })
      .where('id', '=', generation.id)
      .execute()
    expect(await engine.generations.recover()).toBe(1)
    expect(await engine.generations.recover()).toBe(0)
    const stored = await engine.generations.wait(accountId, generation.id)
    expect(stored).toMatchObject({ status: 'interrupted', error: { code: 'SERVER_STOPPED' } })
    expect(stored.content).not.toBe('')
    // A reader that had seen more than was kept is told the kept text as a whole, and then has everything.
    await using later = await createEngine()
    const ahead = { accountId, id: generation.id, after: stored.content.length + 50 }
    const events = await collect(await later.generations.follow(ahead))
    expect(events.map(event => event.type)).toEqual(['text-snapshot', 'generation-end'])
    expect(events[0]?.text).toBe(stored.content)
    expect(events.at(-1)?.seq).toBe(stored.lastSeq)
    expect(await collect(await later.generations.follow({ ...ahead, after: stored.lastSeq }))).toEqual([])
  })

  test('is stopped from another process also where they share nothing but the database', async () => {
    await using engine = await createEngine({ delayMs: 30 })
    await using other = await createEngine()
    const { generation } = await ask(engine.generations)
    await firstText(engine.generations, generation.id)
    const ended = await other.generations.cancel(accountId, generation.id)
    expect(ended.status).toBe('cancelled')
  })

  test('whose question holds half a character is refused, and nothing is stored', async () => {
    await using engine = await createEngine()
    await expect(ask(engine.generations, { message: 'a \ud800 b' })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      details: [{ field: 'message' }],
    })
  })

  test('in another living process is left alone', async () => {
    await using engine = await createEngine({ delayMs: 30 })
    const { generation } = await ask(engine.generations)
    await database.db
      .updateTable('generations')
      .set({ runner: 'elsewhere/1/x' })
      .where('id', '=', generation.id)
      .execute()
    expect(await engine.generations.recover()).toBe(0)
  })

  test('is interrupted when the server stops before it ends, and nothing new is taken', async () => {
    const engine = await createEngine({ delayMs: 30, drainMs: 50 })
    const { generation } = await ask(engine.generations)
    await firstText(engine.generations, generation.id)
    const closing = engine.generations.close()
    await expect(ask(engine.generations)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    await closing
    await using later = await createEngine()
    const stored = await later.generations.wait(accountId, generation.id)
    expect(stored).toMatchObject({ status: 'interrupted' })
    expect(stored.content).not.toBe('')
  })
})

describe('again', () => {
  test('a regenerated answer takes the place of the earlier one, which is kept', async () => {
    await using engine = await createEngine()
    const { generations } = engine
    const first = await ask(generations)
    await generations.wait(accountId, first.generation.id)
    const second = await generations.regenerate({ accountId, generationId: first.generation.id })
    await generations.wait(accountId, second.generation.id)
    expect(second.replyId).not.toBe(first.replyId)
    expect(second.messageId).toBe(first.messageId)
    const rows = await database.db
      .selectFrom('messages')
      .select(['id', 'version', 'is_superseded', 'position'])
      .where('conversation_id', '=', first.conversationId)
      .where('role', '=', 'assistant')
      .orderBy('version')
      .execute()
    expect(rows).toEqual([
      { id: first.replyId, version: 1, is_superseded: true, position: 2 },
      { id: second.replyId, version: 2, is_superseded: false, position: 2 },
    ])
    await expect(
      generations.regenerate({ accountId, generationId: first.generation.id }),
    ).rejects.toMatchObject({
      code: 'NOT_THE_LAST_ANSWER',
    })
  })

  test('a cut answer goes on in the same reply', async () => {
    await using engine = await createEngine()
    const { generations } = engine
    const first = await ask(generations, { maxOutputTokens: 5 })
    const cut = await generations.wait(accountId, first.generation.id)
    expect(cut).toMatchObject({ status: 'completed', finishReason: 'length' })
    const second = await generations.continue({
      accountId,
      generationId: first.generation.id,
      maxOutputTokens: 5,
    })
    const events = await collect(await generations.follow({ accountId, id: second.generation.id, after: 0 }))
    const whole = await generations.wait(accountId, second.generation.id)
    expect(second.replyId).toBe(first.replyId)
    expect(whole.content).toBe(cut.content + textOf(events))
    await using later = await createEngine()
    const replayed = await collect(
      await later.generations.follow({ accountId, id: second.generation.id, after: 0 }),
    )
    expect(textOf(replayed)).toBe(textOf(events))
    const old = await collect(
      await later.generations.follow({ accountId, id: first.generation.id, after: 0 }),
    )
    expect(textOf(old)).toBe(cut.content)
  })

  test('a whole answer has nothing to continue, and a running one cannot be done again', async () => {
    await using engine = await createEngine({ delayMs: 0 })
    const { generation } = await ask(engine.generations)
    await engine.generations.wait(accountId, generation.id)
    await expect(
      engine.generations.continue({ accountId, generationId: generation.id }),
    ).rejects.toMatchObject({
      code: 'NOTHING_TO_CONTINUE',
    })
    await using slow = await createEngine({ delayMs: 30 })
    const running = await ask(slow.generations)
    await expect(
      slow.generations.regenerate({ accountId, generationId: running.generation.id }),
    ).rejects.toMatchObject({ code: 'NOT_THE_LAST_ANSWER' })
  })
})

describe('refusals', () => {
  test('what belongs to another account is not there', async () => {
    await using engine = await createEngine({ delayMs: 30 })
    const { generations } = engine
    const other = await insertAccount(database.db)
    const { generation, conversationId } = await ask(generations)
    const id = generation.id
    const notFound = { code: 'NOT_FOUND' }
    await expect(generations.read(other, id)).rejects.toMatchObject(notFound)
    await expect(generations.follow({ accountId: other, id, after: 0 })).rejects.toMatchObject(notFound)
    await expect(generations.poll(other, id, 0)).rejects.toMatchObject(notFound)
    await expect(generations.cancel(other, id)).rejects.toMatchObject(notFound)
    await expect(generations.regenerate({ accountId: other, generationId: id })).rejects.toMatchObject(
      notFound,
    )
    await expect(
      generations.start({ accountId: other, kind: 'chat', message: 'hello', conversationId }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'Conversation not found' })
    expect((await generations.read(accountId, id)).status).toBe('running')
  })

  test('an unknown conversation, model or id is named', async () => {
    await using engine = await createEngine()
    await expect(ask(engine.generations, { conversationId: newId() })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await expect(ask(engine.generations, { conversationId: 'x' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await expect(ask(engine.generations, { model: 'no/such' })).rejects.toMatchObject({
      code: 'UNKNOWN_MODEL',
      details: [{ field: 'model' }],
    })
    await expect(engine.generations.read(accountId, 'not-an-id')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('parallel questions to one conversation each get their place', async () => {
    await using engine = await createEngine()
    const { conversationId, generation } = await ask(engine.generations)
    await engine.generations.wait(accountId, generation.id)
    const started = await Promise.all(
      Array.from({ length: 8 }, () => ask(engine.generations, { conversationId })),
    )
    await Promise.all(started.map(each => engine.generations.wait(accountId, each.generation.id)))
    await sleep(0)
    const rows = await database.db
      .selectFrom('messages')
      .select('position')
      .where('conversation_id', '=', conversationId)
      .orderBy('position')
      .execute()
    expect(rows.map(row => row.position)).toEqual(Array.from({ length: 18 }, (_, index) => index + 1))
  })
})

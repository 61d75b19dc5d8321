import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ScriptedProvider, startProvider } from '../../../test/provider/index.ts'
import { insertAccount } from '../../../test/support/accounts.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { openEngine } from '../../../test/support/engine.ts'
import type { LogEvent } from '../../platform/events/index.ts'

let database: TestDatabase
let provider: ScriptedProvider
let accountId: string

beforeAll(async () => {
  database = await createTestDatabase()
  provider = await startProvider({ tokens: 6 })
  accountId = await insertAccount(database.db)
})
beforeEach(() => provider.clear())
afterAll(async () => {
  await provider.close()
  await database.close()
})

const question = { kind: 'chat', message: 'x', asJob: true }
const textOf = (events: readonly LogEvent[]) => {
  const last = events.findLastIndex(event => event.type === 'generation-restart')
  return events
    .slice(last + 1)
    .filter(event => event.type === 'text-delta')
    .map(event => event.text)
    .join('')
}

async function collect(batches: AsyncIterable<readonly LogEvent[]>): Promise<LogEvent[]> {
  const events: LogEvent[] = []
  for await (const batch of batches) events.push(...batch)
  return events
}

describe('a job', () => {
  test('waits until a worker is there, then runs to its end', async () => {
    const waiting = await openEngine(database, { provider })
    const started = await waiting.generations.start({ accountId, ...question })
    expect(started.generation).toMatchObject({ status: 'queued', isJob: true, attempts: 0 })
    await waiting[Symbol.asyncDispose]()
    await using engine = await openEngine(database, { provider, workers: 2 })
    const events = await collect(
      await engine.generations.follow({ accountId, id: started.generation.id, after: 0 }),
    )
    const ended = await engine.generations.wait(accountId, started.generation.id)
    expect(ended).toMatchObject({ status: 'completed', attempts: 1 })
    expect(textOf(events)).toBe(ended.content)
    expect(events.at(-1)?.type).toBe('generation-end')
  })

  test('is tried again after a failure, and its readers get the whole answer of the attempt that worked', async () => {
    await using engine = await openEngine(database, { provider, workers: 1 })
    await provider.script('server-error', { fault: 'cut-rst', faultAfter: 3 }, 'ok')
    const started = await engine.generations.start({ accountId, ...question })
    const events = await collect(
      await engine.generations.follow({ accountId, id: started.generation.id, after: 0 }),
    )
    const ended = await engine.generations.wait(accountId, started.generation.id)
    expect(ended).toMatchObject({ status: 'completed', attempts: 3 })
    expect(textOf(events)).toBe(ended.content)
    expect(events.filter(event => event.type === 'generation-end')).toHaveLength(1)
    const positions = events.map(event => event.seq)
    expect(positions).toEqual([...positions].sort((one, other) => one - other))
    expect(new Set(positions).size).toBe(positions.length)
    await using later = await openEngine(database)
    const replayed = await collect(
      await later.generations.follow({ accountId, id: started.generation.id, after: 0 }),
    )
    expect(textOf(replayed)).toBe(ended.content)
  })

  test('fails only after its last attempt, and says why', async () => {
    await using engine = await openEngine(database, { provider, workers: 1 })
    await provider.script('server-error', 'unavailable', 'server-error', 'ok')
    const started = await engine.generations.start({ accountId, ...question })
    const seen = new Set<string>()
    await expect
      .poll(
        async () => {
          const { status } = await engine.generations.read(accountId, started.generation.id)
          seen.add(status)
          return status
        },
        { interval: 5, timeout: 10_000 },
      )
      .toBe('failed')
    expect(await provider.requests()).toHaveLength(3)
    expect(await engine.generations.read(accountId, started.generation.id)).toMatchObject({
      attempts: 3,
      error: { code: 'PROVIDER_ERROR' },
      costMicroCredits: 0,
    })
    await expect.poll(async () => (await engine.queue.state(started.generation.id))?.status).toBe('failed')
    expect((await engine.queue.state(started.generation.id))?.reason).toBeTruthy()
  })

  test('that the provider refuses fails at once', async () => {
    await using engine = await openEngine(database, { provider, workers: 1 })
    await provider.script('bad-request', 'ok')
    const started = await engine.generations.start({ accountId, ...question })
    const ended = await engine.generations.wait(accountId, started.generation.id)
    expect(ended).toMatchObject({ status: 'failed', error: { code: 'PROVIDER_REFUSED' } })
    expect(await provider.requests()).toHaveLength(1)
  })

  test('that waits can be cancelled, and is never run', async () => {
    await using engine = await openEngine(database, { provider })
    const started = await engine.generations.start({ accountId, ...question })
    expect(await engine.generations.cancel(accountId, started.generation.id)).toMatchObject({
      status: 'cancelled',
    })
    const events = await collect(
      await engine.generations.follow({ accountId, id: started.generation.id, after: 0 }),
    )
    expect(events.at(-1)).toMatchObject({ type: 'generation-end', status: 'cancelled' })
    expect(await engine.queue.state(started.generation.id)).toBeNull()
  })

  test('goes back to the queue when its worker must stop, and another one finishes it', async () => {
    const first = await openEngine(database, { provider, workers: 1, drainMs: 50 })
    await provider.script('slow', 'ok')
    const started = await first.generations.start({ accountId, ...question })
    await provider.waitFor(log => (log[0]?.tokensSent ?? 0) > 3)
    await first[Symbol.asyncDispose]()
    await using second = await openEngine(database, { provider, workers: 1 })
    const ended = await second.generations.wait(accountId, started.generation.id)
    expect(ended).toMatchObject({ status: 'completed', attempts: 2 })
    expect(await provider.requests()).toHaveLength(2)
  })

  test('of a process that died is run again by another', async () => {
    await using engine = await openEngine(database, { provider, workers: 1 })
    const idle = await openEngine(database, { provider })
    const started = await idle.generations.start({ accountId, ...question })
    await idle[Symbol.asyncDispose]()
    await engine.generations.wait(accountId, started.generation.id)
    await database.db
      .updateTable('generations')
      .set({
        status: 'running',
        hold_micro_credits: 0,
        runner: 'elsewhere/1/x',
        heartbeat_at: new Date(Date.now() - 60_000),
        finished_at: null,
      })
      .where('id', '=', started.generation.id)
      .execute()
    await engine.queue.remove(started.generation.id)
    expect(await engine.generations.recover()).toBe(1)
    expect(await engine.generations.wait(accountId, started.generation.id)).toMatchObject({
      status: 'completed',
      attempts: 2,
    })
  })

  test('that the queue lost is queued again', async () => {
    const idle = await openEngine(database, { provider })
    const started = await idle.generations.start({ accountId, ...question })
    await idle.queue.remove(started.generation.id)
    await idle[Symbol.asyncDispose]()
    await database.db
      .updateTable('generations')
      .set({ created_at: new Date(Date.now() - 60_000) })
      .where('id', '=', started.generation.id)
      .execute()
    await using engine = await openEngine(database, { provider, workers: 1 })
    expect(await engine.generations.wait(accountId, started.generation.id)).toMatchObject({
      status: 'completed',
    })
  }, 20_000)
})

describe('what the queue knows', () => {
  test('is told to the account alone, with tries and the reason of the last failure', async () => {
    await using engine = await openEngine(database, { provider, workers: 1 })
    await provider.script('bad-request')
    const started = await engine.generations.start({ accountId, ...question })
    const id = started.generation.id
    await engine.generations.wait(accountId, id)
    await expect
      .poll(() => engine.generations.readJob(accountId, id))
      .toMatchObject({ status: 'failed', attempts: 1, maxAttempts: 3, reason: expect.any(String) })
    expect((await engine.generations.queueCounts()).failed).toBeGreaterThan(0)
    const other = await insertAccount(database.db)
    await expect(engine.generations.readJob(other, id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const direct = await engine.generations.start({ accountId, kind: 'chat', message: 'x' })
    await expect(engine.generations.readJob(accountId, direct.generation.id)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })
})

describe('an idempotency key', () => {
  test('gives the same generation to the same request, also at the same moment', async () => {
    await using engine = await openEngine(database, { provider })
    const request = { accountId, kind: 'chat', message: 'once', idempotencyKey: 'k-1' }
    const started = await Promise.all(Array.from({ length: 10 }, () => engine.generations.start(request)))
    expect(new Set(started.map(each => each.generation.id)).size).toBe(1)
    await engine.generations.wait(accountId, started[0]?.generation.id ?? '')
    const again = await engine.generations.start(request)
    expect(again.generation).toMatchObject({ id: started[0]?.generation.id, status: 'completed' })
    expect(await provider.requests()).toHaveLength(1)
  })

  test('refuses another request, and belongs to its account', async () => {
    await using engine = await openEngine(database, { provider })
    const request = { accountId, kind: 'chat', message: 'once', idempotencyKey: 'k-2' }
    const first = await engine.generations.start(request)
    await expect(engine.generations.start({ ...request, message: 'twice' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
      status: 422,
    })
    const other = await engine.generations.start({ ...request, accountId: await insertAccount(database.db) })
    expect(other.generation.id).not.toBe(first.generation.id)
  })

  test.each(['', 'x'.repeat(256), 'ü'])('%j is no key', async idempotencyKey => {
    await using engine = await openEngine(database, { provider })
    await expect(
      engine.generations.start({ accountId, kind: 'chat', message: 'x', idempotencyKey }),
    ).rejects.toMatchObject({ status: 400, details: [{ field: 'Idempotency-Key' }] })
  })
})

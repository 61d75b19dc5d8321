import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ScriptedProvider, startProvider } from '../../../test/provider/index.ts'
import { insertAccount } from '../../../test/support/accounts.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { openEngine } from '../../../test/support/engine.ts'
import { AppError } from '../../lib/errors.ts'
import { createBreakers } from './breakers.ts'
import type { Generations } from './index.ts'

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

const deadlines = { firstTokenTimeoutMs: 300, silenceTimeoutMs: 300, totalTimeoutMs: 1500 }

async function ask(generations: Generations, extra: object = {}) {
  const started = await generations.start({ accountId, kind: 'chat', message: 'x', ...extra })
  return generations.wait(accountId, started.generation.id)
}

describe('trouble before the first token', () => {
  test.each([['server-error'], ['unavailable'], ['cut-fin-first'], ['cut-rst-first'], ['garbage-first']])(
    '%s: asks again, and answers once',
    async script => {
      await using engine = await openEngine(database, { provider })
      const first = script === 'garbage-first' ? ({ fault: 'garbage', faultAfter: 0 } as const) : script
      await provider.script(first, 'ok')
      const ended = await ask(engine.generations)
      expect(ended).toMatchObject({ status: 'completed', finishReason: 'stop' })
      expect(await provider.requests()).toHaveLength(2)
    },
  )

  test('keeps to Retry-After', async () => {
    await using engine = await openEngine(database, { provider })
    await provider.script(
      { status: 429, headers: { 'retry-after': '1' }, error: { message: 'slow down' } },
      'ok',
    )
    const ended = await ask(engine.generations)
    expect(ended.status).toBe('completed')
    const [first, second] = await provider.requests()
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(950)
  })

  test('gives up after three more attempts, with a clear error and no cost', async () => {
    await using engine = await openEngine(database, { provider })
    await provider.script('server-error', 'server-error', 'server-error', 'server-error', 'ok')
    const ended = await ask(engine.generations)
    expect(ended).toMatchObject({ status: 'failed', costMicroCredits: 0, error: { code: 'PROVIDER_ERROR' } })
    expect(await provider.requests()).toHaveLength(4)
  })

  test.each([
    ['bad-request', 'PROVIDER_REFUSED'],
    ['key-refused', 'PROVIDER_KEY_REFUSED'],
    ['out-of-credit', 'PROVIDER_OUT_OF_CREDIT'],
    ['context-too-long', 'CONTEXT_TOO_LONG'],
  ])('%s is not asked again', async (script, code) => {
    await using engine = await openEngine(database, { provider })
    await provider.script(script)
    expect(await ask(engine.generations)).toMatchObject({
      status: 'failed',
      error: { code },
      costMicroCredits: 0,
    })
    expect(await provider.requests()).toHaveLength(1)
  })

  test('a provider that does not begin to answer is asked again', async () => {
    await using engine = await openEngine(database, { provider, deadlines })
    await provider.script('stall', 'ok')
    expect((await ask(engine.generations)).status).toBe('completed')
    const [stalled] = await provider.waitFor(log => log[0]?.clientClosedAt !== null)
    // The product's own deadline would be 5 s.
    expect((stalled?.clientClosedAt ?? 0) - (stalled?.at ?? 0)).toBeLessThan(3000)
  })

  test('a fallback answers when the first model cannot, and is told', async () => {
    await using engine = await openEngine(database, { provider })
    await provider.script('key-refused', 'ok')
    const ended = await ask(engine.generations, { fallbackModels: ['anthropic/ok'] })
    expect(ended).toMatchObject({ status: 'completed', model: 'anthropic/ok' })
    expect((await provider.requests()).map(request => request.wire)).toEqual(['chat', 'messages'])
  })
})

describe('trouble in the middle', () => {
  test.each(['cut-fin', 'cut-rst', 'no-finish', 'in-band-error', 'garbage'])(
    '%s: interrupted with what was received, paid by that',
    async script => {
      await using engine = await openEngine(database, { provider })
      await provider.script(script)
      const ended = await ask(engine.generations)
      expect(ended.status).toBe('interrupted')
      expect(ended.error?.code).toMatch(/^PROVIDER_/)
      expect(ended.content).not.toBe('')
      expect(ended.costMicroCredits).toBeGreaterThan(0)
      expect(await provider.requests()).toHaveLength(1)
    },
  )

  test('silence is cut at its deadline, and the connection closed', async () => {
    await using engine = await openEngine(database, { provider, deadlines })
    // More than once: an attempt whose beginning came late is asked again, and meets the same.
    await provider.script(...Array.from({ length: 4 }, () => 'stall-middle'))
    expect(await ask(engine.generations)).toMatchObject({
      status: 'interrupted',
      error: { code: 'PROVIDER_TIMEOUT' },
    })
    await provider.waitFor(log => log.every(request => request.clientClosedAt !== null))
  })

  test('an answer that never ends is cut at the total deadline', async () => {
    await using engine = await openEngine(database, {
      provider,
      deadlines: { firstTokenTimeoutMs: 10_000, silenceTimeoutMs: 10_000, totalTimeoutMs: 1500 },
    })
    await provider.script({ tokens: 1000, intervalMs: 100 })
    expect(await ask(engine.generations)).toMatchObject({
      status: 'interrupted',
      error: { code: 'PROVIDER_TIMEOUT' },
    })
  })

  // Tried again because the machine itself can stop for a moment.
  test('a cancel closes the connection within a second', { retry: 2 }, async () => {
    await using engine = await openEngine(database, { provider })
    await provider.script('slow')
    const started = await engine.generations.start({ accountId, kind: 'chat', message: 'x' })
    await provider.waitFor(log => (log[0]?.tokensSent ?? 0) > 3)
    const at = Date.now()
    const ended = await engine.generations.cancel(accountId, started.generation.id)
    expect(ended.status).toBe('cancelled')
    const [request] = await provider.waitFor(log => log[0]?.clientClosedAt !== null)
    expect((request?.clientClosedAt ?? 0) - at).toBeLessThan(1000)
  })
})

describe('ends', () => {
  test.each([
    ['ok', 'stop'],
    ['length', 'length'],
    ['filtered', 'filtered'],
  ])('%s is told as %s', async (script, finishReason) => {
    await using engine = await openEngine(database, { provider })
    await provider.script(script)
    expect(await ask(engine.generations)).toMatchObject({
      status: 'completed',
      finishReason,
      usageEstimated: false,
    })
  })

  test('missing usage is estimated, and marked so', async () => {
    await using engine = await openEngine(database, { provider })
    await provider.script('no-usage')
    const ended = await ask(engine.generations)
    expect(ended.usageEstimated).toBe(true)
    expect(ended.outputTokens).toBeGreaterThan(0)
  })
})

describe('a breaker', () => {
  const down = new AppError('upstream', 'PROVIDER_ERROR', 'down')

  test('opens after five failures, tries once after its pause, and closes with a success', () => {
    let now = 0
    const breaker = createBreakers(() => now).of('openai')
    for (let count = 0; count < 4; count++) breaker.failed(down)
    breaker.check()
    breaker.failed(down)
    expect(() => breaker.check()).toThrow(
      expect.objectContaining({ code: 'PROVIDER_DOWN', retryAfterSeconds: 15 }),
    )
    now = 15_000
    breaker.check()
    expect(() => breaker.check()).toThrow(/does not answer/)
    breaker.succeeded()
    breaker.check()
    breaker.check()
  })

  test('does not count limits, refusals or failures of long ago', () => {
    let now = 0
    const breaker = createBreakers(() => now).of('openai')
    for (let count = 0; count < 9; count++) {
      breaker.failed(new AppError('upstream', 'PROVIDER_RATE_LIMITED', 'slow down'))
      breaker.failed(new AppError('unprocessable', 'PROVIDER_REFUSED', 'no'))
    }
    for (let count = 0; count < 9; count++) {
      breaker.failed(down)
      now += 10_000
    }
    breaker.check()
  })
})

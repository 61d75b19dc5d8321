import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ScriptedProvider, startProvider } from '../provider/index.ts'
import { type Answer, startApp, type TestApp, testPassword } from '../support/app.ts'
import { openClock, type TestClock } from '../support/clock.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let provider: ScriptedProvider
let database: TestDatabase
let clock: TestClock
let app: TestApp
let env: Record<string, string>

beforeAll(async () => {
  provider = await startProvider()
  database = await createTestDatabase()
  clock = await openClock(database.url, '2031-05-07T12:00:00Z')
  env = {
    DATABASE_URL: database.url,
    OPENAI_BASE_URL: provider.baseUrls.openai,
    OPENAI_API_KEY: 'a-key-of-nobody',
    ALLOW_ANY_MODEL: 'true',
    BASIC_DAILY_MESSAGE_LIMIT: '5',
  }
  app = await startApp(env)
})
afterAll(async () => {
  await app?.[Symbol.asyncDispose]()
  await clock?.[Symbol.asyncDispose]()
  await database?.close()
  await provider?.[Symbol.asyncDispose]()
})

interface Asked {
  message?: string
  model?: string
  stream?: boolean
  background?: boolean
  maxOutputTokens?: number
}

function ask(token: string, asked: Asked = {}, headers: Record<string, string> = {}): Promise<Answer> {
  const body = { message: 'Hello', model: 'openai/ok', maxOutputTokens: 100, stream: false, ...asked }
  return app.call('POST', '/api/v1/generations', { token, body, headers })
}

const messagesOf = async (token: string) =>
  (await app.call('GET', '/api/v1/entitlements', { token })).body.data.entitlements.messages
/** Messages that were counted on each day. */
async function daysOf(accountId: string): Promise<Record<string, number>> {
  const { rows } = await database.pool.query<{ day: string; count: number }>(
    `select day::text as day, count from daily_messages where account_id = $1 order by day`,
    [accountId],
  )
  return Object.fromEntries(rows.map(row => [row.day, row.count]))
}

test('M14: with one message left, one of twenty at once is accepted; refusals use none; it begins anew at 00:00 UTC', async () => {
  await clock.set('2031-05-07T23:57:00Z')
  const person = await app.signUp()
  const { token, accountId } = person
  for (let sent = 0; sent < 4; sent++) expect((await ask(token)).status).toBe(200)
  const headers = { 'idempotency-key': 'kept' }
  const refusals = await Promise.all([
    ask(token, { message: ' ' }),
    ask(token, { message: 'x'.repeat(200_000) }),
    ask(token, { model: 'nobody/nothing at all' }),
    ask(token, { maxOutputTokens: -1 }),
    ask(token, { maxOutputTokens: 1e9 }),
    ask(token, {}, { 'idempotency-key': 'x'.repeat(256) }),
    ask(`${token}x`),
    app.call('POST', '/api/v1/generations', { token, body: '{"message":' }),
    app.call('POST', '/api/v1/generations', {
      token,
      body: '"x"',
      headers: { 'content-type': 'text/plain' },
    }),
    app.call('POST', '/api/v1/generations', { token, body: { message: 'Hello', conversationId: accountId } }),
  ])
  expect(refusals.map(answer => answer.status)).toEqual([400, 400, 400, 400, 400, 400, 401, 400, 415, 404])
  // Asked of the provider and refused there: given back.
  expect((await ask(token, { model: 'openai/bad-request' })).status).toBeGreaterThanOrEqual(400)
  expect(await messagesOf(token)).toEqual({
    limit: 5,
    used: 4,
    remaining: 1,
    resetsAt: '2031-05-08T00:00:00.000Z',
  })
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(token)))
  const statuses = answers.map(answer => answer.status).toSorted()
  expect(statuses).toEqual([200, ...Array(19).fill(429)])
  await clock.set('2031-05-07T23:59:40Z')
  const late = await ask(token, {}, headers)
  expect([late.status, late.body.code]).toEqual([429, 'DAILY_LIMIT_REACHED'])
  expect(Number(late.headers.get('retry-after'))).toBeLessThanOrEqual(20)
  await clock.set('2031-05-08T00:00:00Z')
  expect(await messagesOf(token)).toMatchObject({
    used: 0,
    remaining: 5,
    resetsAt: '2031-05-09T00:00:00.000Z',
  })
  const next = await Promise.all(
    Array.from({ length: 20 }, (_, at) => ask(token, {}, at === 0 ? headers : {})),
  )
  expect(next.filter(answer => answer.status === 200)).toHaveLength(5)
  expect(await daysOf(accountId)).toEqual({ '2031-05-07': 5, '2031-05-08': 5 })
})

test('M14: twenty sends while the day ends are at most what is left of both days', async () => {
  await clock.set('2031-06-01T23:59:00Z')
  const { token, accountId } = await app.signUp()
  for (let sent = 0; sent < 4; sent++) await ask(token)
  await clock.set('2031-06-01T23:59:59.900Z')
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, at) => {
      await new Promise(resolve => setTimeout(resolve, at * 15))
      return ask(token)
    }),
  )
  const accepted = answers.filter(answer => answer.status === 200).length
  const days = await daysOf(accountId)
  expect(answers.every(answer => [200, 429].includes(answer.status))).toBe(true)
  expect(days['2031-06-01']).toBeGreaterThanOrEqual(4)
  expect(days['2031-06-01']).toBeLessThanOrEqual(5)
  expect(days['2031-06-02']).toBe(5)
  expect(accepted).toBe((days['2031-06-01'] ?? 0) + (days['2031-06-02'] ?? 0) - 4)
})

test('M14: what fails after midnight is given back to the day on which it was counted', async () => {
  await clock.set('2031-07-01T23:59:00Z')
  const { token, accountId } = await app.signUp()
  const begun = await ask(token, { model: 'openai/stall', background: true })
  expect(begun.status).toBe(202)
  expect(await daysOf(accountId)).toEqual({ '2031-07-01': 1 })
  await clock.set('2031-07-02T00:00:05Z')
  expect((await ask(token)).status).toBe(200)
  const { id } = begun.body.data.generation
  await app.call('POST', `/api/v1/generations/${id}/cancel`, { token })
  await expect.poll(() => daysOf(accountId)).toEqual({ '2031-07-01': 0, '2031-07-02': 1 })
})

test('M02: a key gives the same answer, once, after a restart and after 23 hours', async () => {
  await clock.set('2031-08-01T10:00:00Z')
  const person = await app.signUp()
  const headers = { 'idempotency-key': 'k'.repeat(255) }
  const first = await ask(person.token, {}, headers)
  expect(first.status).toBe(200)
  const { id } = first.body.data.generation
  const asked = (await provider.requests()).length
  const ledger = async () =>
    (
      await database.pool.query('select kind from ledger_entries where account_id = $1 order by seq', [
        person.accountId,
      ])
    ).rows
  const before = await ledger()
  const dataDir = app.app.dataDir
  await app.app.close()
  await using again = await startApp({ ...env, DATA_DIR: dataDir })
  const repeat = (token: string, body: object = {}) =>
    again.call('POST', '/api/v1/generations', {
      token,
      headers,
      body: { message: 'Hello', model: 'openai/ok', maxOutputTokens: 100, stream: false, ...body },
    })
  expect((await repeat(person.token)).body.data).toEqual(first.body.data)
  await clock.set('2031-08-02T09:00:00Z')
  const entered = await again.call('POST', '/api/v1/sessions', {
    body: { email: person.email, password: testPassword },
  })
  const token = entered.body.data.accessToken
  expect((await repeat(token)).body.data).toEqual(first.body.data)
  expect((await repeat(token, { message: 'Another' })).status).toBe(422)
  const stranger = await again.signUp()
  expect((await repeat(stranger.token)).body.data.generation.id).not.toBe(id)
  expect(await ledger()).toEqual(before)
  expect((await provider.requests()).length).toBe(asked + 1)
})

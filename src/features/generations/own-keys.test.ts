import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { keyFingerprint, type ScriptedProvider, startProvider } from '../../../test/provider/index.ts'
import { insertAccount } from '../../../test/support/accounts.ts'
import { startApp, type TestApp } from '../../../test/support/app.ts'
import { createTestDatabase } from '../../../test/support/database.ts'
import { openEngine } from '../../../test/support/engine.ts'

let server: TestApp
let provider: ScriptedProvider
const log: string[] = []
const told: string[] = []

const secret = 'sk-canary-5Tn8mQw3rY-wxyz'
const platform = 'the-platforms-own-key'

beforeAll(async () => {
  provider = await startProvider()
  server = await startApp(
    {
      ALLOW_PRIVATE_ADDRESSES: 'true',
      ALLOW_ANY_MODEL: 'true',
      OPENAI_BASE_URL: provider.baseUrls.openai,
      OPENAI_API_KEY: platform,
      ANTHROPIC_BASE_URL: provider.baseUrls.anthropic,
      ANTHROPIC_API_KEY: platform,
      SIGNUP_CREDITS: '100',
      BASIC_DAILY_MESSAGE_LIMIT: '3',
    },
    line => log.push(line),
  )
}, 60_000)
afterEach(() => provider.clear())
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await provider?.[Symbol.asyncDispose]()
})

type Person = Awaited<ReturnType<TestApp['signUp']>>

async function call(person: Person, method: string, path: string, body?: unknown) {
  const answer = await server.call(method, `/api/v1${path}`, {
    token: person.token,
    ...(body === undefined ? {} : { body }),
  })
  told.push(answer.text)
  return answer
}

async function withKey(body: object = {}) {
  const person = await server.signUp()
  const added = await call(person, 'POST', '/keys', {
    provider: 'openai',
    name: 'Work',
    apiKey: secret,
    ...body,
  })
  expect([added.status, added.text]).toEqual([201, added.text])
  return { person, key: added.body.data.key as { id: string } }
}

async function ask(person: Person, body: object = {}) {
  const message = { message: 'hello', model: 'openai/ok', maxOutputTokens: 100, stream: false, ...body }
  const { status, body: answer } = await call(person, 'POST', '/generations', message)
  return { status, answer, generation: answer.data?.generation }
}

/** What became of a run that may have failed: errors are told as errors. */
async function last(person: Person) {
  const row = await server.app.db
    .selectFrom('generations')
    .selectAll()
    .where('account_id', '=', person.accountId)
    .orderBy('created_at', 'desc')
    .executeTakeFirstOrThrow()
  const marks = row.marks as { type: string; [field: string]: unknown }[]
  return { row, changes: marks.filter(mark => mark.type === 'payer-changed') }
}

const entriesOf = async ({ accountId }: Person) =>
  (
    await server.app.db
      .selectFrom('ledger_entries')
      .select(['kind'])
      .where('account_id', '=', accountId)
      .where('kind', 'in', ['hold', 'release', 'settle'])
      .orderBy('seq')
      .execute()
  ).map(({ kind }) => kind)

const messagesOf = async ({ accountId }: Person) =>
  (
    await server.app.db
      .selectFrom('daily_messages')
      .select('count')
      .where('account_id', '=', accountId)
      .execute()
  )[0]?.count ?? 0

const usageOf = async (person: Person, key: { id: string }) =>
  (await call(person, 'GET', `/keys/${key.id}/usage`)).body.data

/** A provider that takes no key. */
async function openRefusing() {
  const refusing = createServer((_request, response) =>
    response
      .writeHead(401, { 'content-type': 'application/json' })
      .end('{"error":{"message":"no such key"}}'),
  ).listen(0, '127.0.0.1')
  await once(refusing, 'listening')
  return {
    baseUrl: `http://127.0.0.1:${(refusing.address() as AddressInfo).port}/v1`,
    async [Symbol.asyncDispose]() {
      refusing.closeAllConnections()
      refusing.close()
    },
  }
}

const keysAsked = async () => (await provider.requests()).map(request => request.auth?.fingerprint)
const own = keyFingerprint(secret)
const ours = keyFingerprint(platform)

describe('an active key of the account', () => {
  test('pays: no hold, no cost, no message of the day, and its use is counted', async () => {
    const { person, key } = await withKey()
    for (let count = 0; count < 5; count++) {
      const { status, generation } = await ask(person)
      expect([status, generation.keyId, generation.costMicroCredits]).toEqual([200, key.id, 0])
    }
    expect(await keysAsked()).toEqual(Array(5).fill(own))
    expect(await entriesOf(person)).toEqual([])
    expect(await messagesOf(person)).toBe(0)
    const usage = await usageOf(person, key)
    expect(usage).toMatchObject({ calls: 5, errors: 0, inputTokens: 60, outputTokens: 25, lastError: null })
    expect(usage.lastUsedAt).not.toBeNull()
    expect(usage.days).toMatchObject([{ calls: 5, inputTokens: 60, outputTokens: 25 }])
    // The person's other models still cost.
    const { generation } = await ask(person, { model: 'anthropic/ok' })
    expect(generation.keyId).toBeNull()
    expect(generation.costMicroCredits).toBeGreaterThan(0)
    expect(await entriesOf(person)).toEqual(['hold', 'release', 'settle'])
    expect(await messagesOf(person)).toBe(1)
  })

  test('pays also for who has no credits left, or owes some', async () => {
    const { person } = await withKey()
    await sql`update balances set micro_credits = -5 where account_id = ${person.accountId}`.execute(
      server.app.db,
    )
    expect((await ask(person)).status).toBe(200)
    expect((await ask(person, { model: 'anthropic/ok' })).status).toBe(402)
    const answer = (await call(person, 'GET', '/entitlements')).body.data
    expect(answer.entitlements ?? answer).toMatchObject({ payer: 'key', canSend: true, reason: null })
  })

  test('pays for answers that are repeated or continued, and for their stop', async () => {
    const { person, key } = await withKey()
    const { generation } = await ask(person)
    const again = await call(person, 'POST', `/generations/${generation.id}/regenerate`, { stream: false })
    expect(again.body.data.generation.keyId).toBe(key.id)
    expect(await entriesOf(person)).toEqual([])
    expect((await usageOf(person, key)).calls).toBe(2)
  })

  test('opens models that only its provider has, at its own address', async () => {
    const person = await server.signUp()
    const baseUrl = `${provider.url}/home/v1`
    await call(person, 'POST', '/keys', { provider: 'custom', baseUrl, apiKey: secret })
    const { status, generation } = await ask(person, { model: 'custom/llama3.2' })
    expect([status, generation.model, generation.costMicroCredits]).toEqual([200, 'custom/llama3.2', 0])
    expect((await provider.requests())[0]).toMatchObject({
      path: '/home/v1/chat/completions',
      model: 'llama3.2',
    })
    expect((await ask(await server.signUp(), { model: 'custom/llama3.2' })).answer.code).toBe('UNKNOWN_MODEL')
  })

  test('no longer pays once it is inactive or removed', async () => {
    const { person, key } = await withKey()
    await call(person, 'PATCH', `/keys/${key.id}`, { isActive: false })
    expect((await ask(person)).generation.keyId).toBeNull()
    await call(person, 'PATCH', `/keys/${key.id}`, { isActive: true })
    expect((await ask(person)).generation.keyId).toBe(key.id)
    await call(person, 'DELETE', `/keys/${key.id}`)
    expect((await ask(person)).generation.keyId).toBeNull()
    expect(await keysAsked()).toEqual([ours, own, ours])
  })
})

describe('a key that its provider refuses', () => {
  test.each(['key-refused', 'out-of-credit'])(
    '(%s) is named, and nothing else is tried or charged',
    async script => {
      const { person, key } = await withKey()
      await provider.script(script)
      const { status, answer } = await ask(person)
      expect([status, answer.code]).toEqual([422, 'KEY_REFUSED'])
      expect(answer.message).toContain('"Work" (…wxyz)')
      const { row } = await last(person)
      expect(row).toMatchObject({ status: 'failed', key_id: key.id, error: { code: 'KEY_REFUSED' } })
      expect(await keysAsked()).toEqual([own])
      expect(await entriesOf(person)).toEqual([])
      expect(await usageOf(person, key)).toMatchObject({
        calls: 1,
        errors: 1,
        lastError: { code: /PROVIDER_/ },
      })
    },
  )

  test('gives way to credits where its owner wants that: a hold first, then one settlement', async () => {
    const { person, key } = await withKey({ fallbackToCredits: true })
    await provider.script('key-refused')
    const { status, generation } = await ask(person)
    expect([status, generation.status, generation.keyId]).toEqual([200, 'completed', null])
    expect(generation.costMicroCredits).toBeGreaterThan(0)
    const { row, changes } = await last(person)
    expect(changes).toMatchObject([{ payer: 'credits', keyId: null, reason: 'PROVIDER_KEY_REFUSED' }])
    expect(row.counted_on).not.toBeNull()
    expect(await keysAsked()).toEqual([own, ours])
    expect(await entriesOf(person)).toEqual(['hold', 'release', 'settle'])
    expect(await messagesOf(person)).toBe(1)
    expect(await usageOf(person, key)).toMatchObject({ calls: 1, errors: 1, outputTokens: 0 })
  })

  test('stays refused when credits do not suffice or the day is spent', async () => {
    for (const [spend, reason] of [
      [sql`update balances set micro_credits = 0`, /credits/i],
      [
        sql`insert into daily_messages (account_id, day, count) select account_id, (now() at time zone 'UTC')::date, 3 from balances`,
        /Daily message limit/,
      ],
    ] as const) {
      const { person } = await withKey({ fallbackToCredits: true })
      await sql`${spend} where account_id = ${person.accountId}`.execute(server.app.db)
      await provider.script('key-refused')
      const { status, answer } = await ask(person)
      expect([status, answer.code]).toEqual([422, 'KEY_REFUSED'])
      expect(answer.message).toMatch(reason)
      expect(await entriesOf(person)).toEqual([])
    }
    expect(await keysAsked()).toEqual([own, own])
  })

  test('and many answers at once that fall back take their holds one by one: no more than the day allows', async () => {
    await using refusing = await openRefusing()
    const { person } = await withKey({ fallbackToCredits: true, baseUrl: refusing.baseUrl })
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(person)))
    const codes = answers.map(({ status, answer }) => answer.code ?? status).sort()
    expect(codes).toEqual([200, 200, 200, ...Array(5).fill('KEY_REFUSED')])
    expect(await keysAsked()).toEqual([ours, ours, ours])
    expect(await messagesOf(person)).toBe(3)
    const { rows } = await sql<{ isRight: boolean }>`
      select b.micro_credits = sum(e.amount_micro_credits) as "isRight" from balances b join ledger_entries e using (account_id)
      where account_id = ${person.accountId} group by b.micro_credits`.execute(server.app.db)
    expect(rows).toEqual([{ isRight: true }])
  })

  test('stays refused where the platform does not have the model', async () => {
    const body = { provider: 'custom', baseUrl: `${provider.url}/home/v1`, fallbackToCredits: true }
    const { person } = await withKey(body)
    expect((await ask(person, { model: 'custom/key-refused' })).answer.code).toBe('KEY_REFUSED')
    expect(await keysAsked()).toEqual([own])
  })

  test('never shows itself, even when the provider repeats it', async () => {
    const { person, key } = await withKey()
    await provider.script({
      status: 401,
      error: { message: `the key ${secret} is wrong`, code: 'invalid_api_key' },
    })
    expect((await ask(person)).answer.code).toBe('KEY_REFUSED')
    expect((await usageOf(person, key)).lastError.message).not.toContain('canary')
  })
})

describe('fallback models', () => {
  const fallbackModels = ['anthropic/ok']

  test('of a provider with a key of its own use that one', async () => {
    const { person } = await withKey()
    const other = `${secret}-anthropic`
    const added = await call(person, 'POST', '/keys', { provider: 'anthropic', apiKey: other })
    const { generation } = await ask(person, { model: 'openai/key-refused', fallbackModels })
    expect(generation).toMatchObject({
      model: 'anthropic/ok',
      keyId: added.body.data.key.id,
      costMicroCredits: 0,
    })
    expect(await keysAsked()).toEqual([own, keyFingerprint(other)])
    expect(await entriesOf(person)).toEqual([])
  })

  test('without one are left out, unless credits may pay', async () => {
    const strict = await withKey()
    expect((await ask(strict.person, { model: 'openai/bad-model', fallbackModels })).status).toBe(200)
    await provider.clear()
    const refused = await ask(strict.person, { model: 'openai/key-refused', fallbackModels })
    expect(refused.answer.code).toBe('KEY_REFUSED')
    expect(await keysAsked()).toEqual([own])
    await provider.clear()
    const { person } = await withKey({ fallbackToCredits: true })
    await provider.script('unavailable', 'unavailable', 'unavailable', 'unavailable')
    const { generation } = await ask(person, { fallbackModels })
    expect(generation).toMatchObject({ status: 'completed', model: 'anthropic/ok', keyId: null })
    expect(await keysAsked()).toEqual([own, own, own, own, ours])
    expect(await entriesOf(person)).toEqual(['hold', 'release', 'settle'])
  }, 30_000)

  test('give back what was held when a key pays in the end', async () => {
    const { person, key } = await withKey()
    await provider.script('out-of-credit')
    const { generation } = await ask(person, { model: 'anthropic/ok', fallbackModels: ['openai/ok'] })
    expect(generation).toMatchObject({ model: 'openai/ok', keyId: key.id, costMicroCredits: 0 })
    expect(await keysAsked()).toEqual([ours, own])
    expect(await entriesOf(person)).toEqual(['hold', 'release'])
  })
})

describe('while an answer is on its way', () => {
  test('its key may be switched off, replaced and removed: the answer is finished', async () => {
    const { person, key } = await withKey()
    const asked = ask(person, { model: 'openai/drip' })
    await provider.waitFor(requests => requests.length === 1)
    await call(person, 'PATCH', `/keys/${key.id}`, { isActive: false })
    await call(person, 'PATCH', `/keys/${key.id}`, { apiKey: 'another-key-of-mine' })
    await call(person, 'DELETE', `/keys/${key.id}`)
    const { status, generation } = await asked
    expect([status, generation.status, generation.costMicroCredits]).toEqual([200, 'completed', 0])
    expect(await entriesOf(person)).toEqual([])
  })

  test('a job carries nothing but its id, opens the key when it runs, and says when that is gone', async () => {
    const [kept, gone] = [await withKey(), await withKey()]
    const ids: string[] = []
    for (const { person } of [kept, gone]) {
      const started = await call(person, 'POST', '/generations', {
        message: 'hello',
        model: 'openai/ok',
        background: true,
      })
      expect(started.status).toBe(202)
      ids.push(started.body.data.generation.id)
    }
    await call(gone.person, 'DELETE', `/keys/${gone.key.id}`)
    await server.app.work()
    const read = async (person: Person, id: string | undefined) =>
      (await call(person, 'GET', `/generations/${id}`)).body.data.generation
    await vi.waitFor(
      async () => {
        expect((await read(kept.person, ids[0])).status).toBe('completed')
        expect((await read(gone.person, ids[1])).status).toBe('failed')
      },
      { timeout: 20_000, interval: 100 },
    )
    expect(await read(kept.person, ids[0])).toMatchObject({ keyId: kept.key.id, costMicroCredits: 0 })
    expect((await read(gone.person, ids[1])).error.code).toBe('KEY_REMOVED')
    expect(await keysAsked()).toEqual([own])
  }, 30_000)
})

test('a job on an own key is run by another process, which knows of it only what is in the database', async () => {
  await using database = await createTestDatabase()
  const accountId = await insertAccount(database.db)
  await using front = await openEngine(database, { provider })
  await using worker = await openEngine(database, { provider, workers: 1 })
  const apiKey = `${secret}-elsewhere`
  const key = await front.keys.create({ accountId }, { provider: 'openai', apiKey })
  const asked = { accountId, kind: 'chat', message: 'hello', model: 'openai/ok', asJob: true }
  const { generation } = await front.generations.start(asked)
  const ended = await worker.generations.wait(accountId, generation.id)
  expect(ended).toMatchObject({
    status: 'completed',
    keyId: key.id,
    costMicroCredits: 0,
    holdMicroCredits: 0,
  })
  expect(await keysAsked()).toEqual([keyFingerprint(apiKey)])
  expect(await front.keys.usage(accountId, { id: key.id, days: 1 })).toMatchObject({
    calls: 1,
    outputTokens: 5,
  })
  await front.keys.update({ accountId }, key.id, { fallbackToCredits: true })
  await provider.script('key-refused')
  const second = await front.generations.start(asked)
  const paid = await worker.generations.wait(accountId, second.generation.id)
  expect(paid).toMatchObject({ status: 'completed', keyId: null })
  expect(paid.costMicroCredits).toBeGreaterThan(0)
}, 30_000)

test('after all of that no key is in the log, in any answer or in any row, the queue included (P14)', async () => {
  expect(log.length).toBeGreaterThan(10)
  for (const text of [...log, ...told]) expect(text).not.toContain('sk-canary')
  const { rows: tables } = await sql<{ name: string }>`
    select table_schema || '.' || table_name as name from information_schema.tables
    where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`.execute(
    server.app.db,
  )
  expect(tables.map(({ name }) => name)).toContain('bullmq.event')
  for (const { name } of tables) {
    const { rows } =
      await sql`select 1 from ${sql.table(name)} as t where position('sk-canary' in t::text) > 0 limit 1`.execute(
        server.app.db,
      )
    expect([name, rows.length]).toEqual([name, 0])
  }
})

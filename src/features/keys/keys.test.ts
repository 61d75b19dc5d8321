import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keyFingerprint, type ScriptedProvider, startProvider } from '../../../test/provider/index.ts'
import { startApp, type TestApp } from '../../../test/support/app.ts'
import { type Canary, insideUrls, openCanary } from '../../../test/support/canary.ts'

let server: TestApp
let provider: ScriptedProvider

beforeAll(async () => {
  provider = await startProvider()
  server = await startApp({
    ALLOW_PRIVATE_ADDRESSES: 'true',
    OPENAI_BASE_URL: provider.baseUrls.openai,
    GEMINI_BASE_URL: provider.baseUrls.gemini,
  })
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await provider?.[Symbol.asyncDispose]()
})

type Person = Awaited<ReturnType<TestApp['signUp']>>
const secret = 'sk-canary-7Kq2vLw9xZ-abcd'

async function call(person: Person, method: string, path: string, body?: unknown) {
  const answer = await server.call(method, `/api/v1/keys${path}`, {
    token: person.token,
    ...(body === undefined ? {} : { body }),
  })
  expect(answer.text).not.toContain(secret)
  return answer
}

async function add(person: Person, body: object = {}) {
  const answer = await call(person, 'POST', '', { provider: 'openai', name: 'Work', apiKey: secret, ...body })
  expect([answer.status, answer.text]).toEqual([201, answer.text])
  return answer.body.data.key
}

const activeOf = async (person: Person) =>
  (await call(person, 'GET', '')).body.data.keys
    .filter((key: { isActive: boolean }) => key.isActive)
    .map((key: { name: string }) => key.name)

describe('a provider key', () => {
  test('is kept, listed, read and removed, and never given back', async () => {
    const person = await server.signUp()
    const key = await add(person)
    expect(key).toMatchObject({
      provider: 'openai',
      name: 'Work',
      isActive: true,
      baseUrl: null,
      fallbackToCredits: false,
      lastFour: 'abcd',
      lastUsedAt: null,
      lastError: null,
    })
    expect(Object.keys(key)).not.toContain('apiKey')
    expect(key.fingerprint).toMatch(/^[0-9a-f]{16}$/)
    expect((await call(person, 'GET', '')).body.data.keys).toEqual([key])
    expect((await call(person, 'GET', `/${key.id}`)).body.data.key).toEqual(key)
    expect((await call(person, 'DELETE', `/${key.id}`)).status).toBe(200)
    expect((await call(person, 'GET', `/${key.id}`)).status).toBe(404)
    expect((await call(person, 'DELETE', `/${key.id}`)).status).toBe(404)
  })

  test('can be told from others by its fingerprint, within one account only', async () => {
    const [ann, bob] = await Promise.all([server.signUp(), server.signUp()])
    const first = await add(ann)
    const same = await add(ann, { name: 'again' })
    const other = await add(ann, { apiKey: `${secret}x` })
    expect(same.fingerprint).toBe(first.fingerprint)
    expect(other.fingerprint).not.toBe(first.fingerprint)
    expect((await add(bob)).fingerprint).not.toBe(first.fingerprint)
  })

  test('shows no end when it is so short that the end would be half of it', async () => {
    const person = await server.signUp()
    expect((await add(person, { apiKey: 'short-key' })).lastFour).toBeNull()
  })

  test.each([
    [{}, 'provider'],
    [{ provider: 'nobody', apiKey: secret }, 'provider'],
    [{ provider: 'openai' }, 'apiKey'],
    [{ provider: 'openai', apiKey: 'short' }, 'apiKey'],
    [{ provider: 'openai', apiKey: 'with a space in it' }, 'apiKey'],
    [{ provider: 'openai', apiKey: 'line\r\nx-evil: header' }, 'apiKey'],
    [{ provider: 'openai', apiKey: 'x'.repeat(501) }, 'apiKey'],
    [{ provider: 'openai', apiKey: secret, name: '  ' }, 'name'],
    [{ provider: 'openai', apiKey: secret, name: 'x'.repeat(101) }, 'name'],
    [{ provider: 'custom', apiKey: secret }, 'baseUrl'],
    [{ provider: 'openai', apiKey: secret, baseUrl: 'nonsense' }, 'baseUrl'],
    [{ provider: 'openai', apiKey: secret, models: ['a b'] }, 'models'],
    [{ provider: 'openai', apiKey: secret, accountId: 'x' }, 'accountId'],
  ])('that is wrong is refused with field and rule: %j', async (body, field) => {
    const answer = await call(await server.signUp(), 'POST', '', body)
    expect([answer.status, answer.body.code]).toEqual([400, 'VALIDATION_ERROR'])
    expect(answer.body.details.map((detail: { field: string }) => detail.field).join()).toContain(field)
  })

  test('is changed field by field, and rotated in place', async () => {
    const person = await server.signUp()
    const key = await add(person)
    const renamed = await call(person, 'PATCH', `/${key.id}`, { name: ' Home ', fallbackToCredits: true })
    expect(renamed.body.data.key).toMatchObject({ name: 'Home', fallbackToCredits: true, isActive: true })
    const rotated = await call(person, 'PATCH', `/${key.id}`, { apiKey: `${secret}-9999` })
    expect(rotated.body.data.key).toMatchObject({ id: key.id, name: 'Home', lastFour: '9999' })
    expect(rotated.body.data.key.fingerprint).not.toBe(key.fingerprint)
    await provider.clear()
    expect((await call(person, 'POST', `/${key.id}/test`)).body.data.verdict).toBe('works')
    expect((await provider.requests())[0]?.auth?.fingerprint).toBe(keyFingerprint(`${secret}-9999`))
    for (const [body, field] of [
      [{}, ''],
      [{ provider: 'gemini' }, 'provider'],
      [{ apiKey: 'short' }, 'apiKey'],
      [{ isActive: 'perhaps' }, 'isActive'],
    ] as const) {
      const answer = await call(person, 'PATCH', `/${key.id}`, body)
      expect([body, answer.status]).toEqual([body, 400])
      expect(answer.text).toContain(field)
    }
  })

  test('that is kept cannot be led elsewhere without entering it again', async () => {
    const person = await server.signUp()
    const key = await add(person)
    const elsewhere = { baseUrl: `${provider.url}/elsewhere/v1` }
    const stolen = await call(person, 'PATCH', `/${key.id}`, elsewhere)
    expect([stolen.status, stolen.body.details[0].field]).toEqual([400, 'apiKey'])
    const moved = await call(person, 'PATCH', `/${key.id}`, { ...elsewhere, apiKey: `${secret}-new` })
    expect(moved.body.data.key.baseUrl).toBe(elsewhere.baseUrl)
    expect((await call(person, 'PATCH', `/${key.id}`, { baseUrl: null })).status).toBe(400)
    expect((await call(person, 'PATCH', `/${key.id}`, { ...elsewhere, name: 'same' })).status).toBe(200)
  })

  test('of somebody else is absent, and so is one that never was, with the same body (Z04)', async () => {
    const [ann, bob] = await Promise.all([server.signUp(), server.signUp()])
    const key = await add(ann)
    const absent = '01234567-89ab-7def-8123-456789abcdef'
    const asked = [
      ['GET', '', undefined],
      ['PATCH', '', { name: 'mine now' }],
      ['DELETE', '', undefined],
      ['POST', '/test', {}],
      ['GET', '/usage', undefined],
    ] as const
    for (const [method, path, body] of asked) {
      const texts = new Set<string>()
      for (const id of [key.id, absent, '1', '500', 'x'.repeat(150)]) {
        const answer = await call(bob, method, `/${id}${path}`, body)
        expect([method, id, answer.status]).toEqual([method, id, 404])
        texts.add(JSON.stringify({ ...answer.body, path: undefined }))
      }
      expect([method, path, texts.size]).toEqual([method, path, 1])
    }
    expect((await call(ann, 'GET', `/${key.id}`)).body.data.key).toEqual(key)
    expect((await call(bob, 'GET', '')).body.data.keys).toEqual([])
    expect((await server.call('GET', '/api/v1/keys')).status).toBe(401)
  })

  test('is in the security log, without the key', async () => {
    const person = await server.signUp()
    const key = await add(person)
    await call(person, 'PATCH', `/${key.id}`, { apiKey: `${secret}-2`, name: 'x' })
    await call(person, 'DELETE', `/${key.id}`)
    const { body, text } = await server.call('GET', '/api/v1/me/security-events', { token: person.token })
    const kinds = body.data.events.map((event: { kind: string }) => event.kind)
    expect(kinds.slice(0, 3)).toEqual(['provider-key-removed', 'provider-key-changed', 'provider-key-added'])
    expect(body.data.events[1].detail).toMatchObject({ keyId: key.id, changed: ['apiKey', 'name'] })
    expect(text).not.toContain(secret)
  })
})

describe('active keys', () => {
  test('are at most one of each provider', async () => {
    const person = await server.signUp()
    const first = await add(person, { name: 'first' })
    await add(person, { name: 'second' })
    await add(person, { name: 'other', provider: 'gemini' })
    await add(person, { name: 'idle', isActive: false })
    expect((await activeOf(person)).sort()).toEqual(['other', 'second'])
    await call(person, 'PATCH', `/${first.id}`, { isActive: true })
    expect((await activeOf(person)).sort()).toEqual(['first', 'other'])
    await call(person, 'PATCH', `/${first.id}`, { isActive: false })
    expect(await activeOf(person)).toEqual(['other'])
  })

  test('stay one when many are activated, added, rotated and removed at once', async () => {
    const person = await server.signUp()
    const keys: { id: string }[] = []
    for (const name of ['a', 'b', 'c', 'd', 'e'])
      keys.push(await add(person, { name, isActive: name === 'a' }))
    const work = Array.from({ length: 40 }, (_, index) => {
      const key = keys[index % keys.length]
      if (index === 7) return call(person, 'DELETE', `/${keys[4]?.id}`)
      if (index % 9 === 0) return call(person, 'PATCH', `/${key?.id}`, { apiKey: `${secret}-${index}` })
      if (index % 10 === 3) return call(person, 'POST', '', { provider: 'openai', apiKey: secret })
      return call(person, 'PATCH', `/${key?.id}`, { isActive: index % 7 !== 0 })
    })
    const statuses = new Set((await Promise.all(work)).map(answer => answer.status))
    for (const status of statuses) expect([200, 201, 404]).toContain(status)
    expect((await activeOf(person)).length).toBeLessThanOrEqual(1)
    await call(person, 'PATCH', `/${keys[2]?.id}`, { isActive: true })
    expect(await activeOf(person)).toEqual(['c'])
  })
})

describe('the models that are listed', () => {
  test('include those of the active keys, and say who pays', async () => {
    const [person, other] = await Promise.all([server.signUp(), server.signUp()])
    const models = async ({ token }: Person) => {
      const { body } = await server.call('GET', '/api/v1/models', { token })
      return new Map<string, string>(
        body.data.models.map((model: { id: string; payer: string }) => [model.id, model.payer]),
      )
    }
    const before = await models(person)
    expect([...before.values()]).not.toContain('key')
    const key = await add(person, { provider: 'perplexity' })
    await add(person)
    await add(person, { provider: 'custom', baseUrl: `${provider.url}/own/v1`, models: ['llama3.2'] })
    const after = await models(person)
    expect(after.get('perplexity/sonar')).toBe('key')
    expect(after.get('custom/llama3.2')).toBe('key')
    expect(after.get('openai/gpt-4o-mini')).toBe('key')
    expect(after.get('sandbox/sandbox')).toBe('credits')
    expect(await models(other)).toEqual(before)
    await call(person, 'PATCH', `/${key.id}`, { isActive: false })
    expect((await models(person)).has('perplexity/sonar')).toBe(false)
  })
})

describe('adding keys', () => {
  test('is limited to ten an hour for an account; refused ones do not count', async () => {
    const [person, other] = await Promise.all([server.signUp(), server.signUp()])
    for (let count = 0; count < 3; count++)
      expect((await call(person, 'POST', '', { provider: 'openai' })).status).toBe(400)
    for (let count = 0; count < 8; count++) await add(person)
    const last = await Promise.all(
      Array.from({ length: 6 }, () => call(person, 'POST', '', { provider: 'openai', apiKey: secret })),
    )
    expect(last.map(answer => answer.status).sort()).toEqual([201, 201, 429, 429, 429, 429])
    const refused = last.find(answer => answer.status === 429)
    expect(refused?.body).toMatchObject({ code: 'TOO_MANY_REQUESTS' })
    expect(refused?.body.retryAfter).toBeGreaterThan(3000)
    expect((await call(person, 'GET', '')).body.data.keys).toHaveLength(10)
    await add(other)
  })
})

describe('testing a key', () => {
  test.each([
    ['ok', 'works'],
    ['key-refused', 'refused'],
    ['out-of-credit', 'out-of-credit'],
    ['rate-limited', 'limited'],
    ['unavailable', 'unreachable'],
    ['cut-rst-first', 'unreachable'],
    ['wrong-type', 'unexpected'],
    ['redirect', 'unexpected'],
    ['bad-request', 'works'],
  ])('where the provider plays %s says %s, in our words', async (script, verdict) => {
    const person = await server.signUp()
    const key = await add(person)
    await provider.clear()
    await provider.script(script)
    const { status, body } = await call(person, 'POST', `/${key.id}/test`)
    expect([status, body.data.verdict]).toEqual([200, verdict])
    expect(body.data.message).not.toMatch(/no such key|add credits|slow down|overloaded|127\.0\.0\.1|HTTP/)
    expect((await provider.requests())[0]?.auth?.fingerprint).toBe(keyFingerprint(secret))
  })

  test('of a server of its own asks for its models, and keeps them', async () => {
    const person = await server.signUp()
    const baseUrl = `${provider.url}/own/v1`
    const body = { provider: 'custom', name: 'Llama', baseUrl }
    const added = await call(person, 'POST', '', body)
    expect([added.status, added.body.data?.key.models]).toEqual([201, []])
    const { id } = added.body.data.key
    await provider.clear()
    expect((await call(person, 'POST', `/${id}/test`)).body.data).toMatchObject({
      verdict: 'works',
      models: ['ok', 'drip'],
    })
    const [asked] = await provider.requests()
    expect(asked).toMatchObject({ path: '/own/v1/chat/completions', model: 'ok', auth: null })
    expect((await call(person, 'GET', `/${id}`)).body.data.key.models).toEqual(['ok', 'drip'])
    expect((await call(person, 'POST', `/${id}/test`, { model: 'out-of-credit' })).body.data.verdict).toBe(
      'out-of-credit',
    )
  })

  test('where nobody listens says so', async () => {
    const person = await server.signUp()
    const key = await add(person, { provider: 'custom', baseUrl: 'http://127.0.0.1:9999/v1' })
    const { data } = (await call(person, 'POST', `/${key.id}/test`)).body
    expect(data.verdict).toBe('unreachable')
    expect(data.message).not.toMatch(/ECONN|127\.0\.0\.1/)
  })
})

describe('at rest', () => {
  test('nothing of a key is readable, in any table', async () => {
    const person = await server.signUp()
    const key = await add(person)
    const { rows: tables } = await sql<{ name: string }>`
      select table_schema || '.' || table_name as name from information_schema.tables
      where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`.execute(
      server.app.db,
    )
    for (const { name } of tables) {
      const { rows } = await sql`select 1 from ${sql.table(name)} as t
        where position(${secret} in t::text) > 0 or position(${Buffer.from(secret).toString('hex')} in t::text) > 0
        limit 1`.execute(server.app.db)
      expect([name, rows.length]).toEqual([name, 0])
    }
    expect((await server.app.keys.open(key.id, person.accountId))?.apiKey).toBe(secret)
  })

  test('a ciphertext is bound to its row and its owner: swapped, neither opens (L09)', async () => {
    const [ann, bob] = await Promise.all([server.signUp(), server.signUp()])
    const [one, two] = [await add(ann), await add(bob, { apiKey: `${secret}-bob` })]
    const { db } = server.app
    const read = async (id: string) =>
      db.selectFrom('provider_keys').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    const [left, right] = [await read(one.id), await read(two.id)]
    const write = (id: string, from: typeof left, columns: readonly ('sealed_key' | 'sealed_data_key')[]) =>
      db
        .updateTable('provider_keys')
        .set(Object.fromEntries(columns.map(column => [column, from[column]])))
        .where('id', '=', id)
        .execute()
    for (const columns of [['sealed_key'], ['sealed_data_key'], ['sealed_key', 'sealed_data_key']] as const) {
      await write(one.id, right, columns)
      await write(two.id, left, columns)
      for (const [id, person] of [
        [one.id, ann],
        [two.id, bob],
      ] as const) {
        await expect(server.app.keys.open(id, person.accountId)).rejects.toMatchObject({
          code: 'KEY_UNREADABLE',
        })
        expect((await call(person, 'POST', `/${id}/test`)).status).toBe(409)
      }
      await write(one.id, left, ['sealed_key', 'sealed_data_key'])
      await write(two.id, right, ['sealed_key', 'sealed_data_key'])
    }
    // The whole row under another owner does not open either.
    await db
      .updateTable('provider_keys')
      .set({ account_id: bob.accountId, is_active: false })
      .where('id', '=', one.id)
      .execute()
    await expect(server.app.keys.open(one.id, bob.accountId)).rejects.toMatchObject({
      code: 'KEY_UNREADABLE',
    })
    expect((await server.app.keys.open(two.id, bob.accountId))?.apiKey).toBe(`${secret}-bob`)
  })

  test('an account that is erased takes its keys with it', async () => {
    const person = await server.signUp()
    const key = await add(person)
    await server.app.keys.noteUse(key.id, { inputTokens: 1, outputTokens: 1, error: null })
    await server.app.accounts.erase(person.accountId)
    for (const table of ['provider_keys', 'provider_key_usage'] as const) {
      const rows = await server.app.db
        .selectFrom(table)
        .selectAll()
        .where('account_id', '=', person.accountId)
        .execute()
      expect([table, rows]).toEqual([table, []])
    }
  })
})

describe('base URLs that accounts enter (L07)', () => {
  let guarded: TestApp
  let canary: Canary

  beforeAll(async () => {
    guarded = await startApp()
    canary = await openCanary()
  })
  afterAll(async () => {
    await guarded?.[Symbol.asyncDispose]()
    await canary?.[Symbol.asyncDispose]()
  })

  test('never lead inside: not when added, not when changed, not when used', async () => {
    const { token, accountId } = await guarded.signUp()
    const ask = (method: string, path: string, body: object) =>
      guarded.call(method, `/api/v1/keys${path}`, { token, body })
    const kept = await ask('POST', '', { provider: 'openai', apiKey: secret })
    const { id } = kept.body.data.key
    const texts = new Set<string>()
    for (const baseUrl of insideUrls(canary.port)) {
      const added = await ask('POST', '', { provider: 'custom', apiKey: secret, baseUrl })
      const changed = await ask('PATCH', `/${id}`, { apiKey: secret, baseUrl })
      expect([baseUrl, added.status, changed.status]).toEqual([baseUrl, 400, 400])
      if (baseUrl.length > 300) continue
      for (const answer of [added, changed]) texts.add(JSON.stringify(answer.body.errors))
    }
    expect([...texts]).toEqual(['["baseUrl must be the https address of a model provider on the internet"]'])
    // One that got in otherwise, such as by a name that leads elsewhere now, is stopped when it is used.
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '2130706433']) {
      const base_url = `https://${host}:${canary.port}/v1`
      await guarded.app.db
        .updateTable('provider_keys')
        .set({ base_url })
        .where('account_id', '=', accountId)
        .execute()
      const tried = await ask('POST', `/${id}/test`, {})
      expect(tried.body.data).toMatchObject({ verdict: 'unreachable' })
    }
    await sleep(20)
    expect(canary.hits()).toBe(0)
  })
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startProvider } from '../provider/index.ts'
import { startApp, type TestApp } from '../support/app.ts'

let app: TestApp
let provider: Awaited<ReturnType<typeof startProvider>>

const credit = 1_000_000

beforeAll(async () => {
  provider = await startProvider()
  app = await startApp({
    OPENAI_BASE_URL: provider.baseUrls.openai,
    OPENAI_API_KEY: 'a-key-of-nobody',
    ALLOW_ANY_MODEL: 'true',
    SIGNUP_CREDITS: '20',
    BASIC_DAILY_MESSAGE_LIMIT: '5',
  })
})

afterAll(async () => {
  await app[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})

interface Asked {
  message?: string
  model?: string
  maxOutputTokens?: number
  stream?: boolean
  background?: boolean
}

function ask(token: string, asked: Asked = {}, headers: Record<string, string> = {}) {
  const body = { message: 'Hello', model: 'openai/ok', maxOutputTokens: 100, stream: false, ...asked }
  return app.call('POST', '/api/v1/generations', { token, body, headers })
}

const entitlementsOf = async (token: string) =>
  (await app.call('GET', '/api/v1/entitlements', { token })).body.data.entitlements

async function ledgerOf(accountId: string) {
  const { rows } = await app.app.db.executeQuery<{ kind: string; amount: number; balance: number }>({
    ...(await import('kysely')).CompiledQuery.raw(
      'select kind, amount_micro_credits as amount, balance_micro_credits as balance from ledger_entries where account_id = $1 order by seq',
      [accountId],
    ),
  })
  return rows
}

test('a new account is given its credits once, and may ask', async () => {
  const { token, accountId } = await app.signUp()
  expect(await entitlementsOf(token)).toMatchObject({
    plan: 'basic',
    payer: 'credits',
    canSend: true,
    reason: null,
    credits: { balanceMicroCredits: 20 * credit, heldMicroCredits: 0 },
    messages: { limit: 5, used: 0, remaining: 5 },
  })
  expect(await ledgerOf(accountId)).toEqual([{ kind: 'grant', amount: 20 * credit, balance: 20 * credit }])
})

test('an answer holds its highest price, and costs what it used', async () => {
  const { token, accountId } = await app.signUp()
  const answer = await ask(token)
  expect(answer.status).toBe(200)
  const cost = answer.body.data.generation.costMicroCredits
  expect(cost).toBeGreaterThan(0)
  const [grant, hold, release, settle] = await ledgerOf(accountId)
  expect(grant?.kind).toBe('grant')
  expect(hold?.kind).toBe('hold')
  expect(-(hold?.amount ?? 0)).toBeGreaterThanOrEqual(cost)
  expect(release).toMatchObject({ kind: 'release', amount: -(hold?.amount ?? 0) })
  expect(settle).toEqual({ kind: 'settle', amount: -cost, balance: 20 * credit - cost })
  expect((await entitlementsOf(token)).messages).toMatchObject({ used: 1, remaining: 4 })
  const usage = await app.call('GET', '/api/v1/usage', { token })
  expect(usage.body.data.rows).toMatchObject([
    { model: 'openai/ok', kind: 'chat', payer: 'credits', runs: 1, failures: 0, costMicroCredits: cost },
  ])
})

test('a failure costs nothing and gives its message back', async () => {
  const { token, accountId } = await app.signUp()
  const answer = await ask(token, { model: 'openai/bad-request' })
  expect(answer.status).toBeGreaterThanOrEqual(400)
  expect((await ledgerOf(accountId)).map(entry => entry.kind)).toEqual(['grant', 'hold', 'release'])
  expect(await entitlementsOf(token)).toMatchObject({
    credits: { balanceMicroCredits: 20 * credit, heldMicroCredits: 0 },
    messages: { used: 0 },
  })
})

test('the fifth message of the day is the last one, however many come together', async () => {
  const { token } = await app.signUp()
  for (let sent = 0; sent < 4; sent++) expect((await ask(token)).status).toBe(200)
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(token)))
  expect(answers.filter(answer => answer.status === 200)).toHaveLength(1)
  const refused = answers.find(answer => answer.status !== 200)
  expect(refused).toMatchObject({
    status: 429,
    body: {
      code: 'DAILY_LIMIT_REACHED',
      entitlements: { canSend: false, reason: { code: 'DAILY_LIMIT_REACHED' }, messages: { remaining: 0 } },
    },
  })
  expect(refused?.body.message).toContain('5 messages a day')
  expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0)
})

test('what is refused for other reasons uses no message and holds nothing', async () => {
  const { token, accountId } = await app.signUp()
  const refusals = await Promise.all([
    ask(token, { message: ' ' }),
    ask(token, { model: 'nobody/nothing at all' }),
    app.call('POST', '/api/v1/generations', {
      token,
      body: { message: 'Hello', conversationId: '01936b2e-8f6a-7c3d-9f7e-2a4b6c8d0e1f' },
    }),
  ])
  expect(refusals.map(answer => answer.status)).toEqual([400, 400, 404])
  expect((await entitlementsOf(token)).messages.used).toBe(0)
  expect(await ledgerOf(accountId)).toHaveLength(1)
})

test('an account without credits is told what it lacks, on every wire that submits', async () => {
  const { token, accountId } = await app.signUp()
  const admin = await app.signUp()
  await app.app.accounts.setRole(admin.email, 'admin')
  const take = await app.call('POST', `/api/v1/admin/accounts/${accountId}/credits`, {
    token: admin.token,
    body: { amountMicroCredits: -20 * credit, reason: 'For a test', reference: 'test-1' },
  })
  expect(take).toMatchObject({ status: 200, body: { data: { balanceMicroCredits: 0 } } })
  for (const background of [false, true]) {
    expect(await ask(token, { background })).toMatchObject({
      status: 402,
      body: {
        code: 'INSUFFICIENT_CREDITS',
        entitlements: { canSend: false, credits: { balanceMicroCredits: 0 } },
      },
    })
  }
  const again = await app.call('POST', `/api/v1/admin/accounts/${accountId}/credits`, {
    token: admin.token,
    body: { amountMicroCredits: -20 * credit, reason: 'For a test', reference: 'test-1' },
  })
  expect(again).toMatchObject({ status: 409, body: { code: 'ALREADY_ENTERED' } })
  const own = await app.call('POST', `/api/v1/admin/accounts/${accountId}/credits`, {
    token,
    body: { amountMicroCredits: credit, reason: 'For myself' },
  })
  expect(own.status).toBe(403)
  const seen = await app.call('GET', `/api/v1/admin/accounts/${accountId}/credits?kind=adjustment`, {
    token: admin.token,
  })
  expect(seen.body.data).toMatchObject({
    balanceMicroCredits: 0,
    entries: [{ kind: 'adjustment', amountMicroCredits: -20 * credit, note: 'For a test' }],
  })
  expect((await app.call('GET', `/api/v1/admin/accounts/${accountId}/credits`, { token })).status).toBe(403)
  const events = await app.call('GET', `/api/v1/admin/security-events?accountId=${accountId}`, {
    token: admin.token,
  })
  expect(events.body.data.events.map((event: { kind: string }) => event.kind)).toContain('credits-adjusted')
})

test('usage names the rule that its span breaks', async () => {
  const { token } = await app.signUp()
  for (const query of ['from=2026-02-01&to=2026-01-01', 'from=2020-01-01&to=2026-01-01', 'from=yesterday']) {
    const answer = await app.call('GET', `/api/v1/usage?${query}`, { token })
    expect(answer.status, query).toBe(400)
    expect(answer.body.details[0].field).toBe('from')
  }
})

test('the same key again and again, while its answer ends, is never in its way', async () => {
  for (let round = 0; round < 20; round++) {
    const { token } = await app.signUp()
    const headers = { 'idempotency-key': 'once more' }
    const asking = Array.from({ length: 10 }, () => ask(token, { stream: false }, headers))
    const answers = await Promise.all(asking)
    expect(answers.map(answer => answer.status)).toEqual(answers.map(() => 200))
    expect(new Set(answers.map(answer => answer.body.data.generation.id)).size).toBe(1)
    const { id } = answers[0]?.body.data.generation ?? {}
    const again = Array.from({ length: 5 }, () =>
      app.call('POST', `/api/v1/generations/${id}/regenerate`, {
        token,
        headers: { 'idempotency-key': 'anew' },
        body: { stream: false },
      }),
    )
    const others = await Promise.all(again)
    expect(others.map(answer => answer.status)).toEqual(others.map(() => 200))
    expect(new Set(others.map(answer => answer.body.data.generation.id)).size).toBe(1)
  }
})

test('one key is one message and one charge, however often it comes; another body is refused', async () => {
  const { token, accountId } = await app.signUp()
  const headers = { 'idempotency-key': 'the same wish' }
  const answers = await Promise.all(Array.from({ length: 10 }, () => ask(token, {}, headers)))
  expect(new Set(answers.map(answer => answer.status))).toEqual(new Set([200]))
  expect(new Set(answers.map(answer => answer.body.data.generation.id)).size).toBe(1)
  expect((await ledgerOf(accountId)).map(entry => entry.kind)).toEqual(['grant', 'hold', 'release', 'settle'])
  expect((await entitlementsOf(token)).messages.used).toBe(1)
  expect((await ask(token, { message: 'Another' }, headers)).status).toBe(422)
  expect((await ask(token, {}, { 'idempotency-key': 'x'.repeat(256) })).status).toBe(400)
  const stranger = await app.signUp()
  const other = await ask(stranger.token, {}, headers)
  expect(other.body.data.generation.id).not.toBe(answers[0]?.body.data.generation.id)
})

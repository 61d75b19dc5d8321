import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ScriptedProvider, startProvider } from '../provider/index.ts'
import { startApp, type TestApp } from '../support/app.ts'

let server: TestApp
let provider: ScriptedProvider

beforeAll(async () => {
  provider = await startProvider()
  server = await startApp({
    OPENAI_BASE_URL: provider.baseUrls.openai,
    OPENAI_API_KEY: 'a-key-of-nobody',
    ALLOW_ANY_MODEL: 'true',
    SIGNUP_CREDITS: '20',
  })
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await provider?.[Symbol.asyncDispose]()
})

const credit = 1_000_000
const numbers = [
  '-1',
  '0',
  '0.1',
  '1e309',
  '-1e309',
  '"1e3"',
  '"-5"',
  'null',
  '[]',
  '{}',
  'true',
  '9007199254740993',
]

test('M10: no number that a caller sends raises a balance, on any path', async () => {
  const { token, accountId } = await server.signUp()
  const balance = () => server.app.buying.balance(accountId)
  const accepted: string[] = []
  const paths: [string, (number: string) => string][] = [
    ['/api/v1/billing/checkout', number => `{"packageId":${number}}`],
    ['/api/v1/billing/checkout', number => `{"plan":${number}}`],
    ['/api/v1/billing/checkout', number => `{"packageId":"small","amountCents":${number}}`],
    ['/api/credits/purchase', number => `{"packageId":${number}}`],
    ['/api/credits/purchase', number => `{"amount":${number}}`],
    ['/api/credits/purchase', number => `{"credits":${number}}`],
    ['/api/payments/create-order', number => `{"package":${number}}`],
    ['/api/payments/verify', number => `{"razorpayOrderId":${number}}`],
    ['/api/credits/add', number => `{"amount":${number}}`],
    ['/api/credits/deduct', number => `{"amount":${number},"operation":"chat"}`],
  ]
  for (const [path, bodyOf] of paths)
    for (const number of numbers) {
      const before = await balance()
      const answer = await server.call('POST', path, { token, body: bodyOf(number) })
      expect([path, number, answer.status < 500]).toEqual([path, number, true])
      const after = await balance()
      if (answer.status < 300) accepted.push(`${path} ${bodyOf(number)}: ${after - before}`)
      else expect([path, number, after]).toEqual([path, number, before])
    }
  // What is deducted costs what the catalogue says, whatever amount is sent along; everything else is refused.
  expect(accepted.filter(line => !/^\/api\/credits\/deduct .*: -1000000$/.test(line))).toEqual([])
})

test('M10: price, credits and currency beside a package change nothing about it', async () => {
  const { token, accountId } = await server.signUp()
  const body = {
    packageId: 'small',
    price: 0.01,
    credits: 1_000_000,
    amount: 1,
    currency: 'XXX',
    amountCents: 1,
  }
  const answer = await server.call('POST', '/api/credits/purchase', { token, body })
  const { payments } = (await server.call('GET', '/api/v1/billing/payments', { token })).body.data
  if (answer.status === 200)
    expect(payments).toMatchObject([{ item: 'small', amountCents: 500, currency: 'usd', credits: 500 }])
  else expect(payments).toEqual([])
  const paid = payments.length > 0 ? 500 : 0
  expect(await server.app.buying.balance(accountId)).toBe((20 + paid) * credit)
})

test.each([
  ['below zero', { input: -5, output: -5 }],
  ['below zero and cached', { input: -1_000_000, output: -1_000_000, cached: -1_000_000 }],
  ['no whole numbers', { input: 0.5, output: 1.5 }],
  ['beyond all numbers', { input: 1e300, output: 1e300 }],
  ['more than was asked for', { input: 1e9, output: 1e9 }],
])('M10: a provider that counts %s neither gives credits nor takes more than was held', async (_, usage) => {
  const { token, accountId } = await server.signUp()
  await provider.script({ text: 'one two three', usage })
  const body = { message: 'Hello', model: 'openai/any', stream: false, maxOutputTokens: 100 }
  const answer = await server.call('POST', '/api/v1/generations', { token, body })
  expect(answer.status).toBe(200)
  const entries = await server.app.db
    .selectFrom('ledger_entries')
    .select(['kind', 'amount_micro_credits as amount', 'balance_micro_credits as balance'])
    .where('account_id', '=', accountId)
    .orderBy('seq')
    .execute()
  const amountOf = (kind: string) => entries.find(entry => entry.kind === kind)?.amount ?? 0
  const cost = answer.body.data.generation.costMicroCredits
  expect(Number.isSafeInteger(cost)).toBe(true)
  expect(cost).toBeGreaterThanOrEqual(0)
  expect(-amountOf('settle')).toBe(cost === 0 ? -0 : cost)
  expect(cost).toBeLessThanOrEqual(-amountOf('hold'))
  expect(amountOf('release')).toBe(-amountOf('hold'))
  expect(await server.app.buying.balance(accountId)).toBe(20 * credit - cost)
  const { usage: shown } = answer.body.data.generation
  expect(Math.min(shown.inputTokens, shown.outputTokens, shown.cachedInputTokens)).toBeGreaterThanOrEqual(0)
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'

// The published README from top to bottom, with its own bodies, by Bearer tokens as its curl calls send them.
let server: TestApp
beforeAll(async () => {
  server = await startApp({ OTP_ECHO: 'true', SIGNUP_CREDITS: '20' })
})
afterAll(() => server[Symbol.asyncDispose]())

test("the README's journey: register, own keys, credits, plans, refresh, out", async () => {
  const person = { email: 'user@example.com', password: 'SecurePass123!', name: 'John Doe' }
  const started = await server.call('POST', '/api/auth/register', { body: person })
  expect(started).toMatchObject({ status: 201, body: { success: true, requiresVerification: true } })
  const proof = { email: person.email, otp: started.body.otp }
  expect((await server.call('POST', '/api/auth/verify-otp', { body: proof })).body.verified).toBe(true)
  const { email, password } = person
  const entered = await server.call('POST', '/api/auth/login', { body: { email, password } })
  expect(entered.body).toMatchObject({
    success: true,
    accessToken: expect.any(String),
    refreshToken: expect.any(String),
    user: { email, name: 'John Doe', planType: 'basic', creditsRemaining: 20 },
  })
  const token = entered.body.accessToken
  const call = async (method: string, path: string, body?: unknown) =>
    (await server.call(method, path, { token, ...(body === undefined ? {} : { body }) })).body
  expect(await call('GET', '/api/auth/verify-token')).toMatchObject({ valid: true, user: { email } })

  const given = { provider: 'openai', keyName: 'My OpenAI Key', apiKey: 'sk-a-key-of-nobody-1234' }
  const { key } = await call('POST', '/byok/key', given)
  expect(key).toMatchObject({ provider: 'openai', keyName: 'My OpenAI Key', isActive: true })
  const { keys } = await call('GET', '/byok/keys')
  expect(keys).toHaveLength(1)
  expect(JSON.stringify(keys)).not.toContain(given.apiKey)
  expect(keys[0].apiKey).toMatch(/1234$/)
  expect(await call('PUT', `/byok/key/${key.id}`, { keyName: 'Renamed' })).toMatchObject({
    success: true,
    key: { keyName: 'Renamed' },
  })
  expect(await call('DELETE', `/byok/key/${key.id}`)).toMatchObject({ success: true })
  expect((await call('GET', '/api/byok/keys')).keys).toEqual([])

  for (const path of ['/api/credits', '/api/credits/balance']) {
    expect(await call('GET', path)).toMatchObject({ balance: 20, creditsRemaining: 20, scope: 'personal' })
  }
  const spent = { operation: 'text-generation', cost: 5, description: 'A text' }
  expect(await call('POST', '/api/credits/deduct', spent)).toMatchObject({
    creditsDeducted: 5,
    creditsRemaining: 15,
    transactionId: (await call('GET', '/api/credits/history')).transactions[0].id,
  })
  const broke = await server.call('POST', '/api/credits/deduct', { token, body: { ...spent, cost: 16 } })
  expect(broke.body.code).toBe('INSUFFICIENT_CREDITS')
  const history = await call('GET', '/api/credits/history?page=1&limit=20')
  expect(history.transactions.map((one: { creditsAmount: number }) => Math.abs(one.creditsAmount))).toEqual([
    5, 20,
  ])
  expect(history.pagination).toMatchObject({ page: 1, limit: 20, totalCount: 2, totalPages: 1 })

  for (const path of ['/api/plans', '/api/plans/limits', '/api/plans/current']) {
    expect((await call('GET', path)).currentPlan, path).toMatchObject({ type: 'basic', creditsRemaining: 15 })
  }
  const { refreshToken } = entered.body
  const renewed = await server.call('POST', '/api/auth/refresh', { body: { refreshToken } })
  expect(renewed.body).toMatchObject({ success: true, accessToken: expect.any(String), user: { email } })
  expect((await server.call('POST', '/api/auth/logout', { token })).status).toBe(200)
  expect((await server.call('GET', '/api/auth/me', { token })).status).toBe(401)
})

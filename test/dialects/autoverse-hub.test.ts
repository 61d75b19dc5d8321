import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { callFrom, openOtherOrigin, type PageCall } from './page.ts'

// The order of calls of the existing client, from a page of another origin, with cookies and the CSRF token alone.
let client: Awaited<ReturnType<typeof openOtherOrigin>>
let server: TestApp
beforeAll(async () => {
  client = await openOtherOrigin()
  server = await startApp({ OTP_ECHO: 'true', CORS_ORIGINS: client.origin, SIGNUP_CREDITS: '20' })
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await client?.[Symbol.asyncDispose]()
})

const email = 'hub@example.com'
const password = 'SecurePass123!'

test.skipIf(!inject('machine').chromium)(
  'the client of Autoverse Hub works from another origin',
  async () => {
    await using browser = await client.open()
    const { page } = browser
    let csrfToken = ''
    const call = (path: string, options: PageCall = {}) =>
      callFrom(page, server.url, path, { ...options, headers: { 'X-CSRF-Token': csrfToken } })
    const post = (path: string, body: unknown) => call(path, { method: 'POST', body })
    const freshToken = async () => {
      csrfToken = (await call('/api/csrf-token')).body.csrfToken
    }

    await freshToken()
    const sent = await post('/api/auth/send-otp', { email, purpose: 'account-verification' })
    expect(typeof sent.body.message).toBe('string')
    const asked = { email, otp: sent.body.otp, purpose: 'account-verification' }
    const proven = (await post('/api/auth/verify-otp', asked)).body
    expect(proven.token).toBe(proven.verificationToken)
    const made = await post('/api/auth/register', {
      email,
      password,
      name: 'John Doe',
      verificationToken: proven.verificationToken,
    })
    expect(made.body.user).toBeTruthy()
    expect(await page.evaluate('document.cookie')).toBe('')
    const me = (await call('/api/auth/me')).body
    expect(me.success).toBe(true)
    expect(me.user).toMatchObject({ email, name: 'John Doe', planType: 'basic', plan_type: 'basic' })
    expect((await call('/api/auth/verify-token')).body.valid).toBe(true)

    const unproven = await post('/api/byok/preference', { preference: 'platform' })
    expect([unproven.status, unproven.body.error]).toEqual([403, 'Invalid CSRF token'])
    await freshToken()

    const open = (await call('/api/byok/preference')).body
    expect(open).toMatchObject({
      api_key_preference: null,
      byok_locked_until: null,
      locked: false,
      creditTier: 'free',
    })
    const chosen = await post('/api/byok/preference', { preference: 'byok' })
    expect(chosen.body).toMatchObject({
      success: true,
      preference: 'byok',
      credits: expect.any(Number),
      byokLockedUntil: null,
    })
    const secret = 'sk-test-0123456789abcdef'
    const added = await post('/api/byok/key', {
      provider: 'openai',
      keyName: 'My OpenAI Key',
      apiKey: secret,
    })
    expect(added.status).toBe(200)
    const locked = (await call('/api/byok/preference')).body
    expect(locked).toMatchObject({ api_key_preference: 'byok', locked: true })
    const days = (Date.parse(locked.byok_locked_until) - Date.now()) / 86_400_000
    expect(Math.round(days)).toBe(90)
    const back = await post('/api/byok/preference', { preference: 'platform' })
    expect([back.status, back.body.code]).toEqual([400, 'PREFERENCE_LOCKED'])
    for (const path of ['/api/byok/keys', '/byok/keys']) {
      const answer = await call(path)
      expect(answer.body.keys[0]).toMatchObject({ provider: 'openai', keyName: 'My OpenAI Key' })
      expect(JSON.stringify(answer.body)).not.toContain(secret)
    }
    const keyId = added.body.key.id
    const renamed = await call(`/api/byok/key/${keyId}`, { method: 'PUT', body: { keyName: 'Renamed' } })
    expect(renamed.body.key.keyName).toBe('Renamed')
    expect((await call('/api/byok/key', { method: 'DELETE', body: { keyId } })).body.success).toBe(true)
    const gone = await call(`/byok/key/${keyId}`, { method: 'DELETE' })
    expect([gone.status, gone.body.error]).toEqual([404, 'Key not found'])

    const before = (await call('/api/credits/balance')).body
    expect(before).toMatchObject({ balance: before.creditsRemaining, scope: 'personal' })
    const { creditPackages } = (await call('/api/payments/packages')).body
    for (const { id, credits, price } of creditPackages)
      expect([typeof id, typeof credits, typeof price]).toEqual(['string', 'number', 'number'])
    const order = (
      await post('/api/payments/create-order', { type: 'credits', package: creditPackages[0].id })
    ).body
    expect(order).toMatchObject({ demo: true, orderId: expect.stringMatching(/^demo_order_/) })
    const paid = {
      razorpayOrderId: order.orderId,
      razorpayPaymentId: 'demo_payment',
      razorpaySignature: 'demo_signature',
    }
    const verified = await post('/api/payments/verify', paid)
    expect(verified.body).toMatchObject({ creditsAdded: creditPackages[0].credits, demo: true })
    const again = await post('/api/payments/verify', paid)
    expect(again.body.creditsRemaining).toBe(before.balance + creditPackages[0].credits)
    const bought = await post('/api/credits/purchase', { amount: 100 })
    expect(bought.body).toMatchObject({ success: true, creditsAdded: creditPackages[0].credits })
    const refused = await post('/api/credits/add', { amount: 1000 })
    expect(refused.status).toBe(403)
    const used = await post('/api/credits/deduct', { operation: 'chat', cost: 1 })
    expect(used.body.creditsRemaining).toBe(bought.body.creditsRemaining - 1)
    expect((await post('/api/credits/deduct', { operation: 'chat', cost: 1_000_000 })).status).toBe(402)
    expect((await post('/api/credits/deduct', { operation: 'chat', cost: -5 })).status).toBe(400)
    const { transactions, pagination } = (await call('/api/credits/history?page=1&limit=2')).body
    expect(transactions).toHaveLength(2)
    expect(transactions[0]).toMatchObject({
      type: 'usage',
      creditsAmount: -1,
      costInRupees: 0,
      createdAt: expect.any(String),
    })
    expect(pagination.totalCount).toBeGreaterThan(2)
    const purchases = (await call('/api/credits/history?type=purchase')).body.transactions
    expect(purchases.map((one: { type: string }) => one.type)).toEqual(['purchase', 'purchase'])
    const { currentPlan, limits } = (await call('/api/plans/limits')).body
    expect(currentPlan).toMatchObject({ type: 'basic', automationAccess: { active: false } })
    expect(limits).toMatchObject({
      totalSocialAccounts: expect.any(Number),
      profilesPerPlatform: expect.any(Number),
    })

    // The access cookie goes; the refresh cookie renews it within the next call.
    const context = page.context()
    await context.clearCookies({ name: 'accessToken' })
    expect((await call('/api/auth/me')).body.success).toBe(true)
    expect((await context.cookies()).some(one => one.name === 'accessToken' && one.httpOnly)).toBe(true)

    const wrong = await post('/api/auth/login', { email, password: 'Wrong-Pass1!' })
    expect([wrong.status, wrong.body.error]).toEqual([401, 'Invalid email or password'])
    expect((await post('/api/auth/logout', {})).status).toBe(200)
    expect((await call('/api/auth/me')).status).toBe(401)
  },
)

test('a page of an origin that is not allowed reads nothing', async () => {
  const answer = await server.call('GET', '/api/plans', { headers: { origin: 'https://evil.example' } })
  expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  const asked = await server.call('OPTIONS', '/api/auth/login', {
    headers: {
      origin: client.origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,x-csrf-token,x-agency-token',
    },
  })
  expect(asked.headers.get('access-control-allow-origin')).toBe(client.origin)
  expect(asked.headers.get('access-control-allow-credentials')).toBe('true')
  const polling = await server.call('GET', '/socket.io/?EIO=4&transport=polling', {
    headers: { origin: client.origin },
  })
  expect(polling.headers.get('access-control-allow-origin')).toBe(client.origin)
  const foreign = await server.call('GET', '/socket.io/?EIO=4&transport=polling', {
    headers: { origin: 'https://evil.example' },
  })
  expect(foreign.headers.get('access-control-allow-origin')).toBeNull()
})

test('the root, its health and what is not there answer clients of every published API', async () => {
  for (const accept of ['application/json', '*/*']) {
    const root = await server.call('GET', '/', { headers: { accept } })
    expect(root.body).toEqual({ status: 'OK' })
  }
  const page = await server.call('GET', '/', { headers: { accept: 'text/html' } })
  expect(page.headers.get('content-type')).toContain('text/html')
  for (const path of ['/health', '/api/health'])
    expect((await server.call('GET', path)).body).toMatchObject({
      status: 'ok',
      timestamp: expect.any(String),
      version: expect.any(String),
    })
  expect((await server.call('GET', '/health/ready')).status).toBe(200)
  const lost = await server.call('GET', '/api/nowhere?x=1')
  expect([lost.status, lost.body]).toEqual([
    404,
    expect.objectContaining({
      success: false,
      data: null,
      error: 'Route not found',
      message: 'Route not found',
      path: '/api/nowhere',
      code: 'NOT_FOUND',
      errors: ['Route not found'],
    }),
  ])
})

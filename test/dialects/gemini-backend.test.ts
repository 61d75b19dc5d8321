import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { callFrom, openOtherOrigin, type PageCall } from './page.ts'

// The published README's own calls, in its order.
let client: Awaited<ReturnType<typeof openOtherOrigin>>
let server: TestApp
let token: string
beforeAll(async () => {
  client = await openOtherOrigin()
  const settings = { OTP_ECHO: 'true', BASIC_DAILY_MESSAGE_LIMIT: '2', CORS_ORIGINS: client.origin }
  server = await startApp(settings)
  await server.app.work()
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await client?.[Symbol.asyncDispose]()
})

const mobile_number = '+1234567890'
const post = (path: string, body?: unknown) =>
  server.call('POST', path, {
    ...(body === undefined ? {} : { body }),
    ...(token === undefined ? {} : { token }),
  })
const get = (path: string) => server.call('GET', path, { token })

test('signs up by code, signs in, changes and resets its password', async () => {
  const sent = await post('/api/auth/send-signup-otp', { mobile_number })
  expect(sent.status).toBe(200)
  expect(sent.body).toMatchObject({ success: true, otp: expect.stringMatching(/^\d{6}$/), expires_in: 300 })
  const person = { mobile_number, otp: sent.body.otp, name: 'John Doe', password: 'password123' }
  const wrong = await post('/api/auth/verify-signup-otp', {
    ...person,
    otp: sent.body.otp === '000000' ? '111111' : '000000',
  })
  expect([wrong.status, wrong.body.message]).toEqual([400, 'Invalid OTP'])
  const made = await post('/api/auth/verify-signup-otp', person)
  expect(made.status).toBe(201)
  expect(made.body).toMatchObject({ token: expect.any(String), user: { mobile_number, name: 'John Doe' } })
  expect(made.body.user.subscription_tier).toBe('basic')
  const again = await post('/api/auth/send-signup-otp', { mobile_number })
  expect([again.status, again.body.message]).toEqual([400, 'Mobile number already registered'])
  const none = await post('/api/auth/verify-signup-otp', {})
  expect(none.status).toBe(400)
  expect(none.body).toMatchObject({
    success: false,
    message: 'Validation error',
    errors: ['"mobile_number" is required'],
  })

  const login = await post('/api/auth/login', { mobile_number, password: 'password123' })
  expect(login.body).toMatchObject({ success: true, message: 'Login successful', user: { mobile_number } })
  token = login.body.token
  const changed = await post('/api/auth/change-password', {
    current_password: 'password123',
    new_password: 'newpassword123',
  })
  expect(changed.body).toMatchObject({ success: true, message: 'Password updated successfully' })
  const bad = await post('/api/auth/change-password', { current_password: 'x', new_password: 'newpassword1' })
  expect([bad.status, bad.body.message]).toEqual([400, 'Current password is incorrect'])
  const forgot = await post('/api/auth/forgot-password', { mobile_number })
  const reset = await post('/api/auth/reset-password', {
    mobile_number,
    otp: forgot.body.otp,
    new_password: 'password123',
  })
  expect(reset.body.success).toBe(true)
  expect((await get('/api/user/me')).status).toBe(401)
  token = (await post('/api/auth/login', { mobile_number, password: 'password123' })).body.token
})

test('has chatrooms whose messages are answered from the queue', async () => {
  const made = await post('/api/chatroom', { name: 'My First Chatroom', description: 'A test chatroom' })
  expect(made.status).toBe(201)
  const { chatroom } = made.body
  expect(chatroom).toMatchObject({ name: 'My First Chatroom', description: 'A test chatroom' })
  const sent = await post(`/api/chatroom/${chatroom.id}/message`, { content: 'Hello, how are you?' })
  expect(sent.status).toBe(201)
  expect(sent.body).toMatchObject({
    success: true,
    message: { content: 'Hello, how are you?', message_type: 'user', processing_status: 'pending' },
    queue_status: 'processing',
  })
  const { id } = sent.body.message
  const seen = new Set<string>()
  await expect
    .poll(
      async () => {
        const { message } = (await get(`/api/chatroom/message/${id}/status`)).body
        seen.add(message.processing_status)
        return message.processing_status
      },
      { timeout: 30_000 },
    )
    .toBe('completed')
  expect([...seen].every(status => ['pending', 'processing', 'completed'].includes(status))).toBe(true)
  const { body } = await get(`/api/chatroom/${chatroom.id}`)
  expect(body.messages.map((one: { message_type: string }) => one.message_type)).toEqual(['user', 'ai'])
  expect(body.messages[0].processing_status).toBe('completed')
  expect(body.messages[1].content.length).toBeGreaterThan(0)
  const list = (await get('/api/chatroom')).body
  expect(list.chatrooms[0]).toMatchObject({ id: chatroom.id, message_count: '2' })
  expect(typeof list.cached).toBe('boolean')
  expect((await get('/api/user/stats')).body.stats).toEqual({
    chatroom_count: 1,
    message_count: 2,
    ai_response_count: 1,
  })
})

test('knows the person, its day and the limit of it', async () => {
  const { body } = await get('/api/user/me')
  expect(body.usage).toEqual({ daily_messages_used: 1, daily_message_limit: 2, remaining_messages: 1 })
  const renamed = await server.call('PUT', '/api/user/me', {
    token,
    body: { name: 'Jane Doe', role: 'admin' },
  })
  expect(renamed.body.user.name).toBe('Jane Doe')
  const { chatroom } = (await post('/api/chatroom', { name: 'Another' })).body
  expect((await post(`/api/chatroom/${chatroom.id}/message`, { content: 'two' })).status).toBe(201)
  const third = await post(`/api/chatroom/${chatroom.id}/message`, { content: 'three' })
  expect(third.status).toBe(429)
  expect(third.body.message).toMatch(/2 messages a day/)
  expect(third.body.retryAfter).toBeGreaterThan(0)
  const removed = await server.call('DELETE', `/api/chatroom/${chatroom.id}`, { token })
  expect(removed.body.success).toBe(true)
  const gone = await get(`/api/chatroom/${chatroom.id}`)
  expect([gone.status, gone.body.message]).toEqual([404, 'Chatroom not found'])
})

test('sells the plan pro, and tells how payments and the queue are', async () => {
  expect((await get('/api/subscription/status')).body.subscription).toEqual({
    tier: 'basic',
    status: 'inactive',
    current_period_end: null,
  })
  const { plans } = (await server.call('GET', '/api/subscription/plans')).body
  expect(plans.map((plan: { id: string; price: number }) => [plan.id, plan.price])).toEqual([
    ['basic', 0],
    ['pro', 9.99],
  ])
  const checkout = await post('/api/subscription/pro')
  expect(checkout.status).toBe(200)
  expect(checkout.body).toMatchObject({
    session_id: expect.any(String),
    checkout_url: expect.stringMatching(/^http/),
  })
  const none = await post('/api/subscription/cancel')
  expect([none.status, none.body.message]).toEqual([404, 'No active subscription found'])
  const unsigned = await server.call('POST', '/api/webhook/stripe', { body: { type: 'x' } })
  expect(unsigned.status).toBe(400)
  const counts = (await server.call('GET', '/api/queue/status')).body
  expect(Object.keys(counts)).toEqual(
    expect.arrayContaining(['waiting', 'active', 'completed', 'failed', 'delayed']),
  )
  const trial = await server.call('GET', '/api/webhook/test')
  expect(trial.body.configuration.stripe_key_configured).toBe(false)
  expect(trial.text).not.toMatch(/whsec|sk_/)
})

test.skipIf(!inject('machine').chromium)('a page of another origin asks and reads the answer', async () => {
  await using browser = await client.open()
  const { page, problems } = browser
  let bearer: Record<string, string> = {}
  const call = (path: string, options: PageCall = {}) =>
    callFrom(page, server.url, path, { ...options, headers: bearer })
  const post = (path: string, body: unknown) => call(path, { method: 'POST', body })
  const number = { mobile_number: '+19876543210' }
  const { otp } = (await post('/api/auth/send-signup-otp', number)).body
  const made = await post('/api/auth/verify-signup-otp', {
    ...number,
    otp,
    name: 'Jane',
    password: 'password123',
  })
  bearer = { Authorization: `Bearer ${made.body.token}` }
  const { chatroom } = (await post('/api/chatroom', { name: 'From afar' })).body
  const sent = await post(`/api/chatroom/${chatroom.id}/message`, { content: 'Hello' })
  expect(sent.headers['x-ratelimit-limit']).toMatch(/^\d+$/)
  const { id } = sent.body.message
  await expect
    .poll(async () => (await call(`/api/chatroom/message/${id}/status`)).body.message.processing_status, {
      timeout: 30_000,
    })
    .toBe('completed')
  expect((await call(`/api/chatroom/${chatroom.id}`)).body.messages).toHaveLength(2)
  expect((await call(`/api/chatroom/${chatroom.id}`, { method: 'DELETE' })).body.success).toBe(true)
  expect(problems).toEqual([])
})

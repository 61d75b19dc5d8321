import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'

let server: TestApp
beforeAll(async () => {
  server = await startApp({ OTP_ECHO: 'true' })
})
afterAll(() => server[Symbol.asyncDispose]())

const post = (path: string, body: unknown, token?: string) =>
  server.call('POST', path, { body, ...(token === undefined ? {} : { token }) })
const get = (path: string, token: string) => server.call('GET', path, { token })

describe('AI Coding Agent', () => {
  test('registers, signs in and knows who it is', async () => {
    const body = { email: 'user@example.com', username: 'johndoe', password: 'password123' }
    const registered = await post('/api/auth/register', body)
    expect(registered.status).toBe(201)
    expect(registered.body).toMatchObject({ user: { email: body.email, username: 'johndoe' } })
    const { status, body: answer } = await post('/api/auth/login', {
      email: 'user@example.com',
      password: 'password123',
    })
    expect(status).toBe(200)
    expect(answer.message).toBe('Login successful')
    expect(answer.token).toBe(answer.accessToken)
    const me = await get('/api/auth/me', answer.token)
    expect(me.body).toMatchObject({
      success: true,
      valid: true,
      user: { credits: expect.any(Number), _count: { conversations: 0 } },
    })
    const again = await post('/api/auth/register', body)
    expect([again.status, again.body.code]).toEqual([409, 'USER_EXISTS'])
    const refused = await post('/api/auth/login', { email: body.email, password: 'wrong password' })
    expect(refused.status).toBe(401)
    expect(refused.body).toMatchObject({
      success: false,
      error: 'Invalid email or password',
      message: 'Invalid email or password',
      code: 'INVALID_CREDENTIALS',
      errors: ['Invalid email or password'],
    })
  })
})

describe('Secret Echo', () => {
  test('signs up, in and out in its envelope', async () => {
    const person = {
      email: 'test@example.com',
      password: 'password123',
      first_name: 'Test',
      last_name: 'User',
    }
    const { status, body } = await post('/api/v1/auth/signup', person)
    expect(status).toBe(200)
    expect(body).toEqual({
      success: true,
      errors: [],
      data: {
        user_pid: expect.stringMatching(/^user_/),
        email: person.email,
        first_name: 'Test',
        last_name: 'User',
        token: expect.any(String),
      },
    })
    const again = await post('/api/v1/auth/signup', person)
    expect([again.status, again.body.errors]).toEqual([400, ['Email already exists']])
    const wrong = await post('/api/v1/auth/login', { ...person, password: 'wrong' })
    expect([wrong.status, wrong.body.errors, wrong.body.data]).toEqual([
      401,
      ['Invalid email or password'],
      null,
    ])
    const { token } = (await post('/api/v1/auth/login', person)).body.data
    const me = await get('/api/v1/users/me', token)
    expect(me.body.data).toMatchObject({ first_name: 'Test', created_at: expect.any(String) })
    const out = await server.call('POST', '/api/v1/auth/logout', { token })
    expect(out.body).toEqual({ success: true, errors: [], data: { message: 'Logged out successfully' } })
    expect((await get('/api/v1/users/me', token)).status).toBe(401)
    const unnamed = await post('/api/v1/auth/signup', { ...person, first_name: undefined })
    expect([unnamed.status, unnamed.body.errors]).toEqual([400, ['First name is required']])
  })
})

describe('AI Content Generator', () => {
  test('signs up and in with bare documents', async () => {
    const person = { name: 'Test User', email: 'writer@example.com', password: 'password123' }
    const { status, body } = await post('/auth/register', person)
    expect(status).toBe(201)
    expect(body).toMatchObject({ name: person.name, email: person.email, token: expect.any(String) })
    expect(body._id).toEqual(body.id)
    const me = await get('/auth/me', body.token)
    expect(me.body).toMatchObject({ _id: body._id, status: 'active', __v: 0 })
    const missing = await post('/auth/register', { email: 'a@example.com' })
    expect([missing.status, missing.body.message]).toEqual([400, 'Please provide all fields'])
    expect((await post('/auth/register', person)).body.message).toBe('User already exists')
    const wrong = await post('/auth/login', { ...person, password: 'no' })
    expect([wrong.status, wrong.body.message]).toEqual([401, 'Invalid credentials'])
  })
})

describe('Autoverse Hub', () => {
  test('registers by name, then by code; the code proves once', async () => {
    const person = { email: 'hub@example.com', password: 'SecurePass123!', name: 'John Doe' }
    const started = await post('/api/auth/register', person)
    expect(started.status).toBe(201)
    expect(started.body).toMatchObject({ requiresVerification: true, email: person.email })
    const early = await post('/api/auth/login', person)
    expect([early.status, early.body.code]).toEqual([403, 'EMAIL_NOT_VERIFIED'])
    const { otp } = started.body
    const verified = await post('/api/auth/verify-otp', { email: person.email, otp })
    expect(verified.body).toMatchObject({ success: true, verified: true, email: person.email })
    expect(verified.body.token).toBeUndefined()
    expect((await post('/api/auth/verify-otp', { email: person.email, otp })).body.error).toBe('Invalid OTP')
    const entered = await post('/api/auth/login', person)
    expect(entered.status).toBe(200)
    expect(entered.headers.getSetCookie().map(one => one.split('=')[0])).toEqual([
      'accessToken',
      'refreshToken',
    ])
  })

  test('verifies first, then registers; wants strong passwords', async () => {
    const email = 'hub2@example.com'
    const sent = await post('/api/auth/send-otp', { email, purpose: 'account-verification' })
    expect(sent.body).toMatchObject({ purpose: 'account-verification', expiresIn: 600 })
    const proven = await post('/api/auth/verify-otp', {
      email,
      otp: sent.body.otp,
      purpose: 'account-verification',
    })
    const { verificationToken, token } = proven.body
    expect(token).toBe(verificationToken)
    const weak = { email, name: 'John Doe', password: 'password123', verificationToken }
    expect((await post('/api/auth/register', weak)).status).toBe(400)
    const made = await post('/api/auth/register', { ...weak, password: 'SecurePass123!' })
    expect(made.status).toBe(201)
    const taken = await post('/api/auth/send-otp', { email, purpose: 'account-verification' })
    expect([taken.status, taken.body.code]).toEqual([409, 'USER_EXISTS'])
    const { refreshToken, accessToken } = made.body
    const renewed = await post('/api/auth/refresh', { refreshToken })
    expect(renewed.body).toMatchObject({ success: true, user: { email } })
    expect((await post('/api/auth/refresh', {}, accessToken)).status).toBe(200)
    expect((await post('/api/auth/refresh', {})).body.code).toBe('REFRESH_TOKEN_MISSING')
    const gone = await server.call('DELETE', '/api/auth/delete-account', {
      token: accessToken,
      body: { password: 'SecurePass123!' },
    })
    expect(gone.body).toMatchObject({ deleted: true })
    expect((await get('/api/auth/me', accessToken)).status).toBe(401)
  })
})

describe('whoever is not signed in (any more)', () => {
  const refusals: Record<string, [string, string[], string[]]> = {
    'Secret Echo': [
      '/api/v1/plugin/plugin-generators',
      ['Unauthorized: No token provided', 'Unauthorized: No token provided'],
      ['Unauthorized: Invalid token', 'Unauthorized: Invalid token'],
    ],
    'Gemini Backend': [
      '/api/chatroom',
      ['Access denied. No token provided.', 'Access denied. No token provided.'],
      ['Invalid token.', 'Invalid token.'],
    ],
    'AI Coding Agent': [
      '/api/conversations',
      ['Authentication required', 'No token provided'],
      ['Authentication failed', 'Invalid token'],
    ],
    'AI Content Generator': [
      '/generate-content',
      ['Not authorized, no token', 'Not authorized, no token'],
      ['Not authorized', 'Not authorized'],
    ],
  }
  test.each(Object.entries(refusals))('is told so in the words of %s', async (_, [path, without, wrong]) => {
    for (const [token, words] of [
      [undefined, without],
      ['nonsense', wrong],
    ] as const) {
      const { status, body } = await server.call('GET', path, token === undefined ? {} : { token })
      expect([status, body.error, body.message]).toEqual([401, ...words])
      expect(body).toMatchObject({ success: false, data: null, errors: [words[1]] })
    }
  })
})

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp, testPassword } from '../support/app.ts'

// What the published APIs do where it counts: no alias is weaker than the path that it stands for.
let server: TestApp
beforeAll(async () => {
  server = await startApp({
    NODE_ENV: 'production',
    PUBLIC_URL: 'https://atelier.example',
    CORS_ORIGINS: 'https://app.example',
    JWT_SECRET: randomBytes(32).toString('hex'),
    ENCRYPTION_KEY: randomBytes(32).toString('hex'),
  })
})
afterAll(() => server[Symbol.asyncDispose]())

/** Calls the server directly: its public address is nowhere. */
async function call(method: 'GET' | 'POST', path: string, given: { body?: unknown; token?: string } = {}) {
  const { body, token } = given
  const answer = await server.app.server.inject({
    method,
    url: path,
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
    ...(body === undefined ? {} : { payload: body as object }),
  })
  const cookies = [answer.headers['set-cookie'] ?? []].flat()
  return { status: answer.statusCode, body: answer.json(), text: answer.body, cookies }
}
const post = (path: string, body: unknown) => call('POST', path, { body })

async function insider(role: 'user' | 'admin') {
  const email = `${role}@example.com`
  await server.app.accounts.addAccount({ email, password: testPassword })
  if (role === 'admin') await server.app.accounts.setRole(email, role)
  return post('/api/auth/login', { email, password: testPassword })
}

test('what is published as open and tells about the server is for administrators', async () => {
  const { token } = (await insider('user')).body
  const admin = (await insider('admin')).body.token
  for (const path of ['/api/queue/status', '/api/webhook/test']) {
    expect((await call('GET', path)).status).toBe(401)
    expect((await call('GET', path, { token })).status).toBe(403)
    expect((await call('GET', path, { token: admin })).status).toBe(200)
  }
})

test('no path gives a session for an address that nobody has proven', async () => {
  const person = { email: 'new@example.com', password: 'long and unusual 1' }
  const tries = [
    post('/api/auth/register', { ...person, username: 'newcomer' }),
    post('/api/v1/auth/signup', { ...person, first_name: 'New', last_name: 'Comer' }),
    post('/auth/register', { ...person, name: 'New' }),
  ]
  for (const answer of await Promise.all(tries)) {
    expect([answer.status, answer.body.code]).toEqual([403, 'EMAIL_NOT_VERIFIED'])
    expect(answer.cookies).toEqual([])
    expect(answer.text).not.toMatch(/"otp"|"token"/)
  }
})

test('whether an address has an account is told to nobody', async () => {
  const known = { email: 'known@example.com' }
  await server.app.accounts.addAccount({ ...known, password: testPassword })
  const unknown = { email: 'unknown@example.com' }
  const strong = { password: 'Long-And-Unusual-1!', name: 'Somebody' }
  const asks: [string, object][] = [
    ['/api/auth/send-otp', { purpose: 'account-verification' }],
    ['/api/auth/send-otp', { purpose: 'password-reset' }],
    ['/api/auth/forgot-password', {}],
    ['/api/auth/login', { password: 'wrong password 1' }],
    ['/auth/login', { password: 'wrong password 1' }],
    ['/api/v1/auth/login', { password: 'wrong password 1' }],
    ['/api/auth/register', strong],
  ]
  const blind = (text: string) => text.replace(/known@|unknown@/g, '').replace(/"id":"[^"]+"/g, '')
  for (const [path, body] of asks) {
    const [one, other] = await Promise.all([
      post(path, { ...known, ...body }),
      post(path, { ...unknown, ...body }),
    ])
    expect([path, one.status, blind(one.text)]).toEqual([path, other.status, blind(other.text)])
  }
})

test('cookies for pages of other sites go over https alone', async () => {
  const { cookies } = await post('/api/auth/login', { email: 'user@example.com', password: testPassword })
  expect(cookies).toHaveLength(2)
  for (const cookie of cookies) expect(cookie).toMatch(/HttpOnly; Secure; SameSite=None/)
})

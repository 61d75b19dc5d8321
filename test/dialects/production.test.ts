import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp, testPassword } from '../support/app.ts'

// What the published APIs do where it counts: no alias is weaker than the path that it stands for.
let server: TestApp
/** The log, in which letters stand where no mail server is set. */
const printed: string[] = []
beforeAll(async () => {
  const env = {
    NODE_ENV: 'production',
    PUBLIC_URL: 'https://atelier.example',
    CORS_ORIGINS: 'https://app.example',
    JWT_SECRET: randomBytes(32).toString('hex'),
    ENCRYPTION_KEY: randomBytes(32).toString('hex'),
    CODE_LIMIT_PER_HOUR: '1000',
  }
  server = await startApp(env, line => void printed.push(line))
})
afterAll(() => server[Symbol.asyncDispose]())

/** Calls the server directly: its public address is nowhere. */
async function call(
  method: 'GET' | 'POST',
  path: string,
  given: { body?: unknown; token?: string; headers?: Record<string, string> } = {},
) {
  const { body, token, headers } = given
  const answer = await server.app.server.inject({
    method,
    url: path,
    headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    ...(body === undefined ? {} : { payload: body as object }),
  })
  const cookies = [answer.headers['set-cookie'] ?? []].flat()
  return {
    status: answer.statusCode,
    body: answer.json(),
    text: answer.body,
    cookies,
    headers: answer.headers,
  }
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

test('A16: whether an address has an account is told to nobody, by status, body or header', async () => {
  const { accounts } = server.app
  await accounts.addAccount({ email: 'known00@example.com', password: testPassword })
  await accounts.addAccount({ mobile: '+14155550100', password: testPassword })
  let others = 10
  // Each of them asked for once, so that an earlier question does not change what a later one finds.
  const who = {
    email: () => [{ email: 'known00@example.com' }, { email: `other${++others}@example.com` }],
    mobile: () => [{ mobile_number: '+14155550100' }, { mobile_number: `+141555501${++others}` }],
  }
  const [secret, strong] = ['Long-And-Unusual-1', { password: 'Long-And-Unusual-1!', name: 'Somebody' }]
  const wrong = { password: 'wrong password 1' }
  const asks: [keyof typeof who, string, object][] = [
    ['email', '/api/auth/login', wrong],
    ['mobile', '/api/auth/login', wrong],
    ['email', '/auth/login', wrong],
    ['email', '/api/v1/auth/login', wrong],
    ['email', '/api/auth/register', strong],
    ['email', '/api/auth/register', { username: 'somebody', password: secret }],
    ['email', '/auth/register', { name: 'Somebody', password: secret }],
    ['email', '/api/v1/auth/signup', { first_name: 'Some', last_name: 'Body', password: secret }],
    ['email', '/api/auth/send-otp', {}],
    ['email', '/api/auth/send-otp', { purpose: 'account-verification' }],
    ['email', '/api/auth/send-otp', { purpose: 'password-reset' }],
    ['email', '/api/auth/send-otp', { purpose: 'account-deletion' }],
    ['mobile', '/api/auth/send-otp', {}],
    ['mobile', '/api/auth/send-signup-otp', {}],
    ['email', '/api/auth/forgot-password', {}],
    ['mobile', '/api/auth/forgot-password', {}],
    ['email', '/api/auth/verify-otp', { otp: '000000' }],
    ['email', '/api/auth/verify-otp', { otp: '000000', purpose: 'password-reset' }],
    ['mobile', '/api/auth/verify-otp', { otp: '000000' }],
    ['mobile', '/api/auth/verify-signup-otp', { otp: '000000', name: 'Some Body', password: secret }],
    ['email', '/api/auth/reset-password', { otp: '000000', newPassword: strong.password }],
    ['mobile', '/api/auth/reset-password', { otp: '000000', new_password: secret }],
  ]
  for (const [kind, path, body] of asks) {
    const told = []
    for (const address of who[kind]()) {
      const { status, text, headers } = await post(path, { ...address, ...body })
      const [value = ''] = Object.values(address)
      const { date: _, 'x-ratelimit-remaining': __, 'x-ratelimit-reset': ___, ...steady } = headers
      const blind = text.replaceAll(value, '').replace(/"id":"[^"]+"/g, '"id"')
      told.push({ path, body, status, length: text.length, blind, headers: steady })
      expect(text).not.toMatch(/"(otp|token|accessToken|verificationToken)":/)
    }
    expect(told[0]).toEqual(told[1])
  }
})

test('A23: a letter that a published path sends carries the configured origin alone', async () => {
  const email = 'linked@example.com'
  await server.app.accounts.addAccount({ email, password: testPassword })
  const evil = 'evil.example'
  const headers = {
    ...{ host: evil, 'x-forwarded-host': evil, 'x-forwarded-proto': 'http', forwarded: `host=${evil}` },
    ...{ 'x-original-url': `https://${evil}/`, referer: `https://${evil}/`, origin: `https://${evil}` },
  }
  printed.length = 0
  const body = { email, redirect_to: `https://${evil}`, redirectUrl: `https://${evil}` }
  expect((await call('POST', '/api/auth/forgot-password', { body, headers })).status).toBe(200)
  await server.app.accounts.idle()
  const letter = printed.find(line => line.includes('/reset-password#token='))
  expect(letter).toContain('https://atelier.example/reset-password#token=')
  expect(printed.join()).not.toContain(evil)
})

test('A13: no published path sets a password without a code or token that was sent', async () => {
  const email = 'settled@example.com'
  await server.app.accounts.addAccount({ email, password: testPassword })
  const { token } = (await post('/api/auth/login', { email, password: testPassword })).body
  const fresh = 'Long-And-Unusual-2!'
  const odd = [null, '', undefined, [], {}, 0, true, { $ne: null }, 'undefined', 'null', 'atv_', '000000']
  for (const value of odd)
    for (const name of ['verificationToken', 'token', 'otp'])
      for (const address of [{ email }, {}]) {
        const body = { ...address, [name]: value, newPassword: fresh }
        const reset = await post('/api/auth/reset-password', body)
        expect([body, reset.status]).toEqual([body, 400])
        const change = { [name]: value, newPassword: fresh }
        const changed = await call('POST', '/api/auth/change-password', { token, body: change })
        expect([change, changed.status]).toEqual([change, 400])
      }
  expect((await post('/api/auth/login', { email, password: testPassword })).status).toBe(200)
  expect((await call('GET', '/api/auth/me', { token })).status).toBe(200)
})

test('cookies for pages of other sites go over https alone', async () => {
  const { cookies } = await post('/api/auth/login', { email: 'user@example.com', password: testPassword })
  expect(cookies).toHaveLength(2)
  for (const cookie of cookies) expect(cookie).toMatch(/HttpOnly; Secure; SameSite=None/)
})

import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAccessTokens } from '../../src/features/accounts/tokens.ts'
import { newId } from '../../src/lib/ids.ts'
import { startApp, type TestApp, testPassword } from '../support/app.ts'

/** Every route of the published APIs, from the server's own description; one without an entry below fails. */
interface Operation {
  method: string
  path: string
  auth: 'none' | 'optional' | 'required'
  example: unknown
}

// Who may call without signing in: each of these was thought about.
const open = new Set([
  'POST /api/auth/register',
  'POST /api/auth/login',
  'POST /api/auth/refresh',
  'POST /api/auth/send-signup-otp',
  'POST /api/auth/verify-signup-otp',
  'POST /api/auth/forgot-password',
  'POST /api/auth/reset-password',
  'POST /api/v1/auth/signup',
  'POST /api/v1/auth/login',
  'POST /auth/register',
  'POST /auth/login',
  'GET /api/subscription/plans',
  'POST /api/webhook/stripe',
  'GET /api/webhook/test',
  'GET /api/queue/status',
  'GET /api/payments/packages',
])
const optional = new Set([
  'POST /api/auth/logout',
  'GET /api/csrf-token',
  'GET /api/auth/csrf-token',
  'POST /api/auth/send-otp',
  'POST /api/auth/verify-otp',
])

/** What the id in a path names, by the beginning of the path. */
const named: Record<string, keyof Things> = {
  '/api/chatroom/message/': 'message',
  '/api/chatroom/': 'conversation',
  '/api/conversations/': 'conversation',
  '/api/chat/regenerate/': 'reply',
  '/api/artifacts/': 'artifact',
  '/api/byok/key/': 'key',
  '/byok/key/': 'key',
  '/content/': 'entry',
  '/generate-content/': 'job',
}

interface Things {
  conversation: string
  message: string
  reply: string
  artifact: string
  key: string
  entry: string
  job: string
}

const secret = 'a secret of the guard walk that is long enough'
let server: TestApp
let operations: Operation[]
let guarded: Operation[]
let owner: { token: string; accountId: string; email: string }
let things: Things

beforeAll(async () => {
  server = await startApp({ JWT_SECRET: secret, RATE_LIMIT_MAX_REQUESTS: '1000000', OTP_ECHO: 'true' })
  const { body } = await server.call('GET', '/openapi.json')
  // biome-ignore lint/suspicious/noExplicitAny: a document
  operations = Object.entries<Record<string, any>>(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => operation.tags?.[0]?.startsWith('Compatibility'))
      .map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        auth: ruleOf(operation.security),
        example: exampleOf(operation.requestBody?.content?.['application/json']),
      })),
  )
  guarded = operations.filter(each => each.auth === 'required')
  owner = await server.signUp()
  things = await makeThings(owner)
})
afterAll(() => server[Symbol.asyncDispose]())

function ruleOf(security: object[] | undefined): Operation['auth'] {
  if (security === undefined) return 'required'
  return security.length === 0 ? 'none' : 'optional'
}

// biome-ignore lint/suspicious/noExplicitAny: a document
function exampleOf(media: any): unknown {
  if (!media) return undefined
  return media.example ?? Object.values<{ value: unknown }>(media.examples ?? {})[0]?.value
}

const label = ({ method, path }: Operation) => `${method} ${path}`

async function makeThings({ token }: { token: string }): Promise<Things> {
  const asked = { message: 'Create a React button component', stream: false }
  const { data } = (await server.call('POST', '/api/v1/generations', { token, body: asked })).body
  const { conversationId, messageId, replyId } = data.generation
  const read = await server.call('GET', `/api/v1/conversations/${conversationId}`, { token })
  const artifact = read.body.data.messages.at(-1).artifacts[0].id
  const key = { provider: 'openai', keyName: 'Mine', apiKey: 'sk-test-0123456789abcdef' }
  const kept = await server.call('POST', '/api/byok/key', { token, body: key })
  const content = await server.call('POST', '/content', {
    token,
    body: { title: 'A title', type: 'blog-post', body: 'A body' },
  })
  const job = await server.call('POST', '/generate-content', {
    token,
    body: { prompt: 'A prompt', contentType: 'blog-post' },
  })
  return {
    conversation: conversationId,
    message: messageId,
    reply: replyId,
    artifact,
    key: kept.body.key.id,
    entry: content.body?._id ?? newId(),
    job: job.body?.jobId ?? newId(),
  }
}

/** The path with an id in the place of its name. */
const at = (path: string, id: string) => path.replace(/\{\w+\}/g, id)

async function statusOf(operation: Operation, token: string | undefined, path = at(operation.path, newId())) {
  const { method, example } = operation
  return server.call(method, path, {
    ...(token === undefined ? {} : { token }),
    ...(example === undefined ? {} : { body: example }),
  })
}

/** Those of the guarded operations that do not answer 401 to the token. */
async function thoseThatLetIn(token: string | undefined): Promise<string[]> {
  const found: string[] = []
  for (const operation of guarded) {
    const { status, body } = await statusOf(operation, token)
    if (status !== 401 || body?.success !== false || !(body.errors?.length > 0)) found.push(label(operation))
  }
  return found
}

/** What the API description does not show: pages, files and sockets; each decides by itself who may have it. */
const undescribed = new Set([
  'GET /',
  // How the table prints the wildcards of /files, /preview and /vendor.
  'GET /*',
  'GET /socket.io',
  'POST /socket.io',
  'GET /sandbox/checkout/{id}',
  'POST /sandbox/checkout/{id}',
  'GET /sandbox/portal/{id}',
  'POST /sandbox/portal/{id}',
  'GET /api/v1',
  'GET /api/artifacts/open/{token}',
  'GET /openapi.json',
  'GET /docs',
  'GET /docs/js/scalar.js',
])

/** Every route that the server has, as the description would name it, read off its own table. */
function routeTable(): string[] {
  const parents: string[] = []
  return server.app.server
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap(line => {
      const [, indent = '', part = '', methods = ''] = /^(.*?)[├└]── (\S*)(?: \((.*)\))?$/.exec(line) ?? []
      if (part === '') return []
      const depth = indent.length / 4
      parents.length = depth
      const path = parents.join('') + part
      parents.push(path.slice(parents.join('').length))
      const named = path.replace(/:(\w+)/g, '{$1}')
      return methods.split(', ').flatMap(method => (/^(HEAD)?$/.test(method) ? [] : [`${method} ${named}`]))
    })
}

describe('every route of the published APIs', () => {
  test('is described, so that the walk below meets it', async () => {
    const { body } = await server.call('GET', '/openapi.json')
    const described = new Set(
      Object.entries<object>(body.paths).flatMap(([path, methods]) =>
        Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`),
      ),
    )
    const table = routeTable()
    expect(table.length).toBeGreaterThan(described.size)
    expect([...described].filter(each => !table.includes(each))).toEqual([])
    expect(table.filter(each => !described.has(each) && !undescribed.has(each))).toEqual([])
  })

  test('has its entry here', () => {
    expect(operations.length).toBeGreaterThan(70)
    const known = new Set(operations.map(label))
    expect([...open, ...optional].filter(each => !known.has(each))).toEqual([])
    const unlisted = operations.filter(each => {
      if (each.auth === 'none') return !open.has(label(each))
      return each.auth === 'optional' && !optional.has(label(each))
    })
    expect(unlisted.map(label)).toEqual([])
    const unnamed = guarded.filter(
      ({ path }) => path.includes('{') && !Object.keys(named).some(start => path.startsWith(start)),
    )
    expect(unnamed.map(label)).toEqual([])
  })

  test('refuses who is nobody', async () => {
    expect(await thoseThatLetIn(undefined)).toEqual([])
  })

  test('refuses tokens that are expired, of another kind or of nobody any more', async () => {
    const person = { email: `guard-${Date.now()}@example.com`, username: 'guard', password: testPassword }
    const made = (await server.call('POST', '/api/auth/register', { body: person })).body
    const claims = JSON.parse(Buffer.from(made.token.split('.')[1], 'base64url').toString())
    const past = createAccessTokens({
      secrets: [secret],
      lifetimeSeconds: 60,
      now: () => Date.now() - 3_600_000,
    })
    const expired = past.sign({ accountId: claims.sub, sessionId: claims.sid })
    const ticket = (await server.call('POST', '/api/v1/tickets', { token: made.token })).body.data.ticket
    const address = { email: `proof-${Date.now()}@example.com` }
    const { otp } = (await server.call('POST', '/api/auth/send-otp', { body: address })).body
    const proven = await server.call('POST', '/api/auth/verify-otp', { body: { ...address, otp } })
    const signedOut = (await server.call('POST', '/api/auth/login', { body: person })).body.token
    await server.call('POST', '/api/auth/logout', { token: signedOut })
    const deleted = await server.signUp()
    await server.call('DELETE', '/api/v1/me', { token: deleted.token, body: { password: testPassword } })
    const tokens = {
      expired,
      refresh: made.refreshToken,
      ticket,
      verification: proven.body.verificationToken,
      signedOut,
      deleted: deleted.token,
      garbage: `${made.token.slice(0, -3)}abc`,
    }
    for (const [kind, token] of Object.entries(tokens)) {
      expect({ kind, is: typeof token }).toEqual({ kind, is: 'string' })
      expect({ kind, letIn: await thoseThatLetIn(token) }).toEqual({ kind, letIn: [] })
    }
  }, 120_000)

  test('answers the same to what is another’s and to what is not there', async () => {
    const stranger = await server.signUp()
    const apart: string[] = []
    for (const operation of guarded.filter(({ path }) => path.includes('{'))) {
      const start = Object.keys(named).find(each => operation.path.startsWith(each)) ?? ''
      const foreign = await statusOf(
        operation,
        stranger.token,
        at(operation.path, things[named[start] ?? 'conversation']),
      )
      const absent = await statusOf(operation, stranger.token)
      if (foreign.status !== 404 || absent.status !== 404 || foreign.text !== absent.text)
        apart.push(`${label(operation)} ${foreign.status} ${absent.status}`)
    }
    const byBody = operations.find(each => label(each) === 'DELETE /api/byok/key') as Operation
    const named404 = await statusOf({ ...byBody, example: { keyId: things.key } }, stranger.token)
    expect(named404.status).toBe(404)
    expect(apart).toEqual([])
    const kept = await server.call('GET', '/api/byok/keys', { token: owner.token })
    expect(kept.body.keys).toHaveLength(1)
    const room = await server.call('GET', `/api/chatroom/${things.conversation}`, { token: owner.token })
    expect(room.status).toBe(200)
  }, 60_000)

  test('is not to be had by another spelling, method or header', async () => {
    const found: string[] = []
    for (const operation of guarded) {
      const path = at(operation.path, newId())
      const spellings = [
        `${path}/`,
        `/${path}`,
        path.replace(/\/([^/]+)$/, '//$1'),
        path.replace(/\/([^/]+)$/, '/%2e/$1'),
        path.replace(/\/([^/]+)$/, '/x/%2e%2e/$1'),
        path.toUpperCase(),
      ]
      for (const spelling of spellings) {
        const status = await rawStatus(operation.method, spelling)
        if (status < 400) found.push(`${operation.method} ${spelling} ${status}`)
      }
      if ((await rawStatus('HEAD', path)) < 400) found.push(`HEAD ${path}`)
      const overridden = await server.call('GET', path, {
        headers: { 'x-http-method-override': operation.method, 'x-method-override': operation.method },
      })
      if (overridden.status < 400) found.push(`override ${path}`)
    }
    expect(found).toEqual([])
  }, 120_000)

  test('takes nothing for granted that a body says beyond its fields', async () => {
    const greedy = {
      ...{ email: `greedy-${Date.now()}@example.com`, username: 'greedy', password: 'password123' },
      ...{ role: 'admin', plan: 'pro', planType: 'pro', subscription_tier: 'pro', status: 'active' },
      ...{ credits: 1_000_000_000, creditsRemaining: 1_000_000_000, id: owner.accountId },
    }
    const made = (await server.call('POST', '/api/auth/register', { body: greedy })).body
    expect(made.user.id).not.toBe(owner.accountId)
    expect(made.user.planType).toBe('basic')
    const balance = async () =>
      (await server.call('GET', '/api/credits', { token: made.token })).body.balance as number
    const before = await balance()
    expect(before).toBeLessThan(1_000_000_000)
    const change = { name: 'Greedy', role: 'admin', plan: 'pro', credits: 5 }
    const changed = await server.call('PUT', '/api/user/me', { token: made.token, body: change })
    expect(changed.body.user.subscription_tier).toBe('basic')
    expect((await server.call('GET', '/api/v1/admin/queue', { token: made.token })).status).toBe(403)
    await server.call('POST', '/api/credits/add', { token: made.token, body: { amount: 500 } })
    expect(await balance()).toBe(before)
  })
})

/** The status of a request whose path goes out exactly as it is written, which fetch does not do; without a sign-in. */
function rawStatus(method: string, path: string): Promise<number> {
  const { hostname, port, host } = new URL(server.url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let answer = ''
    socket.setEncoding('utf8')
    socket.on('data', data => {
      answer += data
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(Number(answer.split(' ')[1])))
    socket.end(
      `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
    )
  })
}

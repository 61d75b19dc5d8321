import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAccessTokens } from '../../src/features/accounts/tokens.ts'
import { newId } from '../../src/lib/ids.ts'
import { startApp, type TestApp, testPassword } from '../support/app.ts'
import { rawStatus, spellingsOf } from '../support/raw.ts'
import { pathTo } from '../support/things.ts'

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

const secret = 'a secret of the guard walk that is long enough'
let server: TestApp
let operations: Operation[]
let guarded: Operation[]

beforeAll(async () => {
  server = await startApp({ JWT_SECRET: secret, OTP_ECHO: 'true' })
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

async function statusOf(
  operation: Operation,
  token: string | undefined,
  path = pathTo(operation.path, newId()),
) {
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
  'GET /sandbox/geist.woff2',
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
  })

  test('refuses who is nobody', async () => {
    expect(await thoseThatLetIn(undefined)).toEqual([])
  })

  test('refuses tokens that are unsigned, expired, of another kind or of nobody any more', async () => {
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
    const [, claimsPart] = made.token.split('.')
    const header = JSON.parse(Buffer.from(made.token.split('.')[0], 'base64url').toString())
    const unsigned = (alg: string) =>
      `${Buffer.from(JSON.stringify({ ...header, alg })).toString('base64url')}.${claimsPart}.`
    const tokens = {
      // A01: no signature, whatever the header says of it, and no third part.
      ...Object.fromEntries(['none', 'None', 'NONE', 'nOnE'].map(alg => [alg, unsigned(alg)])),
      unsigned: `${made.token.split('.').slice(0, 2).join('.')}.`,
      cut: made.token.split('.').slice(0, 2).join('.'),
      expired,
      refresh: made.refreshToken,
      ticket,
      verification: proven.body.verificationToken,
      signedOut,
      deleted: deleted.token,
      garbage: `${made.token.slice(0, -3)}abcd`,
    }
    for (const [kind, token] of Object.entries(tokens)) {
      expect({ kind, is: typeof token }).toEqual({ kind, is: 'string' })
      expect({ kind, letIn: await thoseThatLetIn(token) }).toEqual({ kind, letIn: [] })
    }
  }, 120_000)

  test('is not to be had by another spelling, method or header', async () => {
    const found: string[] = []
    for (const operation of guarded) {
      const path = pathTo(operation.path, newId())
      for (const spelling of spellingsOf(path)) {
        const status = await rawStatus(server.url, { method: operation.method, path: spelling })
        if (status < 400) found.push(`${operation.method} ${spelling} ${status}`)
      }
      if ((await rawStatus(server.url, { method: 'HEAD', path })) < 400) found.push(`HEAD ${path}`)
      const overridden = await server.call('GET', path, {
        headers: { 'x-http-method-override': operation.method, 'x-method-override': operation.method },
      })
      if (overridden.status < 400) found.push(`override ${path}`)
    }
    expect(found).toEqual([])
  }, 120_000)
})

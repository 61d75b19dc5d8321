import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { eventOf, signatureOf } from '../billing/support.ts'
import { startProvider } from '../provider/index.ts'
import { startStripe, stripeKey } from '../stripe/server.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { makeTestFolder, removeTestFolder } from '../support/folder.ts'
import { findMachine } from '../support/machine.ts'
import { startProcess } from '../support/process.ts'
import { startRedis } from '../support/redis.ts'
import { openSocket } from '../support/sockets.ts'

const made = (prefix: string) => `${prefix}${randomBytes(18).toString('base64url').replace(/[-_]/g, 'x')}`

/** The gateway that messages go out by, and what it was handed. */
async function openGateway() {
  const texts: string[] = []
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    texts.push((JSON.parse(Buffer.concat(chunks).toString()) as { text: string }).text)
    response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** The code in the next message; asks for it by `ask`. */
    async code(ask: () => Promise<unknown>): Promise<string> {
      const before = texts.length
      await ask()
      await vi.waitFor(() => expect(texts.length).toBeGreaterThan(before), 60_000)
      return /\b(\d{6})\b/.exec(texts.at(-1) ?? '')?.[1] ?? ''
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** How a secret may be written down. */
function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret)
  return [
    secret,
    encodeURIComponent(secret),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('hex'),
  ]
}

async function tablesWith(database: TestDatabase, secret: string): Promise<string[]> {
  const { rows: tables } = await database.pool.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`,
  )
  const found: string[] = []
  for (const { name } of tables) {
    const { rowCount } = await database.pool.query(
      `select 1 from ${name} t where exists (select from unnest($1::text[]) s where position(s in t::text) > 0) limit 1`,
      [spellings(secret)],
    )
    if (rowCount) found.push(`table ${name}`)
  }
  return found
}

async function filesWith(folder: string, secret: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    // Here secrets are kept on purpose, readable by their owner alone.
    if (!entry.isFile() || path.includes('/secrets/')) continue
    const bytes = await readFile(path)
    if (path.includes(secret) || spellings(secret).some(text => bytes.includes(text))) found.push(path)
  }
  return found
}

const redisHere = findMachine().redis !== null
const folders: string[] = []
afterAll(() => Promise.all(folders.map(removeTestFolder)))

describe.each(redisHere ? ['Postgres alone', 'Redis beside it'] : ['Postgres alone'])(
  'L09: with %s',
  world => {
    test('no secret that passes through is in a log, a table, a queue, a file or an error', {
      timeout: 240_000,
    }, async () => {
      await using provider = await startProvider()
      await using stripe = await startStripe()
      await using gateway = await openGateway()
      await using database = await createTestDatabase()
      const redis = world === 'Redis beside it' ? await startRedis() : null
      const dataDir = await makeTestFolder('canaries')
      folders.push(dataDir)
      const secrets: Record<string, string> = {
        JWT_SECRET: made('jwt-secret-of-the-operator-'),
        ENCRYPTION_KEY: made('encryption-key-of-the-operator-'),
        "the operator's provider key": made('sk-operator-'),
        'the webhook secret': made('whsec_'),
        'the key of Stripe': stripeKey,
        'a password': made('pw-'),
        'a wrong password': made('wrong-'),
        'a new password': made('new-'),
        'a provider key': made('sk-own-'),
      }
      const secret = (name: string) => secrets[name] ?? ''
      const server = await startProcess({
        dataDir,
        env: {
          LOG_LEVEL: 'trace',
          DATABASE_URL: database.url,
          ...(redis ? { REDIS_URL: redis.url } : {}),
          JWT_SECRET: secret('JWT_SECRET'),
          ENCRYPTION_KEY: secret('ENCRYPTION_KEY'),
          OPENAI_BASE_URL: provider.baseUrls.openai,
          OPENAI_API_KEY: secret("the operator's provider key"),
          ALLOW_ANY_MODEL: 'true',
          ALLOW_PRIVATE_ADDRESSES: 'true',
          SIGNUP_CREDITS: '100',
          BASIC_DAILY_MESSAGE_LIMIT: '1000',
          SMS_WEBHOOK_URL: gateway.url,
          STRIPE_SECRET_KEY: stripeKey,
          STRIPE_WEBHOOK_SECRET: secret('the webhook secret'),
          STRIPE_API_BASE: stripe.url,
        },
      })
      const errors: { path: string; answer: string }[] = []
      async function call(
        method: string,
        path: string,
        options: { body?: unknown; token?: string; headers?: Record<string, string> } = {},
      ) {
        const { body, token, headers } = options
        const response = await fetch(server.url + path, {
          method,
          headers: {
            ...(token ? { authorization: `Bearer ${token}` } : {}),
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
          ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
          redirect: 'manual',
        })
        const text = await response.text()
        const cookies = response.headers.getSetCookie()
        if (response.status >= 400)
          errors.push({ path, answer: `${text} ${JSON.stringify([...response.headers])}` })
        for (const [at, cookie] of cookies.entries()) {
          const value = cookie.split(';')[0]?.split('=')[1] ?? ''
          if (value.length > 20) secrets[`cookie ${at} of ${path}`] = decodeURIComponent(value)
        }
        const isJson = response.headers.get('content-type')?.includes('json')
        return { status: response.status, data: isJson ? (JSON.parse(text).data ?? JSON.parse(text)) : text }
      }
      const api = (method: string, path: string, options = {}) => call(method, `/api/v1${path}`, options)
      const keep = (name: string, value: string) => {
        expect([name, value?.length > 5]).toEqual([name, true])
        secrets[name] = value
        return value
      }

      try {
        // Signing up and in, rightly and wrongly, on our own paths and on those of the published APIs.
        const mobile = '+14155550123'
        // What is no secret, and must be found: else nothing that follows means anything.
        const visible = made('visible-')
        const password = secret('a password')
        const wrong = secret('a wrong password')
        const joined = (await api('POST', '/accounts', { body: { mobile, password, name: visible } })).data
        keep('an access token', joined.accessToken)
        keep('a refresh token', joined.refreshToken)
        for (const body of [
          { mobile, password: wrong },
          { email: 'nobody@example.com', password: wrong },
          { mobile, password: [wrong] },
          { mobile, password: { $ne: wrong } },
          { email: wrong, password: wrong, [wrong.slice(0, 3)]: 1 },
          `{"mobile":"${mobile}","password":"${wrong}"`,
        ]) {
          await api('POST', '/sessions', { body })
          for (const path of ['/api/auth/login', '/auth/login', '/api/v1/auth/login'])
            await call('POST', path, { body })
        }
        for (const path of ['/api/auth/login', '/auth/login', '/api/v1/auth/login']) {
          const { data } = await call('POST', path, {
            body: { identifier: mobile, password, mobile_number: mobile },
          })
          const token = data?.token ?? data?.accessToken
          if (token) keep(`the token of ${path}`, token)
        }
        const renewed = (
          await api('POST', '/sessions/refresh', { body: { refreshToken: joined.refreshToken } })
        ).data
        keep('a renewed access token', renewed.accessToken)
        const token = keep('a second refresh token', renewed.refreshToken) && renewed.accessToken
        await api('POST', '/sessions/refresh', { body: { refreshToken: `${renewed.refreshToken}x` } })
        await api('GET', '/me', { token: `${token}x` })
        for (const path of ['/api/auth/verify-token', '/api/auth/me', '/api/user/me'])
          await call('GET', path, { token })

        // Codes, and what they are exchanged for.
        const codes: string[] = []
        for (const [name, purpose] of [
          ['a verification token', 'verification'],
          ['a verification token for a reset', 'password-reset'],
        ] as const) {
          const code = await gateway.code(() => api('POST', '/codes', { token, body: { mobile, purpose } }))
          codes.push(code)
          const other = purpose === 'verification' ? 'sign-in' : 'verification'
          await api('POST', '/codes/verify', { body: { mobile, purpose: other, code } })
          const proven = await api('POST', '/codes/verify', { body: { mobile, purpose, code } })
          keep(name, proven.data.verificationToken)
          await api('POST', '/codes/verify', { body: { mobile, purpose, code } })
        }
        const verificationToken = secret('a verification token for a reset')
        codes.push(
          await gateway.code(() =>
            api('POST', '/codes', { token, body: { mobile, purpose: 'verification' } }),
          ),
        )

        // Links and sockets that carry a token.
        const { ticket } = (await api('POST', '/tickets', { token })).data
        keep('a ticket', ticket)
        const socket = await openSocket(`${server.url}/api/v1/socket?ticket=${ticket}`)
        socket.webSocket.close()
        await openSocket(`${server.url}/api/v1/socket?ticket=${ticket}`).catch(() => {})
        const plugin = (await api('POST', '/plugins', { token, body: { name: visible } })).data.plugin
        for (const query of [
          `plugin_id=${plugin.id}&token=${token}`,
          `plugin_id=none&token=${token}`,
          `token=${token}x`,
        ])
          await openSocket(`${server.url}/plugin_generator?${query}`).then(
            one => one.webSocket.close(),
            () => {},
          )
        await call('GET', `/plugin_generator?plugin_id=${plugin.id}&token=${token}`)
        await call('GET', `/api/v1/me?token=${token}&access_token=${token}`)

        // A person's own key, which its provider repeats when it refuses it; the operator's key as well.
        const own = secret('a provider key')
        const key = (await api('POST', '/keys', { token, body: { provider: 'openai', apiKey: own } })).data
          .key
        await api('POST', '/keys', {
          token,
          body: { provider: 'openai', apiKey: own, baseUrl: `http://${own}@x` },
        })
        await api('POST', '/keys', { token, body: { provider: own, apiKey: own, name: 5 } })
        const echo = (said: string) => ({
          status: 401,
          error: { message: `Incorrect API key provided: ${said}. Bearer ${said}` },
        })
        await provider.script(...Array(3).fill(echo(own)))
        await api('POST', `/keys/${key.id}/test`, { token, body: {} })
        const ask = (body: object) =>
          api('POST', '/generations', {
            token,
            body: { message: 'Hello', model: 'openai/any', stream: false, ...body },
          })
        await ask({})
        const job = await ask({ background: true })
        await vi.waitFor(async () => {
          const { generation } = (await api('GET', `/generations/${job.data.generation.id}`, { token })).data
          expect(generation.status).toBe('failed')
        }, 60_000)
        await api('PATCH', `/keys/${key.id}`, { token, body: { isActive: false } })
        await provider.script(echo(secret("the operator's provider key")))
        await ask({})
        await provider.clear()

        // Presigned links.
        const code = '```tsx\nexport default function Button() { return <button>canary</button> }\n```'
        await provider.script({ text: `Here it is.\n\n${code}\n` })
        const { generation } = (await ask({})).data
        const { messages } = (await api('GET', `/conversations/${generation.conversationId}`, { token })).data
        const artifact = `/artifacts/${messages[1].artifacts[0].id}`
        for (const [name, method, path] of [
          ['a preview link', 'POST', `${artifact}/preview`],
          ['a presigned link', 'GET', `${artifact}/download`],
        ] as const) {
          const { url } = (await api(method, path, { token })).data
          const { pathname, search } = new URL(url, server.url)
          const [, kind, ...rest] = pathname.split('/')
          keep(name, rest.join('/') + search)
          await call('GET', pathname + search)
          await call('GET', `/${kind}/${rest.join('/')}x${search}`)
        }

        // Payments.
        const bought = await api('POST', '/billing/checkout', { token, body: { packageId: 'small' } })
        const { session, intent } = stripe.pay(bought.data.sessionId)
        const event = eventOf(
          'evt_canary',
          'checkout.session.completed',
          session,
          Math.floor(Date.now() / 1000),
        )
        expect(intent.id).toBeDefined()
        for (const signed of [secret('a wrong password'), secret('the webhook secret')])
          await api('POST', '/webhooks/stripe', {
            body: event,
            headers: { 'stripe-signature': signatureOf(event, signed) },
          })
        stripe.failNext(500, 500, 500)
        await api('POST', '/billing/portal', { token, body: {} })

        // A bug while a password is at hand: its table is away for a moment.
        await database.pool.query('alter table sessions rename to sessions_away')
        const broken = await api('POST', '/sessions', { body: { mobile, password } })
        await database.pool.query('alter table sessions_away rename to sessions')
        expect(broken.status).toBeGreaterThanOrEqual(500)

        const newPassword = secret('a new password')
        await api('PUT', '/me/password', { token, body: { currentPassword: wrong, newPassword } })
        const changed = await api('POST', '/passwords/reset', { body: { verificationToken, newPassword } })
        await api('POST', '/passwords/reset', { body: { verificationToken, newPassword } })
        await api('DELETE', '/sessions/current', { token })
        expect(changed.status).toBeLessThan(300)

        await server.kill('SIGTERM')
        const log = server.output()
        expect(log).toContain('"level"')
        expect(Object.keys(secrets).length).toBeGreaterThan(20)
        expect(await tablesWith(database, visible)).toContain('table public.accounts')
        expect(
          errors.some(({ answer }) => answer.includes('Incorrect') || answer.includes('KEY_REFUSED')),
        ).toBe(true)
        const jobId = job.data.generation.id
        if (redis) expect(await filesWith(redis.folder, jobId)).not.toEqual([])
        else expect((await tablesWith(database, jobId)).some(name => name.includes('bullmq'))).toBe(true)
        const hits: string[] = []
        for (const [name, value] of Object.entries(secrets)) {
          // Of a token, also its signature alone.
          const parts = [
            value,
            ...(/^[\w-]+\.[\w-]+\.[\w-]+$/.test(value) ? [value.split('.')[2] ?? value] : []),
          ]
          for (const part of parts) {
            const inText = (text: string) => spellings(part).some(spelling => text.includes(spelling))
            if (inText(log)) hits.push(`${name}: log: ${lineWith(log, part)}`)
            for (const { path, answer } of errors)
              if (inText(answer)) hits.push(`${name}: error of ${path.slice(0, 60)}: ${answer.slice(0, 200)}`)
            for (const place of await tablesWith(database, part)) hits.push(`${name}: ${place}`)
            for (const path of await filesWith(dataDir, part)) hits.push(`${name}: ${path}`)
            if (redis) for (const path of await filesWith(redis.folder, part)) hits.push(`${name}: ${path}`)
          }
        }
        // Six digits are in many numbers: that of these codes one is found by chance is no hit, that two are is.
        const standsAlone = (text: string, digits: string) =>
          new RegExp(`(?<![\\w.-])${digits}(?![\\w.-])`).test(text)
        expect(codes.every(digits => /^\d{6}$/.test(digits))).toBe(true)
        const seen = codes.filter(digits =>
          [log, ...errors.map(error => error.answer)].some(text => standsAlone(text, digits)),
        )
        expect(seen.length).toBeLessThan(2)
        const kept = await Promise.all(codes.map(digits => codesIn(database, digits)))
        expect(kept.filter(places => places.length > 0).length).toBeLessThan(2)
        expect(hits).toEqual([])
      } finally {
        await server.kill('SIGTERM')
        await redis?.close()
      }
    })
  },
)

function lineWith(log: string, secret: string): string {
  return (log.split('\n').find(line => line.includes(secret)) ?? '').slice(0, 400)
}

/** Tables in which a value is these six digits, and nothing else. */
async function codesIn(database: TestDatabase, digits: string): Promise<string[]> {
  const { rows } = await database.pool.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`,
  )
  const found: string[] = []
  for (const { name } of rows) {
    const { rowCount } = await database.pool.query(
      `select 1 from ${name} t where t::text ~ ('(^|[^[:alnum:].-])' || $1 || '([^[:alnum:].-]|$)') limit 1`,
      [digits],
    )
    if (rowCount) found.push(name)
  }
  return found
}

import { Writable } from 'node:stream'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { createMemoryCache } from '../../src/platform/cache/memory.ts'
import type { Identity } from '../../src/transport/auth.ts'
import { createTickets } from '../../src/transport/tickets.ts'
import { type CallOptions, startApp, type TestApp, testPassword } from '../support/app.ts'
import { createTestDatabase } from '../support/database.ts'
import { makeTestFolder, removeTestFolder } from '../support/folder.ts'
import { openIo, openSocket, upgradeStatus } from '../support/sockets.ts'

const friend = 'https://friend.example'
let site: TestApp
let email: string
let token: string

beforeAll(async () => {
  site = await startApp({ CORS_ORIGINS: friend })
  const person = await site.signUp()
  token = person.token
  email = person.email
})
afterAll(() => site[Symbol.asyncDispose]())

const socketUrl = (query = '') => `${site.url}/api/v1/socket${query}`
const bearer = (value = token) => ({ authorization: `Bearer ${value}` })

async function ticketFor(options: CallOptions = { token }): Promise<string> {
  const answer = await site.call('POST', '/api/v1/tickets', options)
  expect([answer.status, answer.body.data.expiresIn]).toEqual([201, 60])
  return answer.body.data.ticket
}

async function signIn(): Promise<string> {
  const answer = await site.call('POST', '/api/v1/sessions', { body: { email, password: testPassword } })
  return answer.body.data.accessToken
}

describe('who may open a socket', () => {
  test('a bearer token, a ticket or the session cookie opens one; nothing else does', async () => {
    expect(await upgradeStatus(socketUrl(), { headers: bearer() })).toBe(101)
    expect(await upgradeStatus(socketUrl(`?ticket=${await ticketFor()}`))).toBe(101)
    expect(await upgradeStatus(socketUrl(), { headers: { cookie: `a=b; accessToken=${token}; c=d` } })).toBe(
      101,
    )
    expect(await upgradeStatus(socketUrl())).toBe(401)
    expect(await upgradeStatus(socketUrl(), { headers: bearer('nonsense') })).toBe(401)
    expect(await upgradeStatus(socketUrl(), { headers: { authorization: 'Basic eA==' } })).toBe(401)
    expect(await upgradeStatus(socketUrl('?ticket=nonsense'))).toBe(401)
    expect(await upgradeStatus(socketUrl('?ticket='))).toBe(401)
  })

  test('R02: a token in the URL does not', async () => {
    for (const name of ['token', 'access_token', 'accessToken', 'ticket'])
      expect(await upgradeStatus(socketUrl(`?${name}=${token}`))).toBe(401)
    await expect(openIo(site.url, { query: { token } })).rejects.toThrow('Authentication error')
  })

  test('a bearer that does not hold beats a cookie that would', async () => {
    const headers = { ...bearer('nonsense'), cookie: `accessToken=${token}` }
    expect(await upgradeStatus(socketUrl(), { headers })).toBe(401)
  })

  test('other paths are not there, and what is no WebSocket is answered as plain HTTP', async () => {
    for (const path of ['/', '/api/v1/sockets', '/api/v1/socket/x', '/socket.io/x', '/%2e'])
      expect(await upgradeStatus(site.url + path, { headers: bearer() })).toBe(404)
    const plain = await fetch(`${site.url}/health`, { headers: { connection: 'keep-alive' } })
    expect(plain.status).toBe(200)
    const { request } = await import('node:http')
    const status = await new Promise(resolve => {
      const asked = request(`${site.url}/health`, { headers: { connection: 'upgrade', upgrade: 'h2c' } })
      asked.on('response', response => resolve(response.resume().statusCode)).end()
    })
    expect(status).toBe(200)
  })

  test('an account may have 50 open sockets; closing one makes room', async () => {
    const own = await site.signUp()
    const open = await Promise.all(
      Array.from({ length: 49 }, () => openSocket(socketUrl(), { headers: bearer(own.token) })),
    )
    const io = await openIo(site.url, { auth: { token: own.token } })
    expect(await upgradeStatus(socketUrl(), { headers: bearer(own.token) })).toBe(429)
    await expect(openIo(site.url, { auth: { token: own.token } })).rejects.toMatchObject({
      data: { code: 'TOO_MANY_SOCKETS', retryAfter: 10 },
    })
    expect(await upgradeStatus(socketUrl(), { headers: bearer() })).toBe(101)
    io.close()
    await expect.poll(() => upgradeStatus(socketUrl(), { headers: bearer(own.token) })).toBe(101)
    for (const each of open) each.webSocket.terminate()
  })
})

describe('tickets', () => {
  test('are good once, also for twenty at the same time', async () => {
    const ticket = await ticketFor()
    const statuses = await Promise.all(
      Array.from({ length: 20 }, () => upgradeStatus(socketUrl(`?ticket=${ticket}`))),
    )
    expect(statuses.sort()).toEqual([101, ...Array.from({ length: 19 }, () => 401)])
  })

  test('need a sign-in, and are counted', async () => {
    expect((await site.call('POST', '/api/v1/tickets')).status).toBe(401)
    const own = await site.signUp()
    const answers = await Promise.all(
      Array.from({ length: 121 }, () => site.call('POST', '/api/v1/tickets', { token: own.token })),
    )
    expect(answers.filter(answer => answer.status === 429)).toHaveLength(1)
  })

  test('R02: are good for a minute', async () => {
    let now = Date.now()
    const identity = { accountId: 'an account', sessionId: 'a session' } as Identity
    const tickets = createTickets({
      cache: createMemoryCache({ now: () => now }),
      recognise: async () => identity,
    })
    const [young, old] = [await tickets.issue(identity), await tickets.issue(identity)]
    now += 59_000
    expect(await tickets.redeem(young)).toBe(identity)
    now += 2000
    await expect(tickets.redeem(old)).rejects.toMatchObject({ code: 'INVALID_TICKET' })
  })

  test('die with their session', async () => {
    const own = await signIn()
    const ticket = await ticketFor({ token: own })
    await site.call('DELETE', '/api/v1/sessions/current', { token: own })
    expect(await upgradeStatus(socketUrl(`?ticket=${ticket}`))).toBe(401)
  })

  test('open Socket.IO too, in auth or in the URL', async () => {
    for (const options of [
      { auth: { ticket: await ticketFor() } },
      { query: { ticket: await ticketFor() } },
    ]) {
      const io = await openIo(site.url, options)
      expect(await io.ask('cancel', { generationId: 'x' })).toMatchObject({ code: 'NOT_FOUND' })
      io.close()
      await expect(openIo(site.url, options)).rejects.toThrow('Authentication error')
    }
  })
})

describe('R01: pages of other origins', () => {
  const port = () => new URL(site.url).port
  const foreign = () => [
    'https://evil.example',
    'null',
    'https://friend.example.evil.example',
    'http://friend.example',
    'https://friend.example:8443',
    `http://127.0.0.1:${Number(port()) + 1}`,
    `http://127.0.0.1.evil.example:${port()}`,
    `http://evil.example@127.0.0.1:${port()}`,
    'file://',
    'not an origin',
  ]
  const own = () => [`http://127.0.0.1:${port()}`, `http://localhost:${port()}`, friend]

  test('are refused on every wire before anything else, whatever they know', async () => {
    for (const origin of foreign()) {
      expect([origin, await upgradeStatus(socketUrl(), { headers: { ...bearer(), origin } })]).toEqual([
        origin,
        403,
      ])
      const ticket = await ticketFor()
      expect(await upgradeStatus(socketUrl(`?ticket=${ticket}`), { headers: { origin } })).toBe(403)
      expect(await upgradeStatus(socketUrl(`?ticket=${ticket}`))).toBe(101)
      const plugin = `${site.url}/plugin_generator?plugin_id=x&token=${token}`
      expect(await upgradeStatus(plugin, { headers: { origin } })).toBe(403)
      for (const transports of [['websocket'], ['polling']]) {
        const refused = openIo(site.url, { auth: { token }, transports, extraHeaders: { origin } })
        await expect(refused).rejects.toThrow(/websocket error|xhr poll error/)
      }
    }
  })

  test('our own pages and those of allowed origins may connect', async () => {
    for (const origin of own()) {
      expect([origin, await upgradeStatus(socketUrl(), { headers: { ...bearer(), origin } })]).toEqual([
        origin,
        101,
      ])
      const io = await openIo(site.url, {
        auth: { token },
        transports: ['polling'],
        extraHeaders: { origin },
      })
      io.close()
    }
  })

  test('polling has the CORS headers of the rest of the API', async () => {
    const ask = (origin: string, method = 'GET') =>
      fetch(`${site.url}/socket.io/?EIO=4&transport=polling`, {
        method,
        headers: { origin, 'access-control-request-method': 'POST' },
      })
    const allowed = await ask(friend)
    expect(allowed.status).toBe(200)
    expect(allowed.headers.get('access-control-allow-origin')).toBe(friend)
    expect(allowed.headers.get('access-control-allow-credentials')).toBe('true')
    expect((await ask(friend, 'OPTIONS')).headers.get('access-control-allow-origin')).toBe(friend)
    const refused = await ask('https://evil.example')
    expect(refused.status).toBe(403)
    expect(refused.headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('a session that ends', () => {
  test('closes its sockets within five seconds, and no others', async () => {
    const [ending, staying] = [await signIn(), await signIn()]
    const [raw, other] = [
      await openSocket(socketUrl(), { headers: bearer(ending) }),
      await openSocket(socketUrl(), { headers: bearer(staying) }),
    ]
    const io = await openIo(site.url, { auth: { token: ending } })
    const polling = await openIo(site.url, { auth: { token: ending }, transports: ['polling'] })
    const gone = [io, polling].map(
      client => new Promise(resolve => client.socket.once('disconnect', reason => resolve(reason))),
    )
    const before = performance.now()
    await site.call('DELETE', '/api/v1/sessions/current', { token: ending })
    expect(await raw.closed).toBe(4401)
    expect(await Promise.all(gone)).toEqual(['io server disconnect', 'io server disconnect'])
    expect(performance.now() - before).toBeLessThan(5000)
    expect(io.told.at(-1)).toMatchObject({ event: 'session-end', payload: { code: 'SESSION_ENDED' } })
    expect(await other.ask({ type: 'ping' })).toMatchObject({ type: 'pong' })
    expect(await upgradeStatus(socketUrl(), { headers: bearer(ending) })).toBe(401)
    other.webSocket.terminate()
  })

  test('closes them also when only the database knows of it', async () => {
    const own = await site.signUp()
    const raw = await openSocket(socketUrl(), { headers: bearer(own.token) })
    await site.app.db
      .updateTable('sessions')
      .set({ ended_at: new Date(), end_reason: 'revoked' })
      .where('account_id', '=', own.accountId)
      .execute()
    const before = performance.now()
    expect(await raw.closed).toBe(4401)
    expect(performance.now() - before).toBeLessThan(5500)
  })
})

test('P14: nothing of what opens a socket is in the log, however much is logged', async () => {
  await using database = await createTestDatabase()
  const dataDir = await makeTestFolder('log')
  let log = ''
  const sink = new Writable({
    write(chunk, _encoding, done) {
      log += chunk
      done()
    },
  })
  const config = loadConfig({ PORT: '0', HOST: '127.0.0.1', DATABASE_URL: database.url, DATA_DIR: dataDir })
  const logger = pino({ level: 'trace' }, sink)
  const app = await createApp({ config, logger, built: Promise.resolve(null) })
  const secrets: string[] = []
  try {
    const url = (await app.listen()).replace('localhost', '127.0.0.1')
    const post = async (path: string, body: object, value = '') => {
      const headers = { 'content-type': 'application/json', ...(value ? bearer(value) : {}) }
      const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
      // biome-ignore lint/suspicious/noExplicitAny: the answer's shape is not this test's matter
      return ((await answer.json()) as any).data
    }
    const own = (await post('/api/v1/accounts', { email: 'log@example.com', password: testPassword }))
      .accessToken
    const { ticket } = await post('/api/v1/tickets', {}, own)
    const second = (await post('/api/v1/tickets', {}, own)).ticket
    secrets.push(own, ticket, second)
    for (const query of [`?ticket=${ticket}`, `?ticket=${ticket}`, `?token=${own}`])
      await upgradeStatus(`${url}/api/v1/socket${query}`)
    await upgradeStatus(`${url}/nowhere?ticket=${second}`)
    for (const transports of [['websocket'], ['polling']])
      await openIo(url, { query: { ticket: second }, transports }).then(
        io => io.close(),
        () => {},
      )
  } finally {
    await app.close()
    await removeTestFolder(dataDir)
  }
  expect(log).toContain('listening')
  for (const secret of secrets) expect(log).not.toContain(secret)
})

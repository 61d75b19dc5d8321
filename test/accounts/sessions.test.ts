import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createMemoryCache } from '../../src/platform/cache/memory.ts'
import { createTestAccounts, password, signIn, signUpSomebody, type TestAccounts } from './support.ts'

const graceMs = 10_000

describe('refreshing', () => {
  let site: TestAccounts
  beforeAll(async () => {
    site = await createTestAccounts()
  })
  afterAll(() => site.close())

  const refresh = (refreshToken: unknown) => site.call('POST', '/sessions/refresh', { refreshToken })
  const events = async (token: string) =>
    (await site.call('GET', '/me/security-events', undefined, { token })).body.data.events as {
      kind: string
    }[]

  test('A08: a token used again outside its grace ends the whole family, and is noted', async () => {
    const person = await signUpSomebody(site)
    const other = await signIn(site, person.email)
    const r1 = (await refresh(person.refreshToken)).body.data
    const r2 = (await refresh(r1.refreshToken)).body.data
    site.clock.advance(graceMs + 1000)
    expect((await refresh(person.refreshToken)).body.code).toBe('INVALID_REFRESH_TOKEN')
    for (const token of [r1.refreshToken, r2.refreshToken]) expect((await refresh(token)).status).toBe(401)
    for (const token of [person.token, r1.accessToken, r2.accessToken]) {
      expect((await site.call('GET', '/me', undefined, { token })).status).toBe(401)
    }
    expect((await refresh(other.refreshToken)).status).toBe(200)
    const reuse = (await events(other.token)).filter(event => event.kind === 'refresh-token-reused')
    expect(reuse).toHaveLength(1)
  })

  test('the parent of a used token is past its grace however soon it comes', async () => {
    const person = await signUpSomebody(site)
    const r1 = (await refresh(person.refreshToken)).body.data
    const r2 = (await refresh(r1.refreshToken)).body.data
    expect((await refresh(person.refreshToken)).status).toBe(401)
    expect((await refresh(r2.refreshToken)).status).toBe(401)
  })

  test('a lost answer can be asked for again within ten seconds, and not after', async () => {
    const person = await signUpSomebody(site)
    const first = (await refresh(person.refreshToken)).body.data
    site.clock.advance(graceMs)
    const again = (await refresh(person.refreshToken)).body.data
    expect(again.refreshToken).toBe(first.refreshToken)
    expect((await site.call('GET', '/me', undefined, { token: again.accessToken })).status).toBe(200)
    site.clock.advance(1)
    expect((await refresh(person.refreshToken)).status).toBe(401)
  })

  test('A09: twenty at once get one child, fifty times over', async () => {
    const person = await signUpSomebody(site)
    let current = person.refreshToken
    let access = person.token
    for (let round = 0; round < 50; round++) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(current)))
      expect(answers.map(answer => answer.status)).toEqual(Array(20).fill(200))
      const children = new Set(answers.map(answer => answer.body.data.refreshToken as string))
      expect(children.size).toBe(1)
      const [child] = children
      expect(child).not.toBe(current)
      current = child ?? ''
      access = answers[0]?.body.data.accessToken
    }
    expect((await site.call('GET', '/me', undefined, { token: access })).status).toBe(200)
    const sessionId = JSON.parse(Buffer.from(access.split('.')[1] ?? '', 'base64url').toString()).sid
    const rows = await site.db
      .selectFrom('refresh_tokens')
      .select(['used_at'])
      .where('session_id', '=', sessionId)
      .execute()
    expect(rows).toHaveLength(51)
    expect(rows.filter(row => row.used_at === null)).toHaveLength(1)
  })

  test('ends after seven days without use, and after ninety with it', async () => {
    await using own = await createTestAccounts()
    const day = 24 * 60 * 60 * 1000
    const idle = await signUpSomebody(own)
    const busy = await signUpSomebody(own)
    own.clock.advance(7 * day)
    expect((await own.call('POST', '/sessions/refresh', { refreshToken: idle.refreshToken })).status).toBe(
      401,
    )
    let { refreshToken } = await signIn(own, busy.email)
    for (let days = 0; days < 84; days += 6) {
      own.clock.advance(6 * day)
      const answer = await own.call('POST', '/sessions/refresh', { refreshToken })
      expect(answer.status).toBe(200)
      refreshToken = answer.body.data.refreshToken
    }
    own.clock.advance(6 * day)
    expect((await own.call('POST', '/sessions/refresh', { refreshToken })).status).toBe(401)
  })

  test('access tokens that live for a month (JWT_EXPIRES_IN) keep their session, not their refresh token', async () => {
    const day = 24 * 60 * 60 * 1000
    await using own = await createTestAccounts({ accessLifetimeSeconds: (30 * day) / 1000 })
    const { token, refreshToken } = await signUpSomebody(own)
    own.clock.advance(8 * day)
    expect((await own.call('GET', '/me', undefined, { token })).status).toBe(200)
    expect((await own.call('POST', '/sessions/refresh', { refreshToken })).status).toBe(401)
    own.clock.advance(22 * day)
    expect((await own.call('GET', '/me', undefined, { token })).status).toBe(401)
  })

  test('one sign-in may ask for a longer access token, for clients that know only one token', async () => {
    await using own = await createTestAccounts()
    const { email } = await signUpSomebody(own)
    const wish = { name: 'A client of old', accessLifetimeSeconds: 7 * 24 * 3600 }
    const { tokens } = await own.accounts.signIn(
      { email, password, session: wish },
      { ip: '127.0.0.1', userAgent: null },
    )
    expect(tokens.expiresIn).toBe(wish.accessLifetimeSeconds)
    own.clock.advance(7 * 24 * 3600 * 1000 - 1000)
    const me = await own.call('GET', '/me', undefined, { token: tokens.accessToken })
    expect(me.status).toBe(200)
    await own.call('DELETE', '/sessions/current', undefined, { token: tokens.accessToken })
    expect((await own.call('GET', '/me', undefined, { token: tokens.accessToken })).status).toBe(401)
  })

  test.each([null, '', [], {}, 0, true, { $ne: null }, 'undefined', 'atr_', 'x'.repeat(10_000)])(
    'refuses %j as a token',
    async token => {
      const answer = await refresh(token)
      expect([400, 401]).toContain(answer.status)
    },
  )

  test('keeps no token as it is', async () => {
    const person = await signUpSomebody(site)
    const child = (await refresh(person.refreshToken)).body.data.refreshToken
    const rows = await site.db.selectFrom('refresh_tokens').selectAll().execute()
    const kept = JSON.stringify(rows.map(row => ({ ...row, token_hash: row.token_hash.toString('latin1') })))
    for (const token of [person.refreshToken, child]) {
      expect(kept).not.toContain(token)
      expect(kept).not.toContain(token.slice(4))
    }
  })
})

describe('the end of a session', () => {
  let site: TestAccounts
  beforeAll(async () => {
    site = await createTestAccounts()
  })
  afterAll(() => site.close())

  const me = async (token: string) => (await site.call('GET', '/me', undefined, { token })).status

  test('A07: signing out refuses both tokens at once and closes what is open', async () => {
    const person = await signUpSomebody(site)
    const { sessionId } = await site.accounts.authenticate(person.token)
    const closed = vi.fn()
    site.accounts.watchSession(sessionId, closed)
    const stop = site.accounts.watchSession(sessionId, () => expect.unreachable('it stopped watching'))
    stop()
    expect((await site.call('DELETE', '/sessions/current', undefined, { token: person.token })).status).toBe(
      200,
    )
    expect(await me(person.token)).toBe(401)
    const refreshed = await site.call('POST', '/sessions/refresh', { refreshToken: person.refreshToken })
    expect(refreshed.status).toBe(401)
    expect(closed).toHaveBeenCalledTimes(1)
    const late = vi.fn()
    site.accounts.watchSession(sessionId, late)
    await vi.waitFor(() => expect(late).toHaveBeenCalledTimes(1), { timeout: 500, interval: 5 })
  })

  test('reaches another process by message at once, and without one within five seconds', async () => {
    const cache = createMemoryCache()
    const database = { db: site.db }
    const shared = { database, now: site.clock.now }
    await using here = await createTestAccounts({ ...shared, cache })
    await using connected = await createTestAccounts({ ...shared, cache })
    await using alone = await createTestAccounts(shared)
    const status = async (at: TestAccounts, token: string) =>
      (await at.call('GET', '/me', undefined, { token })).status
    const person = await signUpSomebody(here)
    expect(await status(connected, person.token)).toBe(200)
    expect(await status(alone, person.token)).toBe(200)
    await here.call('DELETE', '/sessions/current', undefined, { token: person.token })
    expect(await status(connected, person.token)).toBe(401)
    site.clock.advance(5000)
    expect(await status(alone, person.token)).toBe(401)
  })

  test('closes what is open in a process that no message reaches, within five seconds', async () => {
    const database = { db: site.db }
    await using alone = await createTestAccounts({ database, now: site.clock.now })
    const person = await signUpSomebody(site)
    const { sessionId } = await alone.accounts.authenticate(person.token)
    const closed = vi.fn()
    alone.accounts.watchSession(sessionId, closed)
    await site.call('DELETE', '/sessions/current', undefined, { token: person.token })
    await vi.waitFor(() => expect(closed).toHaveBeenCalledTimes(1), { timeout: 5000, interval: 50 })
  })

  test('A12: a password change needs the right one and ends the other sessions', async () => {
    const person = await signUpSomebody(site)
    const others = [await signIn(site, person.email), await signIn(site, person.email)]
    const change = (body: object) => site.call('PUT', '/me/password', body, { token: person.token })
    const newPassword = 'another battery staple'
    expect((await change({ newPassword })).status).toBe(400)
    const wrong = await change({ currentPassword: 'wrong password', newPassword })
    expect([wrong.status, wrong.body.code]).toEqual([400, 'INVALID_PASSWORD'])
    for (const other of others) expect(await me(other.token)).toBe(200)
    expect((await change({ currentPassword: password, newPassword })).status).toBe(200)
    expect(await me(person.token)).toBe(200)
    for (const other of others) {
      expect(await me(other.token)).toBe(401)
      const answer = await site.call('POST', '/sessions/refresh', { refreshToken: other.refreshToken })
      expect(answer.status).toBe(401)
    }
    expect((await site.call('POST', '/sessions', { email: person.email, password })).status).toBe(401)
    const again = await site.call('POST', '/sessions', { email: person.email, password: newPassword })
    expect(again.status).toBe(201)
    await site.accounts.idle()
    expect(site.outbox.texts(person.email).join()).toContain('password of your account was changed')
  })

  test('A12: wrong current passwords count like wrong sign-ins', async () => {
    const person = await signUpSomebody(site)
    const body = { currentPassword: 'wrong password', newPassword: 'another battery staple' }
    const statuses: number[] = []
    for (let i = 0; i < 12; i++) {
      statuses.push((await site.call('PUT', '/me/password', body, { token: person.token })).status)
    }
    expect(statuses).toEqual([...Array(10).fill(400), 429, 429])
    expect((await site.call('POST', '/sessions', { email: person.email, password })).status).toBe(429)
  })

  test('devices are listed, named and signed out one by one or all others', async () => {
    const person = await signUpSomebody(site)
    const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
    const phone = await signIn(site, person.email, { headers: { 'user-agent': agent } })
    const third = await signIn(site, person.email)
    const options = { token: person.token }
    const list = async () => (await site.call('GET', '/sessions', undefined, options)).body.data.sessions
    const before = await list()
    expect(before).toHaveLength(3)
    expect(before.filter((session: { isCurrent: boolean }) => session.isCurrent)).toHaveLength(1)
    const found = before.find((session: { name: string }) => session.name === 'Firefox on Linux')
    const named = await site.call('PATCH', `/sessions/${found.id}`, { name: 'My phone' }, options)
    expect(named.body.data.session.name).toBe('My phone')
    expect((await site.call('DELETE', `/sessions/${found.id}`, undefined, options)).status).toBe(200)
    expect(await me(phone.token)).toBe(401)
    expect(await me(third.token)).toBe(200)
    expect((await site.call('DELETE', '/sessions', undefined, options)).body.data).toEqual({ ended: 1 })
    expect([await me(third.token), await me(person.token)]).toEqual([401, 200])
    expect(await list()).toHaveLength(1)
  })

  test('P5: a foreign session is as absent as one that never was', async () => {
    const [ada, eve] = [await signUpSomebody(site), await signUpSomebody(site)]
    const { sessionId } = await site.accounts.authenticate(ada.token)
    const options = { token: eve.token }
    for (const [method, body] of [
      ['DELETE', undefined],
      ['PATCH', { name: 'mine now' }],
    ] as const) {
      const foreign = await site.call(method, `/sessions/${sessionId}`, body, options)
      const absent = await site.call(method, '/sessions/01936b2e-8f6a-7c3d-9f7e-2a4b6c8d0e1f', body, options)
      const nonsense = await site.call(method, "/sessions/'%20or%201=1", body, options)
      expect(foreign.status).toBe(404)
      expect([absent.text, nonsense.text]).toEqual([foreign.text, foreign.text])
    }
    expect(await me(ada.token)).toBe(200)
  })
})

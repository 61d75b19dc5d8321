import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  codeFor,
  createTestAccounts,
  otherCode,
  password,
  signIn,
  signUpSomebody,
  type TestAccounts,
} from './support.ts'

const day = 24 * 60 * 60 * 1000
const client = { ip: '127.0.0.1', userAgent: null }

describe('my account', () => {
  let site: TestAccounts
  beforeAll(async () => {
    site = await createTestAccounts({ limits: { codesPerNetworkPerHour: 10_000 } })
  })
  afterAll(() => site.close())

  type Person = Awaited<ReturnType<typeof signUpSomebody>>
  const change = (person: Person, body: object) => site.call('PATCH', '/me', body, { token: person.token })

  test('can be renamed, and what is not named stays', async () => {
    const person = await signUpSomebody(site)
    const first = await change(person, {
      name: ' Ada ',
      firstName: 'Ada',
      lastName: 'King',
      username: 'Ada.King',
    })
    expect(first.body.data.account).toMatchObject({
      name: 'Ada',
      firstName: 'Ada',
      lastName: 'King',
      username: 'Ada.King',
    })
    const second = await change(person, { lastName: 'Lovelace', name: null })
    expect(second.body.data.account).toMatchObject({
      name: 'Ada Lovelace',
      username: 'Ada.King',
      email: person.email,
    })
    const taken = await change(await signUpSomebody(site), { username: 'ADA.KING' })
    expect([taken.status, taken.body.code]).toEqual([409, 'USERNAME_TAKEN'])
    expect((await change(person, { username: 'ada.king' })).status).toBe(200)
  })

  test.each([
    { role: 'admin' },
    { plan: 'pro' },
    { status: 'active' },
    { email: 'other@example.com' },
    { id: '01936b2e-8f6a-7c3d-9f7e-2a4b6c8d0e1f' },
    { isEmailVerified: true },
    { passwordHash: 'x' },
    { createdAt: '2020-01-01T00:00:00.000Z' },
    { username: '../..' },
    { username: 'a b' },
    { name: '' },
    { name: 5 },
  ])('refuses %j', async body => {
    const person = await signUpSomebody(site)
    const before = (await site.call('GET', '/me', undefined, { token: person.token })).text
    const answer = await change(person, body)
    expect([answer.status, answer.body.code]).toEqual([400, 'VALIDATION_ERROR'])
    expect((await site.call('GET', '/me', undefined, { token: person.token })).text).toBe(before)
  })

  describe('a new address', () => {
    const move = (person: Person, body: object) =>
      site.call('PUT', '/me/email', body, { token: person.token })

    test('needs its code and the password; then it signs in, and the old one is told and does not', async () => {
      const person = await signUpSomebody(site)
      const email = `moved-${person.email}`
      const code = await codeFor(site, email, 'address-change', { token: person.token })
      expect((await move(person, { email, code })).status).toBe(400)
      expect((await move(person, { email, code, currentPassword: 'wrong password' })).body.code).toBe(
        'INVALID_PASSWORD',
      )
      const wrong = await move(person, { email, code: otherCode(code), currentPassword: password })
      expect(wrong.body.code).toBe('INVALID_CODE')
      const moved = await move(person, { email, code, currentPassword: password })
      expect(moved.body.data.account).toMatchObject({ email, isEmailVerified: true })
      expect((await site.call('POST', '/sessions', { email, password })).status).toBe(201)
      expect((await site.call('POST', '/sessions', { email: person.email, password })).status).toBe(401)
      await site.accounts.idle()
      expect(site.outbox.texts(person.email).join()).toContain('uses another address')
    })

    test('that it has already is verified so, and nobody is told of a change', async () => {
      const person = await signUpSomebody(site)
      const before = await site.call('GET', '/me', undefined, { token: person.token })
      expect(before.body.data.account.isEmailVerified).toBe(false)
      const code = await codeFor(site, person.email, 'address-change', { token: person.token })
      const proven = await move(person, { email: person.email, code, currentPassword: password })
      expect(proven.body.data.account).toMatchObject({ email: person.email, isEmailVerified: true })
      await site.accounts.idle()
      expect(site.outbox.texts(person.email).join()).not.toContain('uses another address')
      const log = await site.call('GET', '/me/security-events', undefined, { token: person.token })
      expect(log.body.data.events[0].kind).toBe('email-verified')
    })

    test('of somebody else is refused, and asking for its code does not tell', async () => {
      const [ada, eve] = [await signUpSomebody(site), await signUpSomebody(site)]
      const known = await site.call(
        'POST',
        '/codes',
        { email: ada.email, purpose: 'address-change' },
        { token: eve.token },
      )
      const free = await site.call(
        'POST',
        '/codes',
        { email: 'free@example.com', purpose: 'address-change' },
        { token: eve.token },
      )
      expect(known.text).toBe(free.text)
      await site.accounts.idle()
      const code = site.outbox.code(ada.email)
      const answer = await move(eve, { email: ada.email, code, currentPassword: password })
      expect([answer.status, answer.body.code]).toEqual([409, 'EMAIL_TAKEN'])
      expect((await site.call('POST', '/sessions', { email: ada.email, password })).status).toBe(201)
    })

    test('cannot be taken with the code that another account asked for', async () => {
      const [ada, eve] = [await signUpSomebody(site), await signUpSomebody(site)]
      const email = `contested-${ada.email}`
      const code = await codeFor(site, email, 'address-change', { token: ada.token })
      expect((await move(eve, { email, code, currentPassword: password })).body.code).toBe('INVALID_CODE')
    })

    test('needs a sign-in even to ask', async () => {
      const answer = await site.call('POST', '/codes', { email: 'x@example.com', purpose: 'address-change' })
      expect(answer.status).toBe(401)
    })

    test('can be a mobile number beside the e-mail address', async () => {
      const person = await signUpSomebody(site)
      const mobile = '+14155550166'
      await site.call('POST', '/codes', { mobile, purpose: 'address-change' }, { token: person.token })
      await site.accounts.idle()
      const body = { mobile, code: site.outbox.code(mobile), currentPassword: password }
      const answer = await site.call('PUT', '/me/mobile', body, { token: person.token })
      expect(answer.body.data.account).toMatchObject({ email: person.email, mobile, isMobileVerified: true })
      expect((await site.call('POST', '/sessions', { mobile, password })).status).toBe(201)
      expect((await site.call('POST', '/sessions', { email: person.email, password })).status).toBe(201)
    })
  })

  test('has numbers that later features add', async () => {
    site.accounts.onStatistics(async () => ({ conversations: 2, messages: 5 }))
    site.accounts.onStatistics(async accountId => ({ idLength: accountId.length }))
    const { token } = await signUpSomebody(site)
    const answer = await site.call('GET', '/me/statistics', undefined, { token })
    expect(answer.body.data.statistics).toEqual({ conversations: 2, messages: 5, idLength: 36 })
  })

  describe('the security log', () => {
    test('shows me what happened to me, the newest first, a page at a time', async () => {
      const [person, other] = [await signUpSomebody(site), await signUpSomebody(site)]
      await site.call('POST', '/sessions', { email: person.email, password: 'wrong password' })
      const { token } = await signIn(site, person.email, { headers: { 'user-agent': 'curl/8' } })
      const read = async (query: string) =>
        (await site.call('GET', `/me/security-events${query}`, undefined, { token })).body.data
      const all = await read('')
      expect(all.events.map((event: { kind: string }) => event.kind)).toEqual([
        'signed-in',
        'sign-in-failed',
        'account-created',
      ])
      expect(all.events[0]).toMatchObject({ accountId: person.id, ip: '127.0.0.1', userAgent: 'curl/8' })
      expect(JSON.stringify(all)).not.toContain(other.id)
      const first = await read('?limit=2')
      const second = await read(`?limit=2&cursor=${first.nextCursor}`)
      expect([...first.events, ...second.events]).toEqual(all.events)
      expect(second.nextCursor).toBeNull()
      expect((await read("?cursor='%20or%201=1")).events).toEqual(all.events)
    })

    test('cannot be rewritten, not even by a query', async () => {
      await signUpSomebody(site)
      await expect(sql`update security_events set kind = 'nothing'`.execute(site.db)).rejects.toThrow(
        'append-only',
      )
      await expect(sql`delete from security_events`.execute(site.db)).rejects.toThrow('append-only')
    })
  })

  describe('administration', () => {
    async function admin() {
      const person = await signUpSomebody(site)
      await site.accounts.setRole(person.email, 'admin')
      return person
    }

    test('is for administrators, from the moment they are, until they are not', async () => {
      const person = await signUpSomebody(site)
      const list = () => site.call('GET', '/admin/accounts', undefined, { token: person.token })
      const refused = await list()
      expect([refused.status, refused.body.code]).toEqual([403, 'ADMIN_ONLY'])
      await site.accounts.setRole(person.email.toUpperCase(), 'admin')
      expect((await list()).status).toBe(200)
      await site.accounts.setRole(person.email, 'user')
      expect((await list()).status).toBe(403)
      for (const [method, path] of [
        ['GET', '/admin/security-events'],
        ['POST', `/admin/accounts/${person.id}/ban`],
        ['POST', `/admin/accounts/${person.id}/unban`],
      ] as const) {
        expect((await site.call(method, path, undefined, { token: person.token })).status).toBe(403)
        expect((await site.call(method, path)).status).toBe(401)
      }
      await expect(site.accounts.setRole('nobody@example.com', 'admin')).rejects.toMatchObject({
        status: 404,
      })
    })

    test('a ban ends every session at once and lets nobody in until it is lifted', async () => {
      const { token } = await admin()
      const person = await signUpSomebody(site)
      const act = (id: string, verb: string) =>
        site.call('POST', `/admin/accounts/${id}/${verb}`, undefined, { token })
      expect((await act(person.id, 'ban')).status).toBe(200)
      expect((await site.call('GET', '/me', undefined, { token: person.token })).status).toBe(401)
      const refresh = { refreshToken: person.refreshToken }
      expect((await site.call('POST', '/sessions/refresh', refresh)).status).toBe(401)
      const entered = await site.call('POST', '/sessions', { email: person.email, password })
      expect([entered.status, entered.body.code]).toEqual([403, 'ACCOUNT_BANNED'])
      const wrong = await site.call('POST', '/sessions', { email: person.email, password: 'wrong password' })
      expect(wrong.body.code).toBe('INVALID_CREDENTIALS')
      expect((await act(person.id, 'ban')).status).toBe(404)
      expect((await act(person.id, 'unban')).status).toBe(200)
      site.clock.advance(5000)
      expect((await site.call('GET', '/me', undefined, { token: person.token })).status).toBe(401)
      expect((await site.call('POST', '/sessions', { email: person.email, password })).status).toBe(201)
      expect((await act('01936b2e-8f6a-7c3d-9f7e-2a4b6c8d0e1f', 'ban')).status).toBe(404)
      expect((await act('nonsense', 'ban')).status).toBe(404)
    })

    test('nobody closes their own account by mistake', async () => {
      const person = await admin()
      const answer = await site.call('POST', `/admin/accounts/${person.id}/ban`, undefined, {
        token: person.token,
      })
      expect(answer.status).toBe(409)
    })

    test('searches accounts and reads the log of one of them, without a secret', async () => {
      const { token } = await admin()
      const person = await signUpSomebody(site, 'Findme%_@example.com')
      const found = await site.call('GET', '/admin/accounts?search=FINDME%25_', undefined, { token })
      expect(found.body.data.accounts.map((account: { id: string }) => account.id)).toEqual([person.id])
      expect(
        (await site.call('GET', '/admin/accounts?search=%25', undefined, { token })).body.data.accounts,
      ).toHaveLength(1)
      const pages = await site.call('GET', '/admin/accounts?limit=1', undefined, { token })
      expect(pages.body.data.nextCursor).toBe(pages.body.data.accounts[0].id)
      const events = await site.call('GET', `/admin/security-events?accountId=${person.id}`, undefined, {
        token,
      })
      expect(events.body.data.events.map((event: { kind: string }) => event.kind)).toEqual([
        'account-created',
      ])
      expect(found.text + events.text).not.toMatch(/argon2|password_?hash/i)
    })
  })

  describe('deletion', () => {
    const erase = (person: Person, body?: object) => site.call('DELETE', '/me', body, { token: person.token })

    test('needs the password or a code for just that', async () => {
      const person = await signUpSomebody(site)
      expect((await erase(person)).status).toBe(400)
      expect((await erase(person, {})).status).toBe(400)
      expect((await erase(person, { password: 'wrong password' })).body.code).toBe('INVALID_PASSWORD')
      const code = await codeFor(site, person.email, 'account-deletion')
      const body = { email: person.email, purpose: 'account-deletion', code }
      const { verificationToken } = (await site.call('POST', '/codes/verify', body)).body.data
      const eve = await signUpSomebody(site)
      expect((await erase(eve, { verificationToken })).status).toBe(400)
      const { verificationToken: own } = (
        await site.call('POST', '/codes/verify', {
          ...body,
          code: await codeFor(site, person.email, 'account-deletion'),
        })
      ).body.data
      expect((await erase(person, { verificationToken: own })).status).toBe(200)
      expect((await site.call('GET', '/me', undefined, { token: person.token })).status).toBe(401)
      expect((await site.call('POST', '/sessions', { email: person.email, password })).status).toBe(401)
    })

    test('leaves no trace of the person in any table, and the address is free again', async () => {
      // Proven before the account was there, so that a code and a token without an account are among the traces.
      const address = { email: 'Erase.Me@Example.com', purpose: 'sign-up' }
      await site.call('POST', '/codes', address)
      await site.accounts.idle()
      const code = site.outbox.code('Erase.Me@example.com')
      await site.call('POST', '/codes/verify', { ...address, code })
      const person = await signUpSomebody(site, address.email)
      await signIn(site, person.email)
      await change(person, { name: 'Trace of a name', username: 'trace-of-username' })
      await codeFor(site, 'Erase.Me@example.com', 'verification')
      await codeFor(site, 'Erase.Me@example.com', 'password-reset')
      expect(await tracesOf(site, [person.id, 'erase.me', 'trace-of'])).not.toEqual([])
      expect((await erase(person, { password })).status).toBe(200)
      await site.accounts.idle()
      expect(await tracesOf(site, [person.id, 'erase.me', 'trace-of'])).toEqual([])
      expect((await signUpSomebody(site, 'erase.me@example.com')).id).not.toBe(person.id)
    })

    test('asks later features first, the last added first; what fails is done later, and nothing works meanwhile', async () => {
      await using own = await createTestAccounts()
      const asked: string[] = []
      let isBroken = true
      own.accounts.onErase('files', async id => void asked.push(`files ${id}`))
      own.accounts.onErase('jobs', async id => {
        asked.push(`jobs ${id}`)
        if (isBroken) throw new Error('the store is down')
      })
      const person = await signUpSomebody(own)
      expect((await own.call('DELETE', '/me', { password }, { token: person.token })).status).toBe(200)
      expect(asked).toEqual([`jobs ${person.id}`, `files ${person.id}`])
      expect(own.failures).toHaveLength(1)
      expect((await own.call('GET', '/me', undefined, { token: person.token })).status).toBe(401)
      expect((await own.call('POST', '/sessions', { email: person.email, password })).status).toBe(401)
      expect((await own.call('POST', '/accounts', { email: person.email, password })).status).toBe(409)
      isBroken = false
      await own.accounts.tidy()
      expect(await tracesOf(own, [person.id])).not.toEqual([])
      own.clock.advance(61_000)
      await own.accounts.tidy()
      expect(await tracesOf(own, [person.id, person.email])).toEqual([])
    })
  })

  test('time clears registrations that nobody proved, old sessions and old events', async () => {
    await using own = await createTestAccounts()
    await own.accounts.signUp({ email: 'never@example.com', password, verification: 'required' }, client)
    const person = await signUpSomebody(own)
    own.clock.advance(8 * day)
    await own.accounts.tidy()
    const emails = async () =>
      (await own.db.selectFrom('accounts').select('email').execute()).map(row => row.email)
    expect(await emails()).toEqual([person.email])
    const count = async (table: 'sessions' | 'security_events') =>
      (await own.db.selectFrom(table).select('id').execute()).length
    expect(await count('sessions')).toBe(1)
    own.clock.advance(31 * day)
    await own.accounts.tidy()
    expect(await count('sessions')).toBe(0)
    expect(await count('security_events')).toBeGreaterThan(0)
    own.clock.advance(400 * day)
    await own.accounts.tidy()
    expect(await count('security_events')).toBe(0)
    expect(await emails()).toEqual([person.email])
  })
})

/** Tables in which one of the texts occurs, in any column, in any letter case. */
async function tracesOf(site: TestAccounts, texts: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`.execute(
    site.db,
  )
  const found: string[] = []
  for (const { name } of rows) {
    for (const text of texts) {
      const hits =
        await sql`select 1 from ${sql.table(name)} as t where position(lower(${text}) in lower(t::text)) > 0 limit 1`.execute(
          site.db,
        )
      if (hits.rows.length > 0) found.push(`${text} in ${name}`)
    }
  }
  return found
}

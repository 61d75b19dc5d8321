import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestAccounts, password, signUpSomebody, type TestAccounts } from './support.ts'

const minute = 60_000

describe('sessions in cookies', () => {
  let site: TestAccounts
  beforeAll(async () => {
    site = await createTestAccounts()
  })
  afterAll(() => site.close())

  async function browser() {
    const person = await signUpSomebody(site)
    const cookies: Record<string, string> = { accessToken: person.token, refreshToken: person.refreshToken }
    return { ...person, cookies }
  }

  test('are out of reach for scripts, for other sites, and on plain http in production', async () => {
    const answer = await site.server.inject({
      method: 'POST',
      url: '/api/v1/accounts',
      payload: { email: 'cookies@example.com', password },
    })
    for (const cookie of answer.cookies) {
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/', maxAge: 604_800 })
    }
    await using production = await createTestAccounts({ secureCookies: true, database: { db: site.db } })
    const secure = await production.server.inject({
      method: 'POST',
      url: '/api/v1/sessions',
      payload: { email: 'cookies@example.com', password },
    })
    expect(secure.cookies.map(cookie => [cookie.name, cookie.secure])).toEqual([
      ['accessToken', true],
      ['refreshToken', true],
    ])
  })

  test('sign in where there is no bearer token; a bearer token beats them', async () => {
    const [ada, bob] = [await browser(), await browser()]
    const byCookie = await site.call('GET', '/me', undefined, { cookies: ada.cookies })
    expect(byCookie.body.data.account.id).toBe(ada.id)
    const byBearer = await site.call('GET', '/me', undefined, { cookies: ada.cookies, token: bob.token })
    expect(byBearer.body.data.account.id).toBe(bob.id)
    expect((await site.call('GET', '/me', undefined, { cookies: ada.cookies, token: 'wrong' })).status).toBe(
      401,
    )
  })

  test('renew an expired access token within the request, twenty at once to the same tokens', async () => {
    const ada = await browser()
    site.clock.advance(16 * minute)
    expect((await site.call('GET', '/me', undefined, { token: ada.token })).body.code).toBe('TOKEN_EXPIRED')
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => site.call('GET', '/me', undefined, { cookies: ada.cookies })),
    )
    expect(answers.map(answer => answer.status)).toEqual(Array(20).fill(200))
    expect(new Set(answers.map(answer => answer.cookies.refreshToken)).size).toBe(1)
    const renewed = answers[0]?.cookies ?? {}
    expect(renewed.refreshToken).not.toBe(ada.cookies.refreshToken)
    const next = await site.call('GET', '/me', undefined, { cookies: renewed })
    expect([next.status, next.cookies]).toEqual([200, {}])
  })

  test('renew with the refresh cookie alone, and never with an expired access cookie alone', async () => {
    const ada = await browser()
    const { accessToken = '', refreshToken = '' } = ada.cookies
    site.clock.advance(16 * minute)
    expect((await site.call('GET', '/me', undefined, { cookies: { accessToken } })).status).toBe(401)
    const renewed = await site.call('GET', '/me', undefined, { cookies: { refreshToken } })
    expect(renewed.status).toBe(200)
    expect(renewed.cookies.accessToken).toBeTruthy()
  })

  test('are taken away when they no longer hold', async () => {
    const ada = await browser()
    await site.call('DELETE', '/sessions/current', undefined, { token: ada.token })
    const refused = await site.call('GET', '/me', undefined, { cookies: ada.cookies })
    expect(refused.status).toBe(401)
    expect(refused.cookies).toMatchObject({ accessToken: '', refreshToken: '' })
    const optional = await site.call('GET', '/csrf-token', undefined, { cookies: ada.cookies })
    expect(optional.status).toBe(200)
  })

  test('refresh and sign out without a body', async () => {
    const ada = await browser()
    const refreshed = await site.call('POST', '/sessions/refresh', undefined, { cookies: ada.cookies })
    expect(refreshed.status).toBe(200)
    const csrf = await site.call('GET', '/csrf-token', undefined, { cookies: refreshed.cookies })
    const out = await site.call('DELETE', '/sessions/current', undefined, {
      cookies: { ...refreshed.cookies, ...csrf.cookies },
      headers: { 'x-csrf-token': csrf.body.data.csrfToken },
    })
    expect([out.status, out.cookies.accessToken, out.cookies.refreshToken]).toEqual([200, '', ''])
    expect((await site.call('POST', '/sessions/refresh')).body.code).toBe('REFRESH_TOKEN_MISSING')
  })

  describe('CSRF', () => {
    const rename = (options: object) => site.call('PATCH', '/me', { name: 'changed' }, options)

    test('a call that only a cookie vouches for needs the token of its own session, twice', async () => {
      const [ada, eve] = [await browser(), await browser()]
      const tokenOf = async (cookies: Record<string, string>) =>
        (await site.call('GET', '/csrf-token', undefined, { cookies })).body.data.csrfToken as string
      const [own, foreign, nobody] = [
        await tokenOf(ada.cookies),
        await tokenOf(eve.cookies),
        await tokenOf({}),
      ]
      const attempt = (header: string | undefined, cookie: string | undefined) =>
        rename({
          cookies: { ...ada.cookies, ...(cookie === undefined ? {} : { _csrf: cookie }) },
          headers: header === undefined ? {} : { 'x-csrf-token': header },
        })
      expect((await attempt(own, own)).status).toBe(200)
      for (const [header, cookie] of [
        [undefined, undefined],
        [undefined, own],
        [own, undefined],
        [own, foreign],
        [foreign, foreign],
        [nobody, nobody],
        ['', ''],
        ['a.b', 'a.b'],
        [own.replace(/.$/, own.endsWith('A') ? 'B' : 'A'), own],
      ]) {
        const refused = await attempt(header, cookie)
        expect([refused.status, refused.body.code]).toEqual([403, 'INVALID_CSRF_TOKEN'])
      }
    })

    test('is not asked of bearer tokens, of reading, or of what needs no sign-in', async () => {
      const ada = await browser()
      expect((await rename({ token: ada.token })).status).toBe(200)
      expect((await rename({ token: ada.token, cookies: ada.cookies })).status).toBe(200)
      expect((await site.call('GET', '/sessions', undefined, { cookies: ada.cookies })).status).toBe(200)
      const again = await site.call(
        'POST',
        '/sessions',
        { email: ada.email, password },
        { cookies: ada.cookies },
      )
      expect(again.status).toBe(201)
    })

    test('goes on after a silent renewal', async () => {
      const ada = await browser()
      const csrf = await site.call('GET', '/csrf-token', undefined, { cookies: ada.cookies })
      site.clock.advance(16 * minute)
      const renamed = await rename({
        cookies: { ...ada.cookies, ...csrf.cookies },
        headers: { 'x-csrf-token': csrf.body.data.csrfToken },
      })
      expect(renamed.status).toBe(200)
      expect(renamed.cookies.accessToken).toBeTruthy()
    })

    test('is asked of every route that changes something', async () => {
      const ada = await browser()
      for (const [method, path] of [
        ['PUT', '/me/password'],
        ['PUT', '/me/email'],
        ['PUT', '/me/mobile'],
        ['PATCH', '/me'],
        ['DELETE', '/me'],
        ['DELETE', '/sessions'],
        ['DELETE', '/sessions/current'],
        ['DELETE', '/sessions/x'],
        ['PATCH', '/sessions/x'],
        ['POST', '/admin/accounts/x/ban'],
        ['POST', '/admin/accounts/x/unban'],
        ['POST', '/codes'],
      ] as const) {
        const answer = await site.call(method, path, {}, { cookies: ada.cookies })
        expect([path, answer.status, answer.body.code]).toEqual([path, 403, 'INVALID_CSRF_TOKEN'])
      }
    })
  })
})

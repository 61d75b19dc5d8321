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

const minute = 60_000
const newPassword = 'another battery staple'

describe('a forgotten password', () => {
  let site: TestAccounts
  beforeAll(async () => {
    site = await createTestAccounts({ limits: { codesPerNetworkPerHour: 10_000 } })
  })
  afterAll(() => site.close())

  const forgot = (email: string, headers: Record<string, string> = {}) =>
    site.call('POST', '/passwords/forgot', { email }, { headers })
  const reset = (body: object) => site.call('POST', '/passwords/reset', body)
  const status = async (email: string, tried: string) =>
    (await site.call('POST', '/sessions', { email, password: tried })).status

  async function linkFor(email: string, headers: Record<string, string> = {}): Promise<URL> {
    await forgot(email, headers)
    await site.accounts.idle()
    const link = /https?:\/\/\S+/.exec(site.outbox.texts(email).at(-1) ?? '')?.[0]
    return new URL(link ?? '')
  }

  test('is replaced by its code; every session ends, and the address is proven', async () => {
    const person = await signUpSomebody(site)
    const other = await signIn(site, person.email)
    // Sessions that were just believed are refused as well.
    for (const { token } of [person, other])
      expect((await site.call('GET', '/me', undefined, { token })).status).toBe(200)
    expect((await forgot(person.email)).body.data).toEqual({ expiresIn: 600 })
    await site.accounts.idle()
    const code = site.outbox.code(person.email)
    expect((await reset({ email: person.email, code: otherCode(code), newPassword })).body.code).toBe(
      'INVALID_CODE',
    )
    expect((await reset({ email: person.email, code, newPassword: 'short' })).status).toBe(400)
    expect((await reset({ email: person.email, code, newPassword })).status).toBe(200)
    expect((await reset({ email: person.email, code, newPassword })).status).toBe(400)
    for (const token of [person.token, other.token]) {
      expect((await site.call('GET', '/me', undefined, { token })).status).toBe(401)
    }
    for (const { refreshToken } of [person, other]) {
      expect((await site.call('POST', '/sessions/refresh', { refreshToken })).status).toBe(401)
    }
    expect([await status(person.email, password), await status(person.email, newPassword)]).toEqual([
      401, 201,
    ])
    const { token } = await signInWith(person.email, newPassword)
    const me = await site.call('GET', '/me', undefined, { token })
    expect(me.body.data.account.isEmailVerified).toBe(true)
  })

  async function signInWith(email: string, tried: string) {
    const answer = await site.call('POST', '/sessions', { email, password: tried })
    return { token: answer.body.data.accessToken as string }
  }

  test('is replaced by its link, once, within ten minutes', async () => {
    const person = await signUpSomebody(site)
    const token = (link: URL) => new URLSearchParams(link.hash.slice(1)).get('token')
    const link = await linkFor(person.email)
    expect(link.search).toBe('')
    expect((await reset({ verificationToken: token(link), newPassword })).status).toBe(200)
    expect((await reset({ verificationToken: token(link), newPassword: password })).status).toBe(400)
    expect(await status(person.email, newPassword)).toBe(201)
    const late = await linkFor(person.email)
    site.clock.advance(10 * minute)
    expect((await reset({ verificationToken: token(late), newPassword: password })).status).toBe(400)
  })

  test('A23: a link carries only the configured origin, whatever the request says', async () => {
    const person = await signUpSomebody(site)
    const evil = {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      'x-original-url': 'https://evil.example/',
      forwarded: 'host=evil.example;proto=http',
      origin: 'https://evil.example',
      referer: 'https://evil.example/',
    }
    const link = await linkFor(person.email, evil)
    expect(link.origin).toBe('https://atelier.example')
    expect(site.outbox.texts(person.email).join()).not.toContain('evil')
    for (const field of ['redirect_to', 'redirectTo', 'redirect', 'returnUrl']) {
      const answer = await site.call('POST', '/passwords/forgot', {
        email: person.email,
        [field]: 'https://evil.example',
      })
      expect(answer.status).toBe(400)
    }
  })

  describe('A13: no token, no reset', () => {
    const odd = [
      null,
      '',
      undefined,
      [],
      {},
      0,
      true,
      { $ne: null },
      'undefined',
      'null',
      'atv_',
      'atv_undefined',
      '*',
    ]

    test.each(odd)('verificationToken %j', async verificationToken => {
      const person = await signUpSomebody(site)
      const answer = await reset({ verificationToken, newPassword })
      expect(answer.status).toBe(400)
      const withAddress = await reset({ verificationToken, newPassword, email: person.email })
      expect(withAddress.status).toBe(400)
      expect(await status(person.email, password)).toBe(201)
      expect((await site.call('GET', '/me', undefined, { token: person.token })).status).toBe(200)
    })

    test.each([...odd, '000000'])('code %j, nothing having been asked for', async code => {
      const person = await signUpSomebody(site)
      expect((await reset({ email: person.email, code, newPassword })).status).toBe(400)
      expect(await status(person.email, password)).toBe(201)
    })

    test('a code of somebody else', async () => {
      const [ada, eve] = [await signUpSomebody(site), await signUpSomebody(site)]
      const code = await codeFor(site, eve.email, 'password-reset')
      await codeFor(site, ada.email, 'password-reset')
      expect((await reset({ email: ada.email, code, newPassword })).status).toBe(400)
      expect(await status(ada.email, password)).toBe(201)
    })
  })

  test('the letter goes to the address of the account, not to the spelling of who asks', async () => {
    const person = await signUpSomebody(site)
    const spelling = person.email.replace('@', '+evil@')
    await forgot(spelling)
    await site.accounts.idle()
    expect(site.outbox.texts(spelling)).toEqual([])
    expect(site.outbox.code(person.email)).toMatch(/^\d{6}$/)
  })

  test('A20: codes and tokens from before a reset are worth nothing after it', async () => {
    const person = await signUpSomebody(site)
    const { email } = person
    const early = await codeFor(site, email, 'account-deletion')
    const deletion = await site.call('POST', '/codes/verify', {
      email,
      purpose: 'account-deletion',
      code: early,
    })
    const { verificationToken } = deletion.body.data
    const signInCode = await codeFor(site, email, 'sign-in')
    const link = await linkFor(email)
    const code = await codeFor(site, email, 'password-reset')
    expect((await reset({ email, code, newPassword })).status).toBe(200)
    const byLink = new URLSearchParams(link.hash.slice(1)).get('token')
    expect((await reset({ verificationToken: byLink, newPassword: password })).status).toBe(400)
    expect((await site.call('POST', '/sessions', { email, code: signInCode })).status).toBe(400)
    const { token } = await signInWith(email, newPassword)
    expect((await site.call('DELETE', '/me', { verificationToken }, { token })).status).toBe(400)
    expect((await site.call('GET', '/me', undefined, { token })).status).toBe(200)
  })

  test('of twenty resets at once with one code, one happens', async () => {
    const person = await signUpSomebody(site)
    const code = await codeFor(site, person.email, 'password-reset')
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        reset({ email: person.email, code, newPassword: `${newPassword} ${i}` }),
      ),
    )
    expect(answers.map(answer => answer.status).sort()).toEqual([200, ...Array(19).fill(400)])
    const won = answers.findIndex(answer => answer.status === 200)
    expect(await status(person.email, `${newPassword} ${won}`)).toBe(201)
  })
})

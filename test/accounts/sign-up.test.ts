import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Answer,
  codeFor,
  createTestAccounts,
  password,
  signUpSomebody,
  type TestAccounts,
} from './support.ts'

let strangers = 0
const stranger = () => `newcomer${++strangers}@example.com`

const shape = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shape)
  if (typeof value !== 'object' || value === null) return value === null ? null : typeof value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, shape(part)]))
}
const steady = (answer: Answer) => {
  const { date: _, 'x-ratelimit-reset': __, ...headers } = answer.headers
  return {
    status: answer.status,
    shape: shape(answer.body),
    headers: { ...headers, 'content-length': undefined },
  }
}

describe('signing up', () => {
  let site: TestAccounts
  let strict: TestAccounts
  beforeAll(async () => {
    const limits = { codesPerNetworkPerHour: 10_000, signupsPerHour: 10_000 }
    site = await createTestAccounts({ limits })
    strict = await createTestAccounts({
      limits,
      settings: { signupVerification: 'required', refuseCommonPasswords: true },
    })
  })
  afterAll(() => Promise.all([site.close(), strict.close()]))

  const signUp = (body: object, at = strict) => at.call('POST', '/accounts', body)

  test('register, then code: pending until the code, then signed in', async () => {
    const email = stranger()
    const made = await signUp({ email, password, name: 'Ada' })
    expect(made.status).toBe(202)
    expect(made.body.data).toMatchObject({
      account: { email, status: 'pending' },
      requiresVerification: true,
    })
    expect(made.cookies).toEqual({})
    const early = await strict.call('POST', '/sessions', { email, password })
    expect([early.status, early.body.code]).toEqual([403, 'EMAIL_NOT_VERIFIED'])
    await strict.accounts.idle()
    const done = await strict.call('POST', '/accounts/verify', { email, code: strict.outbox.code(email) })
    expect(done.status).toBe(201)
    expect(done.body.data.account).toMatchObject({
      email,
      name: 'Ada',
      status: 'active',
      isEmailVerified: true,
    })
    const me = await strict.call('GET', '/me', undefined, { token: done.body.data.accessToken })
    expect(me.status).toBe(200)
    expect((await strict.call('POST', '/sessions', { email, password })).status).toBe(201)
  })

  test.each([{ email: 'order@example.com' }, { mobile: '+1 415 555 0177' }])(
    'code, then register with its token: active at once (%j)',
    async address => {
      await strict.call('POST', '/codes', { ...address, purpose: 'sign-up' })
      await strict.accounts.idle()
      const code = strict.outbox.code(address.email ?? '+14155550177')
      const token = (await strict.call('POST', '/codes/verify', { ...address, purpose: 'sign-up', code }))
        .body.data
      const made = await signUp({ ...address, password, verificationToken: token.verificationToken })
      expect(made.status).toBe(201)
      expect(made.body.data.account).toMatchObject({ status: 'active' })
      const { isEmailVerified, isMobileVerified } = made.body.data.account
      expect([isEmailVerified, isMobileVerified]).toEqual([!!address.email, !!address.mobile])
      expect((await strict.call('POST', '/sessions', { ...address, password })).status).toBe(201)
    },
  )

  test('without a password: by codes only, also the next time', async () => {
    const mobile = '+14155550188'
    expect((await signUp({ mobile })).status).toBe(202)
    await strict.accounts.idle()
    const made = await strict.call('POST', '/accounts/verify', { mobile, code: strict.outbox.code(mobile) })
    expect(made.body.data.account.hasPassword).toBe(false)
    expect((await strict.call('POST', '/sessions', { mobile, password: '' })).status).toBe(401)
    await strict.call('POST', '/codes', { mobile, purpose: 'sign-in' })
    await strict.accounts.idle()
    const entered = await strict.call('POST', '/sessions', { mobile, code: strict.outbox.code(mobile) })
    expect(entered.status).toBe(201)
    expect((await signUp({ email: stranger() }, site)).status).toBe(400)
  })

  test('a token of another address, or of another spelling, proves nothing', async () => {
    const email = stranger()
    const code = await codeFor(strict, email, 'sign-up')
    const verified = await strict.call('POST', '/codes/verify', { email, purpose: 'sign-up', code })
    const { verificationToken } = verified.body.data
    for (const other of [stranger(), email.replace('@', '+evil@')]) {
      expect((await signUp({ email: other, password, verificationToken })).body.code).toBe(
        'INVALID_VERIFICATION_TOKEN',
      )
    }
    expect((await signUp({ email, password, verificationToken })).status).toBe(201)
  })

  test('a published API may let a code for `verification` prove a new address; our own does not', async () => {
    const email = stranger()
    const prove = async () => {
      const code = await codeFor(strict, email, 'verification')
      const answer = await strict.call('POST', '/codes/verify', { email, purpose: 'verification', code })
      return answer.body.data.verificationToken as string
    }
    const verificationToken = await prove()
    expect((await signUp({ email, password, verificationToken })).body.code).toBe(
      'INVALID_VERIFICATION_TOKEN',
    )
    const input = { email, password, verificationToken, provenBy: ['verification'] as const }
    const made = await strict.accounts.signUp(input, { ip: '127.0.0.1', userAgent: null })
    expect(made.account.status).toBe('active')
  })

  describe('A15: one address, one account', () => {
    const spellings = (name: string) => [
      `${name}@example.com`,
      `${name.toUpperCase()}@EXAMPLE.COM`,
      `${name}@example.com.`,
      `${name}+tag@example.com`,
      `${name}+Other.Tag@Example.com`,
      ` ${name}@example.com `,
      `${[...name].map(letter => String.fromCodePoint((letter.codePointAt(0) ?? 0) + 0xfee0)).join('')}@example.com`,
    ]

    test('twenty at once in different spellings, where verification is optional', async () => {
      const all = spellings('parallel')
      const answers = await Promise.all(
        Array.from({ length: 21 }, (_, i) => signUp({ email: all[i % all.length], password }, site)),
      )
      expect(answers.map(answer => answer.status).sort()).toEqual([201, ...Array(20).fill(409)])
      const rows = await site.db
        .selectFrom('accounts')
        .select('id')
        .where('email_key', '=', 'parallel@example.com')
        .execute()
      expect(rows).toHaveLength(1)
    })

    test('twenty at once where it is required: one pending account, one neutral answer', async () => {
      const all = spellings('neutral')
      await using own = await createTestAccounts({
        settings: { signupVerification: 'required' },
        limits: { codesPerHour: 100 },
      })
      const answers = await Promise.all(
        Array.from({ length: 21 }, (_, i) => signUp({ email: all[i % all.length], password }, own)),
      )
      expect(answers.map(answer => answer.status)).toEqual(Array(21).fill(202))
      const rows = await own.db.selectFrom('accounts').select('status').execute()
      expect(rows).toEqual([{ status: 'pending' }])
      expect(own.failures).toEqual([])
    })

    test('a mobile number in different spellings', async () => {
      const written = ['+14155550133', '0014155550133', '+1 (415) 555-0133', '1.415.555.0133']
      const answers = await Promise.all(written.map(mobile => signUp({ mobile, password }, site)))
      expect(answers.map(answer => answer.status).sort()).toEqual([201, 409, 409, 409])
    })

    test('a username, in any letter case', async () => {
      const answers = await Promise.all(
        ['ada', 'ADA', 'Ada', 'ａｄａ'].map(username =>
          signUp({ email: stranger(), password, username }, site),
        ),
      )
      expect(answers.map(answer => answer.status).sort()).toEqual([201, 409, 409, 409])
      const pending = await signUp({ email: stranger(), password, username: 'grace' })
      expect(pending.status).toBe(202)
      const second = await signUp({ email: stranger(), password, username: 'Grace' })
      expect([second.status, second.body.code]).toEqual([409, 'USERNAME_TAKEN'])
    })
  })

  describe('a registration that nobody has proven', () => {
    test('does not let who registered first into the account of who proves it', async () => {
      const email = stranger()
      await signUp({ email, password: 'the attacker chose this' })
      await signUp({ email, password: 'the owner chose this one' })
      await signUp({ email, password: 'the attacker again, later' })
      await strict.accounts.idle()
      const proven = await strict.call('POST', '/accounts/verify', { email, code: strict.outbox.code(email) })
      expect(proven.status).toBe(201)
      for (const tried of ['the attacker chose this', 'the attacker again, later']) {
        expect((await strict.call('POST', '/sessions', { email, password: tried })).status).toBe(401)
      }
    })

    test('keeps its password when the same person registers twice', async () => {
      const email = stranger()
      await signUp({ email, password })
      await signUp({ email, password })
      await strict.accounts.idle()
      await strict.call('POST', '/accounts/verify', { email, code: strict.outbox.code(email) })
      expect((await strict.call('POST', '/sessions', { email, password })).status).toBe(201)
    })

    test('gives way to who has a token for the address', async () => {
      const email = stranger()
      await signUp({ email, password: 'the attacker chose this' })
      const code = await codeFor(strict, email, 'sign-up')
      const verified = await strict.call('POST', '/codes/verify', { email, purpose: 'sign-up', code })
      const { verificationToken } = verified.body.data
      expect((await signUp({ email, password, verificationToken })).status).toBe(201)
      expect((await strict.call('POST', '/sessions', { email, password })).status).toBe(201)
    })
  })

  test('a code for a sign-in never goes to an address that nobody has proven', async () => {
    const person = await signUpSomebody(site)
    expect((await site.call('POST', '/codes', { email: person.email, purpose: 'sign-in' })).status).toBe(202)
    await site.accounts.idle()
    expect(site.outbox.texts(person.email)).toEqual([])
  })

  describe('A16: nobody learns whether an address has an account', () => {
    test('by signing up: same status, shape, headers and stand-in id; the owner is told by mail', async () => {
      const [known, unknown] = [stranger(), stranger()]
      await signUp({ email: known, password })
      await strict.accounts.idle()
      await strict.call('POST', '/accounts/verify', { email: known, code: strict.outbox.code(known) })
      strict.outbox.letters.length = 0
      const [first, again] = [
        await signUp({ email: known, password }),
        await signUp({ email: known, password }),
      ]
      const [other, otherAgain] = [
        await signUp({ email: unknown, password }),
        await signUp({ email: unknown, password }),
      ]
      expect(steady(first)).toEqual(steady(other))
      expect(first.text.length).toBe(other.text.length)
      expect(again.text).toBe(first.text)
      expect(otherAgain.text).toBe(other.text)
      await strict.accounts.idle()
      expect(strict.outbox.texts(known).join()).toContain('it has an account')
      expect(strict.outbox.texts(known).join()).not.toMatch(/\d{6}/)
    })

    test.each([
      ['/sessions', { password: 'wrong password' }],
      ['/sessions', { code: '000000' }],
      ['/codes', { purpose: 'sign-up' }],
      ['/codes', { purpose: 'sign-in' }],
      ['/codes', { purpose: 'verification' }],
      ['/codes', { purpose: 'password-reset' }],
      ['/codes', { purpose: 'account-deletion' }],
      ['/codes/verify', { purpose: 'password-reset', code: '000000' }],
      ['/accounts/verify', { code: '000000' }],
      ['/passwords/forgot', {}],
      ['/passwords/reset', { code: '000000', newPassword: password }],
    ])('POST %s %j', async (path, body) => {
      const [known, unknown] = [(await signUpSomebody(site)).email, stranger().padEnd(21, 'm')]
      for (const spelling of [(text: string) => text, (text: string) => text.toUpperCase()]) {
        const first = await site.call('POST', path, { email: spelling(known), ...body })
        const second = await site.call('POST', path, { email: spelling(unknown), ...body })
        expect(steady(first)).toEqual(steady(second))
        expect(first.text).toBe(second.text)
      }
    })

    test('by time: known and unknown addresses take the same, also with real hashing', async () => {
      const many = 10_000
      await using slow = await createTestAccounts({
        settings: { signupVerification: 'required' },
        passwordCost: { memoryCost: 19_456, timeCost: 2 },
        limits: {
          loginsPerHour: many,
          loginsPerNetworkPerHour: many,
          loginsPerAddressPerQuarter: many,
          codesPerHour: many,
          codesPerNetworkPerHour: many,
        },
      })
      const email = 'known@example.com'
      await slow.accounts.addAccount({ email, password })
      // What a machine does beside it only adds: the quick ones tell what a path costs.
      const quick = (values: number[]) => values.sort((a, b) => a - b)[4] ?? 0
      for (const [path, body] of [
        ['/sessions', { password: 'wrong password' }],
        ['/passwords/forgot', {}],
        ['/codes', { purpose: 'password-reset' }],
        ['/accounts', { password }],
      ] as const) {
        const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] }
        for (let i = 0; i < 31; i++) {
          for (const who of ['known', 'unknown'] as const) {
            const startedAt = performance.now()
            await slow.call('POST', path, {
              email: who === 'known' ? email : `nobody${i}@example.com`,
              ...body,
            })
            times[who].push(performance.now() - startedAt)
            await slow.accounts.idle()
          }
        }
        const [known, unknown] = [quick(times.known), quick(times.unknown)]
        // Without the dummy hash the unknown address answers ten milliseconds and more earlier.
        const isSameClass =
          Math.abs(known - unknown) < 2 || Math.max(known, unknown) / Math.min(known, unknown) < 1.5
        expect({ path, known, unknown, isSameClass }).toMatchObject({ isSameClass: true })
      }
    })
  })

  describe('A24: passwords', () => {
    const attempt = async (newPassword: unknown) => signUp({ email: stranger(), password: newPassword })

    test('seven characters are refused with the reason, eight are taken, whatever they are', async () => {
      const short = await attempt('short77')
      expect([short.status, short.body.details]).toEqual([
        400,
        [{ field: 'password', message: 'must be at least 8 characters long' }],
      ])
      expect((await attempt('\u{1F511}'.repeat(7))).status).toBe(400)
      expect((await attempt('\u{1F511}'.repeat(8))).status).toBe(202)
      expect((await attempt('zqvkwpmf')).status).toBe(202)
      expect((await attempt('        ')).status).toBe(202)
    })

    test('the commonest are refused in production, in any letter case', async () => {
      const list = readFileSync(
        new URL('../../src/features/accounts/common-passwords.txt', import.meta.url),
        'utf8',
      )
      const common = list.split('\n').slice(0, 100)
      for (const word of [...common, 'PASSWORD', 'Password1']) {
        const answer = await attempt(word)
        expect([word, answer.status]).toEqual([word, 400])
        expect(answer.body.details[0].message).toContain('commonest')
      }
      expect((await signUp({ email: stranger(), password: 'password1' }, site)).status).toBe(201)
    })

    test.each([64, 1000])('%i characters are taken and all of them count', async length => {
      const [email, long] = [stranger(), 'aé '.repeat(length).slice(0, length)]
      expect((await signUp({ email, password: long }, site)).status).toBe(201)
      expect((await site.call('POST', '/sessions', { email, password: long })).status).toBe(201)
      expect((await site.call('POST', '/sessions', { email, password: long.slice(0, -1) })).status).toBe(401)
    })

    test('1,001 are refused', async () => {
      expect((await attempt('a'.repeat(1001))).status).toBe(400)
    })

    test('one text in two forms is one password; spaces at the ends count', async () => {
      const [email, text] = [stranger(), ' Åskväder över Mälaren ']
      expect((await signUp({ email, password: text.normalize('NFD') }, site)).status).toBe(201)
      expect((await site.call('POST', '/sessions', { email, password: text.normalize('NFC') })).status).toBe(
        201,
      )
      expect((await site.call('POST', '/sessions', { email, password: text.trim() })).status).toBe(401)
    })
  })

  test.each([
    {},
    { email: 'a@example.com', mobile: '+14155550101', password },
    { email: 'a@example.com', password, role: 'admin' },
    { email: 'a@example.com', password, plan: 'pro' },
    { email: 'a@example.com', password, status: 'active' },
    { email: 'a@example.com', password, id: 'x', creditsRemaining: 1e9 },
    { email: ['a@example.com'], password },
    { email: { $ne: null }, password },
    { email: 'a@example.com', password: ['x'.repeat(8)] },
    { email: 'no address', password },
    { email: 'a@localhost', password },
    { email: 'a@b@example.com"', password },
    { email: 'a.@example.com', password },
    { email: 'a@example..com', password },
    { email: 'a@1.2.3.4', password },
    { email: 'a\u0000@example.com', password },
    { email: 'a\r\nBcc: eve@evil.example@example.com', password },
    { email: `${'a'.repeat(65)}@example.com`, password },
    { mobile: '12', password },
    { mobile: '+0123456789', password },
    { mobile: '+1415555012x', password },
  ])('refuses %j', async body => {
    const answer = await signUp(body, site)
    expect(answer.status).toBe(400)
    expect(answer.body).toMatchObject({ success: false, data: null, code: 'VALIDATION_ERROR' })
    expect(answer.body.details.length).toBeGreaterThan(0)
  })
})

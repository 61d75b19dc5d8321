import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  codeFor,
  createTestAccounts,
  otherCode,
  password,
  signUpSomebody,
  type TestAccounts,
} from './support.ts'

const minute = 60_000
let strangers = 0
const stranger = () => `stranger${++strangers}@example.com`

describe('one-time codes', () => {
  let site: TestAccounts
  beforeAll(async () => {
    site = await createTestAccounts({ limits: { codesPerNetworkPerHour: 10_000 } })
  })
  afterAll(() => site.close())

  const verify = (email: string, purpose: string, code: unknown) =>
    site.call('POST', '/codes/verify', { email, purpose, code })

  test('are six digits, sent to the address and told to nobody else', async () => {
    const email = stranger()
    const answer = await site.call('POST', '/codes', { email, purpose: 'sign-up' })
    expect([answer.status, answer.body.data]).toEqual([202, { expiresIn: 600 }])
    await site.accounts.idle()
    const code = site.outbox.code(email)
    expect(code).toMatch(/^\d{6}$/)
    expect(answer.text + JSON.stringify(answer.headers)).not.toContain(code)
    const mobile = await site.call('POST', '/codes', { mobile: '+1 (415) 555-0100', purpose: 'sign-up' })
    expect(mobile.body.data).toEqual({ expiresIn: 300 })
    await site.accounts.idle()
    expect(site.outbox.code('+14155550100')).toMatch(/^\d{6}$/)
  })

  test('are kept as keyed hashes only', async () => {
    const email = stranger()
    const code = await codeFor(site, email, 'sign-up')
    const rows = await site.db.selectFrom('one_time_codes').selectAll().where('address', '=', email).execute()
    expect(rows).toHaveLength(1)
    expect(rows[0]?.code_hash).toHaveLength(32)
    const { code_hash: _, ...rest } = rows[0] ?? {}
    expect(JSON.stringify(rest)).not.toContain(code)
  })

  test('OTP_ECHO puts them into answers, and nothing else does', async () => {
    await using echoing = await createTestAccounts({ settings: { echoCodes: true } })
    const answer = await echoing.call('POST', '/codes', { email: 'echo@example.com', purpose: 'sign-up' })
    await echoing.accounts.idle()
    expect(answer.body.data.otp).toBe(echoing.outbox.code('echo@example.com'))
    const pending = await echoing.accounts.signUp(
      { email: 'echo2@example.com', password, verification: 'required' },
      { ip: '127.0.0.1', userAgent: null },
    )
    await echoing.accounts.idle()
    expect(pending).toMatchObject({ code: echoing.outbox.code('echo2@example.com') })
  })

  describe('A18: five tries', () => {
    test('the sixth is refused although it is right; a new code works', async () => {
      const email = stranger()
      const code = await codeFor(site, email, 'sign-up')
      for (let i = 0; i < 5; i++) {
        expect((await verify(email, 'sign-up', otherCode(code))).body.code).toBe('INVALID_CODE')
      }
      expect((await verify(email, 'sign-up', code)).body.code).toBe('INVALID_CODE')
      expect((await verify(email, 'sign-up', await codeFor(site, email, 'sign-up'))).status).toBe(200)
    })

    test('are noted, and guesses where no code was sent are not: they would fill the log', async () => {
      const kinds = async () => {
        const rows = await site.db
          .selectFrom('security_events')
          .select('id')
          .where('kind', '=', 'code-failed')
          .execute()
        return rows.length
      }
      const email = stranger()
      const before = await kinds()
      for (let i = 0; i < 10; i++) await verify(email, 'sign-up', '000000')
      expect(await kinds()).toBe(before)
      const code = await codeFor(site, email, 'sign-up')
      for (let i = 0; i < 10; i++) await verify(email, 'sign-up', otherCode(code))
      expect(await kinds()).toBe(before + 5)
    })

    test('in parallel no more than five are tried', async () => {
      const email = stranger()
      const code = await codeFor(site, email, 'sign-up')
      const wrong = Array.from({ length: 30 }, () => verify(email, 'sign-up', otherCode(code)))
      await Promise.all(wrong)
      const row = await site.db
        .selectFrom('one_time_codes')
        .select('attempts')
        .where('address', '=', email)
        .executeTakeFirstOrThrow()
      expect(row.attempts).toBe(5)
      expect((await verify(email, 'sign-up', code)).status).toBe(400)
    })

    test('after a hundred wrong ones in a row, over all purposes, nothing is sent for a day', async () => {
      await using own = await createTestAccounts({ limits: { codesPerHour: 1000 } })
      const email = 'guessed@example.com'
      const purposes = ['sign-up', 'password-reset']
      for (let round = 0; round < 20; round++) {
        const purpose = purposes[round % 2] ?? 'sign-up'
        expect((await own.call('POST', '/codes', { email, purpose })).status).toBe(202)
        await own.accounts.idle()
        const right = own.outbox.texts(email).length > 0 ? own.outbox.code(email) : '000000'
        for (let i = 0; i < 5; i++) {
          await own.call('POST', '/codes/verify', { email, purpose, code: otherCode(right) })
        }
      }
      const refused = await own.call('POST', '/codes', { email, purpose: 'sign-up' })
      expect([refused.status, refused.body.code]).toEqual([429, 'TOO_MANY_FAILED_CODES'])
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(80_000)
      own.clock.advance(24 * 60 * minute)
      expect((await own.call('POST', '/codes', { email, purpose: 'sign-up' })).status).toBe(202)
    })
  })

  describe('A20: one use, one purpose, one address', () => {
    test('an accepted code is not accepted again, and of twenty at once one is', async () => {
      const email = stranger()
      const code = await codeFor(site, email, 'sign-up')
      const answers = await Promise.all(Array.from({ length: 20 }, () => verify(email, 'sign-up', code)))
      expect(answers.filter(answer => answer.status === 200)).toHaveLength(1)
      expect((await verify(email, 'sign-up', code)).status).toBe(400)
    })

    test('a code opens no other purpose and no other address', async () => {
      const [email, other] = [stranger(), stranger()]
      const code = await codeFor(site, email, 'sign-up')
      await site.call('POST', '/codes', { email: other, purpose: 'sign-up' })
      for (const purpose of [
        'password-reset',
        'verification',
        'account-deletion',
        'sign-in',
        'address-change',
      ]) {
        expect((await verify(email, purpose, code)).status).toBe(400)
      }
      expect((await verify(other, 'sign-up', code)).status).toBe(400)
      expect((await verify(`${email.replace('@', '+tag@')}`, 'sign-up', code)).status).toBe(400)
      expect((await verify(email.toUpperCase(), 'sign-up', code)).status).toBe(200)
    })

    test('a newer code replaces the older one', async () => {
      const email = stranger()
      const first = await codeFor(site, email, 'sign-up')
      const second = await codeFor(site, email, 'sign-up')
      if (first !== second) expect((await verify(email, 'sign-up', first)).status).toBe(400)
      expect((await verify(email, 'sign-up', second)).status).toBe(200)
    })

    test('codes and tokens from before a password change are worth nothing after it', async () => {
      const person = await signUpSomebody(site)
      const token = (
        await verify(person.email, 'verification', await codeFor(site, person.email, 'verification'))
      ).body.data.verificationToken
      const code = await codeFor(site, person.email, 'password-reset')
      const body = { currentPassword: password, newPassword: 'another battery staple' }
      expect((await site.call('PUT', '/me/password', body, { token: person.token })).status).toBe(200)
      const reset = { email: person.email, code, newPassword: 'a third battery staple' }
      expect((await site.call('POST', '/passwords/reset', reset)).status).toBe(400)
      const change = { verificationToken: token, newPassword: 'a third battery staple' }
      expect((await site.call('PUT', '/me/password', change, { token: person.token })).status).toBe(400)
    })

    test('a verification token is good once, for an hour, for its account', async () => {
      const [ada, eve] = [await signUpSomebody(site), await signUpSomebody(site)]
      const prove = async (email: string, purpose: string) =>
        (await verify(email, purpose, await codeFor(site, email, purpose))).body.data
          .verificationToken as string
      const foreign = await prove(eve.email, 'verification')
      const change = (verificationToken: string) =>
        site.call('PUT', '/me/password', { verificationToken, newPassword: password }, { token: ada.token })
      expect((await change(foreign)).body.code).toBe('INVALID_VERIFICATION_TOKEN')
      const own = await prove(ada.email, 'verification')
      const answers = await Promise.all([change(own), change(own), change(own)])
      expect(answers.filter(answer => answer.status === 200)).toHaveLength(1)
      const email = stranger()
      const late = await prove(email, 'sign-up')
      site.clock.advance(60 * minute)
      const signUp = await site.call('POST', '/accounts', { email, password, verificationToken: late })
      expect(signUp.body.code).toBe('INVALID_VERIFICATION_TOKEN')
    })
  })

  describe('A21: time and number', () => {
    test('by mail for ten minutes, by SMS for five', async () => {
      const [early, late] = [stranger(), stranger()]
      const codes = [await codeFor(site, early, 'sign-up'), await codeFor(site, late, 'sign-up')]
      site.clock.advance(10 * minute - 1)
      expect((await verify(early, 'sign-up', codes[0])).status).toBe(200)
      site.clock.advance(1)
      expect((await verify(late, 'sign-up', codes[1])).status).toBe(400)
      const mobile = '+14155550111'
      await site.call('POST', '/codes', { mobile, purpose: 'sign-up' })
      await site.accounts.idle()
      const code = site.outbox.code(mobile)
      site.clock.advance(5 * minute)
      expect((await site.call('POST', '/codes/verify', { mobile, purpose: 'sign-up', code })).status).toBe(
        400,
      )
    })

    test('the sixth of an hour is refused and not sent, in whatever spelling and for whatever purpose', async () => {
      const email = stranger()
      const spellings = [email, email.toUpperCase(), email.replace('@', '+x@'), `${email}.`, email]
      const sent = (text: string) => site.call('POST', '/codes', { email: text, purpose: 'sign-up' })
      for (const spelling of spellings) expect((await sent(spelling)).status).toBe(202)
      const refused = await site.call('POST', '/codes', { email, purpose: 'password-reset' })
      expect(refused.status).toBe(429)
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(3000)
      expect(refused.headers).toMatchObject({ 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '0' })
      expect((await site.call('POST', '/passwords/forgot', { email })).status).toBe(429)
      await site.accounts.idle()
      const arrived = site.outbox.letters.filter(letter =>
        letter.to.toLowerCase().startsWith(email.split('@')[0] ?? ''),
      )
      expect(arrived).toHaveLength(5)
    })

    test('a thousand addresses from one network are stopped, also when networks change', async () => {
      await using own = await createTestAccounts({
        limits: { codesPerNetworkPerHour: 20, codesPerHourInAll: 30 },
      })
      const send = (i: number, ip: string) =>
        own.call('POST', '/codes', { mobile: `+1415555${1000 + i}`, purpose: 'sign-up' }, { ip })
      const fromOne = await Promise.all(Array.from({ length: 100 }, (_, i) => send(i, '203.0.113.7')))
      expect(fromOne.filter(answer => answer.status === 202)).toHaveLength(20)
      const fromMany = await Promise.all(
        Array.from({ length: 100 }, (_, i) => send(200 + i, `203.0.113.${i + 10}`)),
      )
      expect(fromMany.filter(answer => answer.status === 202)).toHaveLength(10)
      await own.accounts.idle()
      expect(own.outbox.messages).toHaveLength(30)
    })
  })

  test.each([null, '', 123_456, [], {}, '12345', '1234567', '12345a', ' 123456', '１２３４５６'])(
    'refuse %j as a code',
    async code => {
      expect((await verify('somebody@example.com', 'sign-up', code)).status).toBe(400)
    },
  )
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { networkOf } from '../../src/lib/networks.ts'
import { createMemoryCache } from '../../src/platform/cache/memory.ts'
import { limitRequests } from '../../src/transport/limits.ts'
import { type Call, createTestAccounts, password, signUpSomebody, type TestAccounts } from './support.ts'

const attacker = '198.51.100.9'
const home = '203.0.113.50'

describe('A22: guessing passwords', () => {
  let site: TestAccounts
  beforeAll(async () => {
    site = await createTestAccounts()
  })
  afterAll(() => site.close())

  const guess = (email: string, options: Call) =>
    site.call('POST', '/sessions', { email, password: 'wrong password' }, options)
  const enter = (email: string, options: Call) => site.call('POST', '/sessions', { email, password }, options)

  async function shutOut(email: string, ip: string): Promise<void> {
    for (let i = 0; i < 10; i++) expect((await guess(email, { ip })).status).toBe(401)
    expect((await guess(email, { ip })).status).toBe(429)
  }

  test('the eleventh of an hour is refused, says when to come back, and the owner is not shut out', async () => {
    const { email } = await signUpSomebody(site)
    await shutOut(email, attacker)
    const refused = await enter(email, { ip: attacker })
    expect([refused.status, refused.body.code]).toEqual([429, 'TOO_MANY_REQUESTS'])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(3500)
    expect(refused.body.retryAfter).toBe(Number(refused.headers['retry-after']))
    expect(refused.headers).toMatchObject({ 'x-ratelimit-limit': '10', 'x-ratelimit-remaining': '0' })
    expect(Number(refused.headers['x-ratelimit-reset'])).toBeGreaterThan(Date.now() / 1000 + 3500)
    expect((await enter(email, { ip: home })).status).toBe(201)
  })

  test('an address without an account is limited just so', async () => {
    await shutOut('nobody-at-all@example.com', attacker)
  })

  test('no header and no spelling begins anew', async () => {
    const { email } = await signUpSomebody(site)
    await shutOut(email, attacker)
    for (const [name, value] of [
      ['x-forwarded-for', '192.0.2.1'],
      ['x-forwarded-for', '192.0.2.2, 192.0.2.3'],
      ['x-real-ip', '192.0.2.4'],
      ['forwarded', 'for=192.0.2.5'],
      ['cf-connecting-ip', '192.0.2.6'],
      ['true-client-ip', '192.0.2.7'],
    ] as const) {
      expect((await guess(email, { ip: attacker, headers: { [name]: value } })).status).toBe(429)
    }
    for (const spelling of [email.toUpperCase(), `${email}.`, ` ${email}`, email.replace('@', '+x@')]) {
      expect((await guess(spelling, { ip: attacker })).status).toBe(429)
    }
    expect((await guess(email, { ip: `::ffff:${attacker}` })).status).toBe(429)
  })

  test('an IPv6 network is one guesser, however many addresses it has', async () => {
    const { email } = await signUpSomebody(site)
    for (let i = 0; i < 10; i++) {
      expect((await guess(email, { ip: `2001:db8:1:2:${i}::${i + 1}` })).status).toBe(401)
    }
    expect((await guess(email, { ip: '2001:0db8:0001:0002:ffff:0:0:1' })).status).toBe(429)
    expect((await guess(email, { ip: '2001:db8:1:3::1' })).status).toBe(401)
  })

  test('guesses in parallel count too', async () => {
    const { email } = await signUpSomebody(site)
    const answers = await Promise.all(Array.from({ length: 40 }, () => guess(email, { ip: '198.51.100.77' })))
    expect(answers.filter(answer => answer.status === 401)).toHaveLength(10)
  })

  test('right sign-ins in parallel do not shut each other out', async () => {
    const people = [await signUpSomebody(site), await signUpSomebody(site)]
    const answers = await Promise.all(
      Array.from({ length: 240 }, (_, i) => enter(people[i % 2]?.email ?? '', { ip: '198.51.100.79' })),
    )
    expect(answers.map(answer => answer.status)).toEqual(Array(240).fill(201))
  })

  test('right sign-ins do not count', async () => {
    const { email } = await signUpSomebody(site)
    for (let i = 0; i < 15; i++) expect((await enter(email, { ip: '198.51.100.78' })).status).toBe(201)
  })

  test('guesses from many networks leave the owner in, where it has been before', async () => {
    const { email } = await signUpSomebody(site)
    expect((await enter(email, { ip: home })).status).toBe(201)
    const statuses: number[] = []
    for (let i = 0; i < 30; i++) statuses.push((await guess(email, { ip: `192.0.2.${i + 1}` })).status)
    expect(statuses).toEqual([...Array(25).fill(401), ...Array(5).fill(429)])
    expect((await enter(email, { ip: home })).status).toBe(201)
    const elsewhere = await enter(email, { ip: '192.0.2.200' })
    expect(elsewhere.status).toBe(429)
    expect(Number(elsewhere.headers['retry-after'])).toBeLessThanOrEqual(15 * 60)
  })

  test('one network that tries many addresses is stopped', async () => {
    await using own = await createTestAccounts({ limits: { loginsPerNetworkPerHour: 20 } })
    const statuses: number[] = []
    for (let i = 0; i < 25; i++) {
      const body = { email: `sprayed${i}@example.com`, password: 'wrong password' }
      statuses.push((await own.call('POST', '/sessions', body, { ip: attacker })).status)
    }
    expect(statuses).toEqual([...Array(20).fill(401), ...Array(5).fill(429)])
  })

  test('behind one trusted proxy the client before it counts, and only that', async () => {
    await using proxied = await createTestAccounts({ trustProxy: '1' })
    const { email } = await signUpSomebody(proxied)
    const from = (chain: string) =>
      proxied.call(
        'POST',
        '/sessions',
        { email, password: 'wrong password' },
        { ip: '10.0.0.1', headers: { 'x-forwarded-for': chain } },
      )
    for (let i = 0; i < 10; i++) expect((await from(`192.0.2.${i}, ${attacker}`)).status).toBe(401)
    expect((await from(`192.0.2.99, ${attacker}`)).status).toBe(429)
    expect((await from(`${attacker}, ${home}`)).status).toBe(401)
  })
})

describe('other limits', () => {
  test('sign-ups from one network', async () => {
    await using site = await createTestAccounts({ limits: { signupsPerHour: 3 } })
    const signUp = (i: number, ip: string) =>
      site.call('POST', '/accounts', { email: `limited${i}@example.com`, password }, { ip })
    const answers = [
      await signUp(1, attacker),
      await signUp(2, attacker),
      await signUp(3, attacker),
      await signUp(4, attacker),
    ]
    expect(answers.map(answer => answer.status)).toEqual([201, 201, 201, 429])
    expect((await signUp(5, home)).status).toBe(201)
  })

  test('wrong refresh tokens from one network; right ones do not count', async () => {
    await using site = await createTestAccounts({ limits: { refreshFailures: 5 } })
    let { refreshToken } = await signUpSomebody(site)
    for (let i = 0; i < 8; i++) {
      refreshToken = (await site.call('POST', '/sessions/refresh', { refreshToken })).body.data.refreshToken
    }
    const wrong = () => site.call('POST', '/sessions/refresh', { refreshToken: 'atr_wrong' })
    const statuses: number[] = []
    for (let i = 0; i < 7; i++) statuses.push((await wrong()).status)
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429])
  })

  test('no number of right refresh tokens at once is refused', async () => {
    await using site = await createTestAccounts({ limits: { refreshFailures: 5 } })
    const { refreshToken } = await signUpSomebody(site)
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => site.call('POST', '/sessions/refresh', { refreshToken })),
    )
    expect(answers.map(answer => answer.status)).toEqual(Array(30).fill(200))
  })

  test('all requests: by account when signed in, else by network; every answer says how it stands', async () => {
    await using site = await createTestAccounts({
      extend: server =>
        limitRequests(server, createMemoryCache().limiter({ name: 'all', points: 5, windowMs: 60_000 })),
    })
    const [ada, bob] = [await signUpSomebody(site), await signUpSomebody(site)]
    const read = (token: string, ip = '127.0.0.1') => site.call('GET', '/me', undefined, { token, ip })
    const first = await read(ada.token)
    expect(first.headers).toMatchObject({ 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '4' })
    for (let i = 0; i < 4; i++) expect((await read(ada.token, `192.0.2.${i}`)).status).toBe(200)
    const refused = await read(ada.token)
    expect([refused.status, refused.headers['x-ratelimit-remaining']]).toEqual([429, '0'])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect((await read(bob.token)).status).toBe(200)
    for (let i = 0; i < 5; i++) await site.call('GET', '/csrf-token', undefined, { ip: '2001:db8::1' })
    expect((await site.call('GET', '/csrf-token', undefined, { ip: '2001:db8::2' })).status).toBe(429)
    expect((await site.call('GET', '/csrf-token', undefined, { ip: '2001:db8:0:1::2' })).status).toBe(200)
  })
})

describe('networkOf', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::ffff:cb00:7107', '203.0.113.7'],
    ['0:0:0:0:0:FFFF:cb00:7107', '203.0.113.7'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:DB8:0:0:ffff::', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['64:ff9b::203.0.113.7', '64:ff9b:0:0::/64'],
  ])('%s', (ip, network) => {
    expect(networkOf(ip)).toBe(network)
  })
})

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createRedisCache } from '../../src/platform/cache/redis.ts'
import { findMachine } from '../support/machine.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { createTestAccounts, password, signUpSomebody, type TestAccounts } from './support.ts'

describe.skipIf(findMachine().redis === null)('two processes with one database and one Redis', () => {
  let redis: TestRedis
  let one: TestAccounts
  let two: TestAccounts
  let opened = 0

  beforeAll(async () => {
    redis = await startRedis()
    const open = () => createRedisCache({ url: redis.url, report: () => {} })
    const caches = [open(), open()]
    for (const cache of caches) {
      await vi.waitFor(
        async () => {
          await cache.set('is there', 'yes', { ttlMs: 1000 })
          expect(await cache.get('is there')).toBe('yes')
        },
        { timeout: 10_000 },
      )
    }
    const [first, second] = caches
    if (!first || !second) throw new Error('no cache')
    one = await createTestAccounts({ cache: first })
    two = await createTestAccounts({ cache: second, database: { db: one.db }, now: one.clock.now })
    opened = caches.length
  })
  afterAll(async () => {
    expect(opened).toBe(2)
    await two.close()
    await one.close()
    await Promise.all([one.deps.cache.close(), two.deps.cache.close()])
    await redis.close()
  })

  const me = async (at: TestAccounts, token: string) =>
    (await at.call('GET', '/me', undefined, { token })).status

  test('a sign-out in one is heard by the other, by requests and by what is open', async () => {
    const person = await signUpSomebody(one)
    expect(await me(two, person.token)).toBe(200)
    const [closed, heard] = [vi.fn(), vi.fn()]
    two.accounts.watchSession((await two.accounts.authenticate(person.token)).sessionId, closed)
    await two.deps.cache.subscribe('accounts', heard)
    await one.call('DELETE', '/sessions/current', undefined, { token: person.token })
    await expect.poll(() => me(two, person.token), { interval: 5 }).toBe(401)
    expect(closed).toHaveBeenCalledTimes(1)
    expect(heard).toHaveBeenCalled()
  })

  test('a new role in one counts in the other', async () => {
    const person = await signUpSomebody(one)
    const list = async () =>
      (await two.call('GET', '/admin/accounts', undefined, { token: person.token })).status
    expect(await list()).toBe(403)
    await one.accounts.setRole(person.email, 'admin')
    await expect.poll(list, { interval: 5 }).toBe(200)
  })

  test('guesses are counted together', async () => {
    const { email } = await signUpSomebody(one)
    const statuses: number[] = []
    for (let i = 0; i < 12; i++) {
      const at = i % 2 ? one : two
      const answer = await at.call(
        'POST',
        '/sessions',
        { email, password: 'wrong password' },
        { ip: '198.51.100.1' },
      )
      statuses.push(answer.status)
    }
    expect(statuses).toEqual([...Array(10).fill(401), 429, 429])
  })

  test('twenty refreshes at once, spread over both, give one child', async () => {
    const person = await signUpSomebody(one)
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        (i % 2 ? one : two).call('POST', '/sessions/refresh', { refreshToken: person.refreshToken }),
      ),
    )
    expect(answers.map(answer => answer.status)).toEqual(Array(20).fill(200))
    expect(new Set(answers.map(answer => answer.body.data.refreshToken)).size).toBe(1)
  })

  test('without Redis people still sign in, and a sign-out is felt within five seconds', async () => {
    await redis.stop()
    const person = await signUpSomebody(one)
    expect((await two.call('POST', '/sessions', { email: person.email, password })).status).toBe(201)
    expect(await me(two, person.token)).toBe(200)
    expect((await one.call('DELETE', '/sessions/current', undefined, { token: person.token })).status).toBe(
      200,
    )
    one.clock.advance(5000)
    expect(await me(two, person.token)).toBe(401)
    await redis.start()
  })
})

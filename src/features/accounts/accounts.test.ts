import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestAccounts, password, type TestAccounts } from '../../../test/accounts/support.ts'

describe('signing up, in and out', () => {
  let site: TestAccounts
  beforeAll(async () => {
    site = await createTestAccounts()
  })
  afterAll(() => site.close())

  it('signs up, reads itself, signs out, and is refused afterwards', async () => {
    const made = await site.call('POST', '/accounts', { email: 'Ada@Example.com', password, name: 'Ada' })
    expect(made.status).toBe(201)
    expect(made.body.data).toMatchObject({
      account: { email: 'Ada@example.com', name: 'Ada', plan: 'basic', role: 'user', status: 'active' },
      expiresIn: 900,
    })
    expect(Object.keys(made.cookies)).toEqual(['accessToken', 'refreshToken'])
    const token = made.body.data.accessToken
    const me = await site.call('GET', '/me', undefined, { token })
    expect(me.body.data.account.id).toBe(made.body.data.account.id)
    expect(me.text).not.toContain('argon2')
    expect((await site.call('DELETE', '/sessions/current', undefined, { token })).status).toBe(200)
    const after = await site.call('GET', '/me', undefined, { token })
    expect([after.status, after.body.code]).toEqual([401, 'SESSION_ENDED'])
    const renewed = await site.call('POST', '/sessions/refresh', {
      refreshToken: made.body.data.refreshToken,
    })
    expect([renewed.status, renewed.body.code]).toEqual([401, 'INVALID_REFRESH_TOKEN'])
  })

  it('signs in with the right password only, and refreshes', async () => {
    await site.call('POST', '/accounts', { email: 'bob@example.com', password })
    const wrong = await site.call('POST', '/sessions', {
      email: 'bob@example.com',
      password: 'wrong password',
    })
    expect([wrong.status, wrong.body.code]).toEqual([401, 'INVALID_CREDENTIALS'])
    const right = await site.call('POST', '/sessions', { email: 'BOB@example.com', password })
    expect(right.status).toBe(201)
    const renewed = await site.call('POST', '/sessions/refresh', {
      refreshToken: right.body.data.refreshToken,
    })
    expect(renewed.status).toBe(200)
    expect(renewed.body.data.refreshToken).not.toBe(right.body.data.refreshToken)
    const me = await site.call('GET', '/me', undefined, { token: renewed.body.data.accessToken })
    expect(me.body.data.account.email).toBe('bob@example.com')
  })
})

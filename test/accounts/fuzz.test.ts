import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTestAccounts, password, signIn, signUpSomebody } from './support.ts'

const odd = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ maxLength: 2000 }),
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(
    '\u0000',
    'a\u0000@example.com',
    '\ud800',
    '\ud800@example.com',
    '%00',
    "' or 1=1 --",
    '{{7*7}}',
    '__proto__',
    'x'.repeat(5000),
    `${'a'.repeat(60)}@${'b.'.repeat(90)}com`,
    'ada@example.com',
    '+14155550123',
    '000000',
    '01936b2e-8f6a-7c3d-9f7e-2a4b6c8d0e1f',
    '00000000-0000-0000-0000-000000000000',
    1e308,
    -1,
    null,
    true,
    [],
    {},
    { $ne: null },
    password,
    'sign-up',
    'password-reset',
    'address-change',
  ),
)
/** For each field something that may be right, as often as something that is not. */
const plausible: Record<string, unknown[]> = {
  email: ['ada@example.com', 'bob@example.com'],
  mobile: ['+14155550123'],
  password: [password],
  name: ['Ada'],
  username: ['ada'],
  firstName: ['Ada', null],
  lastName: ['King'],
  verificationToken: ['atv_x'],
  code: ['000000'],
  purpose: ['sign-up', 'sign-in', 'password-reset', 'account-deletion', 'address-change'],
  refreshToken: ['atr_x'],
  currentPassword: [password],
  newPassword: [password],
  constructor: [{}],
  extra: [1],
}
const fields = fc
  .uniqueArray(
    fc.constantFrom(...Object.keys(plausible), '__proto__').chain(name =>
      fc.tuple(
        fc.constant(name),
        fc.oneof(
          {
            weight: 2,
            arbitrary: fc.constantFrom(...(Object.hasOwn(plausible, name) ? (plausible[name] ?? []) : [1])),
          },
          odd,
        ),
      ),
    ),
    { maxLength: 4, selector: ([name]) => name },
  )
  .map(pairs => Object.fromEntries(pairs))
const body = fc.oneof({ weight: 6, arbitrary: fields }, { weight: 1, arbitrary: odd }, fc.constant(undefined))
const query = fc.dictionary(
  fc.constantFrom('limit', 'cursor', 'search', 'kind', 'accountId', 'x'),
  fc.string({ unit: 'binary' }),
)
const route = fc.constantFrom(
  ...([
    ['POST', '/accounts'],
    ['POST', '/accounts/verify'],
    ['POST', '/sessions'],
    ['POST', '/sessions/refresh'],
    ['GET', '/sessions'],
    ['DELETE', '/sessions'],
    ['PATCH', '/sessions/:id'],
    ['DELETE', '/sessions/:id'],
    ['POST', '/codes'],
    ['POST', '/codes/verify'],
    ['POST', '/passwords/forgot'],
    ['POST', '/passwords/reset'],
    ['PUT', '/me/password'],
    ['PATCH', '/me'],
    ['PUT', '/me/email'],
    ['PUT', '/me/mobile'],
    ['GET', '/me/security-events'],
    ['GET', '/csrf-token'],
    ['GET', '/admin/accounts'],
    ['GET', '/admin/security-events'],
    ['POST', '/admin/accounts/:id/ban'],
    ['POST', '/admin/accounts/:id/unban'],
  ] as const),
)
const id = fc.oneof(
  fc.constant('01936b2e-8f6a-7c3d-9f7e-2a4b6c8d0e1f'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 50 }),
)

test('no request makes the server fail, and every refusal has the one body', {
  timeout: 120_000,
}, async () => {
  const many = 1_000_000
  const limits = {
    codesPerHour: many,
    codesPerNetworkPerHour: many,
    codesPerHourInAll: many,
    signupsPerHour: many,
  }
  const logins = {
    loginsPerHour: many,
    loginsPerNetworkPerHour: many,
    loginsPerAddressPerQuarter: many,
    refreshFailures: many,
  }
  await using site = await createTestAccounts({ limits: { ...limits, ...logins } })
  const person = await signUpSomebody(site)
  await site.accounts.setRole(person.email, 'admin')
  const { token } = await signIn(site, person.email)
  const seen = new Set<number>()
  await fc.assert(
    fc.asyncProperty(
      route,
      body,
      query,
      id,
      fc.boolean(),
      async ([method, path], sent, asked, param, isSignedIn) => {
        const search = new URLSearchParams(
          Object.entries(asked).map(([name, value]): [string, string] => [name, value.toWellFormed()]),
        )
        const url = `${path.replace(':id', encodeURIComponent(param.toWellFormed()))}?${search}`
        const answer = await site.server.inject({
          method,
          url: `/api/v1${url}`,
          headers: {
            ...(isSignedIn ? { authorization: `Bearer ${token}` } : {}),
            ...(sent === undefined || method === 'GET' ? {} : { 'content-type': 'application/json' }),
          },
          ...(sent === undefined || method === 'GET' ? {} : { payload: JSON.stringify(sent) }),
        })
        seen.add(answer.statusCode)
        expect(answer.statusCode).toBeLessThan(500)
        const told = JSON.parse(answer.body)
        expect(told.success).toBe(answer.statusCode < 400)
        if (answer.statusCode >= 400) {
          expect(told).toMatchObject({
            data: null,
            error: expect.any(String),
            code: expect.stringMatching(/^[A-Z_]+$/),
          })
          expect(told.errors.length).toBeGreaterThan(0)
        }
      },
    ),
    { numRuns: 10_000 },
  )
  await site.accounts.idle()
  expect(site.failures).toEqual([])
  for (const status of [200, 202, 400, 401, 404]) expect(seen).toContain(status)
  expect((await site.call('GET', '/me', undefined, { token })).status).toBe(200)
})

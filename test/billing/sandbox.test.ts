import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'

let server: TestApp

beforeAll(async () => {
  server = await startApp({ SIGNUP_CREDITS: '20' })
})
afterAll(() => server[Symbol.asyncDispose]())

const fine = { number: '4242 4242 4242 4242', expiry: '12 / 34', cvc: '123' }

async function pay(url: string, card: Record<string, string>) {
  return fetch(url.replace('localhost', '127.0.0.1'), {
    method: 'POST',
    body: new URLSearchParams(card),
    redirect: 'manual',
  })
}

test('a package, a declined card, pro, cancelling and keeping it, and a month that passes', async () => {
  const { token } = await server.signUp()
  const call = (method: string, path: string, body?: unknown) =>
    server.call(method, `/api/v1${path}`, { token, ...(body === undefined ? {} : { body }) })
  const before = (await call('GET', '/credits')).body.data.credits

  const bought = await call('POST', '/billing/checkout', { packageId: 'small' })
  expect(bought.status).toBe(201)
  const { url } = bought.body.data
  const page = await fetch(url.replace('localhost', '127.0.0.1'))
  expect(await page.text()).toContain('Sandbox')
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  const font = await fetch(new URL('/sandbox/geist.woff2', page.url))
  expect([font.status, font.headers.get('content-type')]).toEqual([200, 'font/woff2'])

  for (const [wrong, text] of [
    [{ ...fine, number: '4000 0000 0000 0002' }, 'declined'],
    [{ ...fine, number: '4111 1111 1111 1111' }, 'test cards only'],
    [{ ...fine, expiry: '01 / 20' }, 'in the future'],
    [{ ...fine, cvc: 'x' }, '3 or 4 digits'],
  ] as const) {
    const refused = await pay(url, wrong)
    const html = await refused.text()
    expect([refused.status, html.includes(text)]).toEqual([402, true])
    for (const kept of [wrong.number, wrong.expiry]) expect(html).toContain(`value="${kept}"`)
    expect(html).not.toContain(`value="${wrong.cvc}"`)
  }
  expect((await call('GET', '/billing/payments')).body.data.payments).toMatchObject([
    { kind: 'package', item: 'small', status: 'failed', failure: 'Your card was declined.' },
  ])
  expect((await call('GET', '/credits')).body.data.credits).toBe(before)

  expect((await pay(url, fine)).headers.get('location')).toContain('/settings/billing?checkout=success')
  expect((await pay(url, fine)).status).toBe(409)
  expect((await call('GET', '/credits')).body.data.credits).toBe(before + 500)
  expect((await call('GET', '/billing/payments')).body.data.payments).toMatchObject([
    { status: 'paid', credits: 500 },
  ])

  const upgrade = (await call('POST', '/billing/checkout', { plan: 'pro' })).body.data
  await pay(upgrade.url, { ...fine, number: '4000000000000002' })
  expect((await call('GET', '/me')).body.data.account.plan).toBe('basic')
  await pay(upgrade.url, fine)
  expect((await call('GET', '/me')).body.data.account.plan).toBe('pro')
  expect((await call('GET', '/credits')).body.data.credits).toBe(before + 1000)
  expect((await call('GET', '/billing/subscription')).body.data.subscription).toMatchObject({
    plan: 'pro',
    status: 'active',
    cancelAtPeriodEnd: false,
  })
  expect((await call('POST', '/billing/checkout', { plan: 'pro' })).body.code).toBe('ALREADY_SUBSCRIBED')

  expect((await call('POST', '/billing/subscription/cancel')).body.data.subscription.cancelAtPeriodEnd).toBe(
    true,
  )
  expect(
    (await call('POST', '/billing/subscription/reactivate')).body.data.subscription.cancelAtPeriodEnd,
  ).toBe(false)

  const portal = (await call('POST', '/billing/portal')).body.data.url
  await pay(portal, { deed: 'pass-month' })
  expect((await call('GET', '/credits')).body.data.credits).toBe(before + 1500)
  await pay(portal, { deed: 'cancel' })
  await pay(portal, { deed: 'pass-month' })
  expect((await call('GET', '/me')).body.data.account.plan).toBe('basic')
  expect((await call('GET', '/billing/subscription')).body.data.subscription.status).toBe('canceled')

  const { entries } = (await call('GET', '/credits/history?kind=purchase')).body.data
  expect(entries).toMatchObject([{ kind: 'purchase', amountMicroCredits: 500_000_000 }])
  const first = (await call('GET', '/credits/history?limit=2')).body.data
  const second = (await call('GET', `/credits/history?limit=2&cursor=${first.nextCursor}`)).body.data
  const seqs = [...first.entries, ...second.entries].map((entry: { seq: number }) => entry.seq)
  expect(seqs).toEqual(seqs.toSorted((a: number, b: number) => b - a))
  expect(new Set(seqs).size).toBe(4)
})

test.each([
  {},
  { plan: 'basic' },
  { plan: 'gold' },
  { packageId: 'huge' },
  { plan: 'pro', packageId: 'small' },
  ...['-1', 0, -1, 0.1, '1e3', null, [], {}].map(packageId => ({ packageId })),
  { packageId: 'small', price: 1 },
  { packageId: 'small', credits: 1_000_000 },
  { packageId: 'small', currency: 'xxx' },
  { packageId: 'small', successUrl: 'https://evil.example/' },
  { packageId: 'small', cancelUrl: 'javascript:alert(1)' },
  { packageId: 'small', successUrl: '//evil.example' },
])('M10: a checkout of %j is refused and gives nothing', async body => {
  const { token } = await server.signUp()
  const before = (await server.call('GET', '/api/v1/credits', { token })).body.data
  const answer = await server.call('POST', '/api/v1/billing/checkout', { token, body })
  expect(answer.status).toBe(400)
  expect(answer.body.details.length).toBeGreaterThan(0)
  expect((await server.call('GET', '/api/v1/credits', { token })).body.data).toEqual(before)
})

test("another person's payments and history are not shown, and nobody sees any without signing in", async () => {
  const { token } = await server.signUp()
  expect((await server.call('GET', '/api/v1/billing/payments', { token })).body.data.payments).toEqual([])
  for (const path of ['/credits', '/credits/history', '/billing/payments', '/billing/subscription'])
    expect((await server.call('GET', `/api/v1${path}`)).status).toBe(401)
  expect((await server.call('POST', '/api/v1/billing/subscription/cancel', { token })).status).toBe(404)
})

import { randomBytes, randomUUID } from 'node:crypto'
import pg from 'pg'
import { expect, test, vi } from 'vitest'
import { embeddedIn } from '../faults/audit.ts'
import { call, signUp } from '../faults/client.ts'
import { startApp, testPassword } from '../support/app.ts'
import { makeTestFolder, removeTestFolder } from '../support/folder.ts'
import { freePort } from '../support/ports.ts'
import { startProcess } from '../support/process.ts'
import { eventOf, signatureOf } from './support.ts'

const card = new URLSearchParams({ number: '4242424242424242', expiry: '12 / 34', cvc: '123' })

test('what was paid in the sandbox before its server was killed is told after the next start', {
  timeout: 160_000,
}, async () => {
  const folder = await makeTestFolder('payment-restart')
  const port = await freePort()
  const start = () => startProcess({ dataDir: folder, port, env: { SIGNUP_CREDITS: '7' } })
  let server = await start()
  const client = new pg.Client(await embeddedIn(folder)())
  client.on('error', () => {})
  try {
    const person = await signUp(server.url)
    const { url } = await call(server.url, {
      path: '/billing/checkout',
      person,
      body: { packageId: 'small' },
    })
    await client.connect()
    // Whoever receives an event of this account waits here, so that its delivery has begun and does not end.
    await client.query('select pg_advisory_lock(hashtextextended($1::text, 6))', [person.accountId])
    const paying = fetch(url.replace('localhost', '127.0.0.1'), {
      method: 'POST',
      body: card,
      redirect: 'manual',
    }).catch(() => null)
    const told = async () =>
      (await client.query('select attempts from sandbox_events')).rows as { attempts: number }[]
    await vi.waitFor(async () => expect((await told())[0]?.attempts).toBeGreaterThan(0), 60_000)
    expect(await call(server.url, { path: '/credits', person })).toMatchObject({ credits: 7 })
    await server.kill('SIGKILL')
    await paying
    expect(await told()).toHaveLength(1)
    await client.query('select pg_advisory_unlock_all()')
    server = await start()
    await vi.waitFor(
      async () =>
        expect(await call(server.url, { path: '/credits', person })).toMatchObject({ credits: 507 }),
      60_000,
    )
    await vi.waitFor(async () => expect(await told()).toEqual([]), 60_000)
    const { payments } = await call(server.url, { path: '/billing/payments', person })
    expect(payments).toMatchObject([{ item: 'small', status: 'paid', credits: 500 }])
  } finally {
    await client.end().catch(() => {})
    await server.kill('SIGTERM')
    await removeTestFolder(folder)
  }
})

test('production without Stripe sells nothing, says so, and never opens the sandbox', async () => {
  await using server = await startApp({
    NODE_ENV: 'production',
    PUBLIC_URL: 'https://atelier.example',
    JWT_SECRET: randomBytes(32).toString('hex'),
    ENCRYPTION_KEY: randomBytes(32).toString('hex'),
  })
  // Left by the same data in development: the sandbox's own page of a checkout.
  await server.app.db
    .insertInto('sandbox_objects')
    .values({
      id: 'cs_left',
      kind: 'session',
      customer_id: 'cus_left',
      body: JSON.stringify({ status: 'open' }),
    })
    .execute()
  const email = 'payer@example.com'
  await server.app.accounts.addAccount({ email, password: testPassword })
  const ask = async (method: 'GET' | 'POST', url: string, payload?: object, headers: object = {}) => {
    const answer = await server.app.server.inject({
      method,
      url,
      headers: { ...headers },
      ...(payload ? { payload } : {}),
    })
    const isJson = String(answer.headers['content-type']).includes('json')
    return { status: answer.statusCode, body: isJson ? answer.json() : null }
  }
  const { token } = (await ask('POST', '/api/auth/login', { email, password: testPassword })).body
  const headers = { authorization: `Bearer ${token}` }
  const before = (await ask('GET', '/api/v1/credits', undefined, headers)).body.data
  for (const [path, body] of [
    ['/api/v1/billing/checkout', { plan: 'pro' }],
    ['/api/v1/billing/checkout', { packageId: 'small' }],
    ['/api/v1/billing/portal', {}],
    ['/api/subscription/pro', {}],
    ['/api/payments/create-order', { package: 'small' }],
    ['/api/credits/purchase', { packageId: 'small' }],
  ] as const)
    expect([path, await ask('POST', path, body, headers)]).toMatchObject([
      path,
      { status: 503, body: { code: 'PAYMENTS_OFF' } },
    ])
  const forged = eventOf(`evt_${randomUUID()}`, 'checkout.session.completed', { customer: 'cus_left' }, 1)
  for (const secret of ['', 'undefined', 'whsec_of_anybody'])
    for (const path of ['/api/v1/webhooks/stripe', '/api/webhook/stripe']) {
      const signed = {
        'stripe-signature': signatureOf(forged, secret || ' '),
        'content-type': 'application/json',
      }
      expect([path, (await ask('POST', path, JSON.parse(forged), signed)).status]).toEqual([path, 503])
    }
  for (const path of ['/sandbox/checkout/cs_left', '/sandbox/portal/cs_left']) {
    expect([path, (await ask('GET', path)).status]).toEqual([path, 404])
    expect((await ask('POST', path, { number: '4242424242424242' })).status).toBe(404)
  }
  const packages = await ask('GET', '/api/v1/billing/packages')
  expect(packages.body.data.provider).toBe('none')
  expect((await ask('GET', '/api/v1/credits', undefined, headers)).body.data).toEqual(before)
  expect((await ask('GET', '/api/v1/billing/payments', undefined, headers)).body.data.payments).toEqual([])
})

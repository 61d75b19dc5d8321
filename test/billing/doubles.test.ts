import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startStripe, stripeKey, type TestStripe } from '../stripe/server.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { deliver, eventOf, signatureOf, webhookSecret } from './support.ts'

let server: TestApp
let stripe: TestStripe
const lines: string[] = []

beforeAll(async () => {
  stripe = await startStripe()
  server = await startApp(
    {
      STRIPE_SECRET_KEY: stripeKey,
      STRIPE_WEBHOOK_SECRET: webhookSecret,
      STRIPE_API_BASE: stripe.url,
      SIGNUP_CREDITS: '0',
    },
    line => lines.push(line),
  )
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await stripe[Symbol.asyncDispose]()
})

type Person = Awaited<ReturnType<TestApp['signUp']>>
type Fields = Record<string, unknown>

const checkout = (person: Person, body: object = { plan: 'pro' }) =>
  server.call('POST', '/api/v1/billing/checkout', { token: person.token, body })
const read = async (person: Person, path: string) =>
  (await server.call('GET', `/api/v1${path}`, { token: person.token })).body.data
const receive = (body: string) => server.app.buying.receive(Buffer.from(body), signatureOf(body))
const now = Math.floor(Date.now() / 1000)
const event = (type: string, object: unknown, at = now) =>
  eventOf(`evt_${randomUUID()}`, type, object as Fields, at)
const sessionsMade = () =>
  stripe.asked.filter(call => call.method === 'POST' && call.path === '/v1/checkout/sessions').length

test('every call asks for the version of the API that this was written for', async () => {
  await checkout(await server.signUp())
  expect(stripe.versions).toEqual(new Set(['2026-10-28.endive']))
})

test('one checkout for a plan is open at a time: the same wish leads to the same page', async () => {
  const person = await server.signUp()
  const before = sessionsMade()
  const together = await Promise.all(Array.from({ length: 10 }, () => checkout(person)))
  expect(together.map(answer => answer.status)).toEqual(Array(10).fill(201))
  const ids = new Set(together.map(answer => answer.body.data.sessionId))
  expect(ids.size).toBe(1)
  expect((await checkout(person)).body.data).toEqual(together[0]?.body.data)
  const open = () =>
    [...stripe.objects.values()].filter(
      one =>
        one.object === 'checkout.session' &&
        one.client_reference_id === person.accountId &&
        one.status === 'open',
    )
  expect(open()).toHaveLength(1)

  // Another wish closes the page before.
  const other = await checkout(person, {
    plan: 'pro',
    successUrl: `${server.url.replace('127.0.0.1', 'localhost')}/welcome`,
  })
  expect(ids.has(other.body.data.sessionId)).toBe(false)
  expect(open().map(one => one.id)).toEqual([other.body.data.sessionId])
  expect(() => stripe.pay([...ids][0] as string)).toThrow(/is expired/)
  expect(sessionsMade()).toBeGreaterThan(before)

  // Wishes that differ, all at once, leave one page that can be paid.
  const origin = server.url.replace('127.0.0.1', 'localhost')
  for (let round = 0; round < 5; round++) {
    const mixed = await Promise.all(
      Array.from({ length: 8 }, (_, at) =>
        checkout(person, { plan: 'pro', cancelUrl: `${origin}/${at % 2}` }),
      ),
    )
    expect(mixed.filter(answer => ![201, 409].includes(answer.status))).toEqual([])
    expect(mixed.some(answer => answer.status === 201)).toBe(true)
    expect(open()).toHaveLength(1)
  }

  // Paid, and nothing told yet: it is not sold again.
  stripe.pay(String(open()[0]?.id))
  expect((await checkout(person)).body.code).toBe('ALREADY_SUBSCRIBED')
  expect((await checkout(person, { packageId: 'small' })).status).toBe(201)
})

test('a checkout that the provider forgot, or that expired, is followed by a new one', async () => {
  const person = await server.signUp()
  const first = (await checkout(person)).body.data.sessionId
  const session = stripe.objects.get(first)
  if (session) session.status = 'expired'
  const second = (await checkout(person)).body.data.sessionId
  expect(second).not.toBe(first)
  stripe.objects.delete(second)
  expect((await checkout(person)).body.data.sessionId).not.toBe(second)
})

test('a checkout whose answer was lost leads to the page that was made', async () => {
  const person = await server.signUp()
  await checkout(person)
  const { db } = server.app
  await db
    .updateTable('plan_checkouts')
    .set({ session_id: null })
    .where('account_id', '=', person.accountId)
    .execute()
  const before = sessionsMade()
  const again = await checkout(person)
  expect(again.status).toBe(201)
  const made = [...stripe.objects.values()].filter(one => one.client_reference_id === person.accountId)
  expect([made.length, sessionsMade()]).toEqual([1, before + 1])
  // While the provider is away, nothing is forgotten.
  await db
    .updateTable('plan_checkouts')
    .set({ session_id: null })
    .where('account_id', '=', person.accountId)
    .execute()
  stripe.failNext(503, 503, 503)
  expect((await checkout(person)).status).toBe(503)
  expect((await checkout(person)).body.data.sessionId).toBe(made[0]?.id)
})

/** Two subscriptions of one person, both paid, as only two pages that were open before this was prevented can make them. */
async function twoPaid(person: Person) {
  const first = stripe.pay((await checkout(person)).body.data.sessionId)
  await server.app.db.deleteFrom('plan_checkouts').where('account_id', '=', person.accountId).execute()
  const second = stripe.pay((await checkout(person)).body.data.sessionId)
  const [earlier, later] = [first.subscription, second.subscription] as [Fields, Fields]
  later.created = Number(earlier.created) + 1
  return { first, second, earlier, later }
}

test.each([
  ['the first is told first', [0, 1, 2, 3]],
  ['the second is told first', [2, 3, 0, 1]],
  ['both are told mixed', [3, 1, 2, 0]],
])('of two paid subscriptions the later is ended and given back: %s', async (_, order) => {
  const person = await server.signUp()
  const { first, second, earlier, later } = await twoPaid(person)
  const events = [
    event('customer.subscription.created', { ...earlier }, now),
    event('invoice.payment_succeeded', first.invoice, now + 1),
    event('customer.subscription.created', { ...later }, now),
    event('invoice.payment_succeeded', second.invoice, now + 1),
  ]
  for (const at of order) expect((await deliver(server, events[at] ?? '')).status).toBe(200)
  expect([earlier.status, later.status]).toEqual(['active', 'canceled'])
  const refunds = [...stripe.objects.values()].filter(
    one => one.object === 'refund' && [first.intent.id, second.intent.id].includes(one.payment_intent),
  )
  expect(refunds).toMatchObject([{ payment_intent: second.intent.id, reason: 'duplicate' }])
  expect(lines.some(line => line.includes('a second subscription of an account was ended'))).toBe(true)
  // What Stripe tells of that.
  await deliver(server, event('customer.subscription.deleted', { ...later }, now + 3))
  const charge = {
    id: `ch_${randomUUID()}`,
    customer: later.customer,
    payment_intent: second.intent.id,
    amount_refunded: 999,
  }
  await deliver(server, event('charge.refunded', charge, now + 3))
  expect((await read(person, '/me')).account.plan).toBe('pro')
  expect(await server.app.buying.subscription(person.accountId)).toMatchObject({
    subscriptionId: earlier.id,
    status: 'active',
  })
  expect((await read(person, '/credits')).credits).toBe(500)
})

test('when the provider cannot be reached, the second subscription is ended by a later delivery, or within the hour', async () => {
  const ends = {
    delivery: (body: string) => deliver(server, body),
    hour: () => server.app.buying.tidy(),
  }
  for (const end of Object.values(ends)) {
    const person = await server.signUp()
    const { earlier, later } = await twoPaid(person)
    await receive(event('customer.subscription.created', { ...earlier }))
    const body = event('customer.subscription.created', { ...later })
    // Both are asked for, three times each.
    stripe.failNext(...Array(6).fill(503))
    expect((await deliver(server, body)).status).toBe(503)
    expect([earlier.status, later.status]).toEqual(['active', 'active'])
    await end(body)
    expect([earlier.status, later.status]).toEqual(['active', 'canceled'])
    await end(body)
    expect(earlier.status).toBe('active')
  }
})

test('what the provider refuses is told to it with 503, or to the operator, and keeps nothing else from being done', async () => {
  const person = await server.signUp()
  const { earlier, later } = await twoPaid(person)
  await receive(event('customer.subscription.created', { ...earlier }))
  const body = event('customer.subscription.created', { ...later })
  stripe.failNext(400, 400)
  const refused = await deliver(server, body)
  expect([refused.status, refused.body.code]).toEqual([503, 'PAYMENT_PROVIDER_REFUSED'])
  // Asked how both stand, and what the later took; its refund and its end are refused.
  stripe.refuse = path => path === `/v1/subscriptions/${later.id}` || path === '/v1/refunds'
  expect((await deliver(server, body)).status).toBe(200)
  expect(lines.some(line => line.includes(`subscription ${later.id} is one too many`))).toBe(true)
  const customerId = `cus_${randomUUID()}`
  await server.app.db
    .insertInto('customer_removals')
    .values({ provider: 'stripe', customer_id: customerId })
    .execute()
  await server.app.buying.tidy()
  expect(await server.app.db.selectFrom('customer_removals').selectAll().execute()).toEqual([])
  expect(later.status).toBe('active')
  stripe.refuse = () => false
  await server.app.buying.tidy()
  expect([earlier.status, later.status]).toEqual(['active', 'canceled'])
})

test('what has ended at the provider meanwhile, or is no plan of ours, is no second subscription', async () => {
  const person = await server.signUp()
  const { earlier, later } = await twoPaid(person)
  await receive(event('customer.subscription.created', { ...earlier }))
  // Ended there, and the event of that is still under way.
  earlier.status = 'canceled'
  await receive(event('customer.subscription.created', { ...later }))
  expect(later.status).toBe('active')
  await receive(event('customer.subscription.deleted', { ...earlier }, now + 5))
  // Another thing that the same customer pays for by the month.
  const other: Fields = { ...later, id: `sub_${randomUUID()}`, metadata: {}, created: 1 }
  stripe.objects.set(String(other.id), other)
  await receive(event('customer.subscription.created', { ...other }))
  await server.app.buying.tidy()
  expect([later.status, other.status]).toEqual(['active', 'active'])
  expect((await read(person, '/me')).account.plan).toBe('pro')
})

test('two changes of one second are told apart by asking, whichever comes last and whatever their ids', async () => {
  for (const isLastFirst of [false, true]) {
    const person = await server.signUp()
    const { subscription = {} } = stripe.pay((await checkout(person)).body.data.sessionId)
    await receive(event('customer.subscription.created', { ...subscription }, now - 10))
    const cancelled = { ...subscription, cancel_at_period_end: true }
    const kept = { ...subscription, cancel_at_period_end: false }
    // Ids of the wrong order: the change that came last has the smaller one.
    const [one, two] = [
      eventOf(`evt_z_${randomUUID()}`, 'customer.subscription.updated', cancelled, now),
      eventOf(`evt_a_${randomUUID()}`, 'customer.subscription.updated', kept, now),
    ]
    for (const body of isLastFirst ? [two, one] : [one, two]) expect(await receive(body)).toBe('done')
    const subscriptionNow = async () => (await read(person, '/billing/subscription')).subscription
    expect((await subscriptionNow()).cancelAtPeriodEnd).toBe(false)
    // A third one of that second, heard while the provider tells something newer.
    subscription.cancel_at_period_end = true
    const late = eventOf(
      `evt_0_${randomUUID()}`,
      'customer.subscription.updated',
      { ...cancelled, status: 'past_due' },
      now,
    )
    const before = stripe.asked.length
    stripe.failNext(503, 503, 503)
    expect((await deliver(server, late)).status).toBe(503)
    expect((await subscriptionNow()).cancelAtPeriodEnd).toBe(false)
    expect((await deliver(server, late)).status).toBe(200)
    expect(await subscriptionNow()).toMatchObject({ cancelAtPeriodEnd: true, status: 'active' })
    expect(stripe.asked.length).toBeGreaterThan(before)
    expect(await receive(late)).toBe('repeated')
  }
})

test('many changes of one second, heard at once by two servers, end as the provider has them', async () => {
  await using second = await startApp({
    STRIPE_SECRET_KEY: stripeKey,
    STRIPE_WEBHOOK_SECRET: webhookSecret,
    STRIPE_API_BASE: stripe.url,
    DATABASE_URL: server.databaseUrl,
    DATA_DIR: server.app.dataDir,
  })
  const person = await server.signUp()
  const { subscription = {} } = stripe.pay((await checkout(person)).body.data.sessionId)
  await receive(event('customer.subscription.created', { ...subscription }, now - 10))
  const bodies = Array.from({ length: 12 }, (_, at) =>
    event('customer.subscription.updated', { ...subscription, cancel_at_period_end: at % 3 === 0 }, now),
  )
  subscription.cancel_at_period_end = true
  const waiting = new Set(bodies)
  await vi.waitFor(
    async () => {
      // What was refused because others were faster is sent again, as Stripe does.
      await Promise.all(
        [...waiting].map(async (body, at) => {
          if ((await deliver(at % 2 ? server : second, body)).status === 200) waiting.delete(body)
        }),
      )
      expect(waiting.size).toBe(0)
    },
    { timeout: 20_000 },
  )
  expect((await read(person, '/billing/subscription')).subscription.cancelAtPeriodEnd).toBe(true)
})

test('an account is erased though the payment provider is away, which hears of it later', async () => {
  const person = await server.signUp()
  const { subscription = {} } = stripe.pay((await checkout(person)).body.data.sessionId)
  await receive(event('customer.subscription.created', { ...subscription }))
  const customerId = String(subscription.customer)
  stripe.failNext(503, 503, 503)
  const erased = await server.call('DELETE', '/api/v1/me', {
    token: person.token,
    body: { password: 'correct horse battery' },
  })
  expect(erased.status).toBe(200)
  const { db } = server.app
  const rows = await db.selectFrom('accounts').select('id').where('id', '=', person.accountId).execute()
  expect(rows).toEqual([])
  expect(stripe.objects.get(customerId)?.deleted).toBeUndefined()
  const left = () => db.selectFrom('customer_removals').select('customer_id').execute()
  expect(await left()).toEqual([{ customer_id: customerId }])
  expect(lines.some(line => line.includes(`customer ${customerId} of an erased account`))).toBe(true)
  // Its events have no effect any more.
  expect(await receive(event('customer.subscription.updated', { ...subscription }))).toBe('foreign')
  await server.app.buying.tidy()
  expect(stripe.objects.get(customerId)?.deleted).toBe(true)
  expect(subscription.status).toBe('canceled')
  expect(await left()).toEqual([])
})

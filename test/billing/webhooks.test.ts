import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startStripe, stripeKey, type TestStripe } from '../stripe/server.ts'
import { insertAccount } from '../support/accounts.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { deliver, eventOf, lifeOf, signatureOf, webhookSecret } from './support.ts'

let server: TestApp
let stripe: TestStripe

beforeAll(async () => {
  stripe = await startStripe()
  server = await startApp({
    STRIPE_SECRET_KEY: stripeKey,
    STRIPE_WEBHOOK_SECRET: webhookSecret,
    STRIPE_API_BASE: stripe.url,
    SIGNUP_CREDITS: '0',
    CORS_ORIGINS: 'https://shop.example',
  })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await stripe[Symbol.asyncDispose]()
})

const credit = 1_000_000
/** What every account of the tests begins with. */
let given = 0
const past = Math.floor(Date.now() / 1000) - 5000

/** Somebody who is a customer already. */
async function customer(): Promise<{ accountId: string; customerId: string }> {
  const accountId = await insertAccount(server.app.db)
  given = await server.app.buying.balance(accountId)
  const customerId = `cus_${randomUUID()}`
  await server.app.db
    .insertInto('payment_customers')
    .values({ provider: 'stripe', customer_id: customerId, account_id: accountId })
    .execute()
  return { accountId, customerId }
}

/** What is known of an account, without what differs between accounts; the ledger must add up. */
async function stateOf(accountId: string) {
  const { db } = server.app
  const { plan } = await db
    .selectFrom('accounts')
    .select('plan')
    .where('id', '=', accountId)
    .executeTakeFirstOrThrow()
  const entries = await db
    .selectFrom('ledger_entries')
    .select(['kind', 'amount_micro_credits', 'balance_micro_credits'])
    .where('account_id', '=', accountId)
    .orderBy('seq')
    .execute()
  const balance = await server.app.buying.balance(accountId)
  let sum = 0
  for (const entry of entries) {
    sum += entry.amount_micro_credits
    expect(entry.balance_micro_credits).toBe(sum)
  }
  expect(balance).toBe(sum)
  const subscription = await server.app.buying.subscription(accountId)
  const { payments } = await server.app.buying.payments(accountId, { limit: 100 })
  return {
    plan,
    balance: balance - given,
    status: subscription?.status ?? null,
    payments: payments
      .map(one => [
        one.kind,
        one.paidAt !== null,
        one.failedAt !== null,
        one.refundedCents,
        one.amountCents,
        one.dispute,
      ])
      .toSorted(),
  }
}

const receive = (body: string) => server.app.buying.receive(Buffer.from(body), signatureOf(body))

/** Calls work for each item, a few at a time. */
async function together<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const left = items.values()
  await Promise.all(
    Array.from({ length: 12 }, async () => {
      for (const item of left) await work(item)
    }),
  )
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map(item => [Math.random(), item] as const)
    .toSorted((left, right) => left[0] - right[0])
    .map(([, item]) => item)
}

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length < 2) return [[...items]]
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map(rest => [item, ...rest]))
}

test('M04: only the right signature over the very bytes passes', async () => {
  const { accountId, customerId } = await customer()
  const body = lifeOf(customerId, randomUUID())[3] ?? ''
  const right = signatureOf(body)
  const now = Math.floor(Date.now() / 1000)
  const wrong: [string, string | undefined][] = [
    [body, right.replace(/.$/, last => (last === '0' ? '1' : '0'))],
    [body, right.replace('v1=', 'v0=')],
    [JSON.stringify(JSON.parse(body), null, 1), right],
    [`${body} `, right],
    [body, signatureOf(body, 'whsec_another')],
    [body, signatureOf(body, webhookSecret, now - 301)],
    [body, signatureOf(body, webhookSecret, now + 400)],
    [body, signatureOf(body, '')],
    [body, 't=,v1='],
    ['', signatureOf('')],
    ['[]', signatureOf('[]')],
    ['null', signatureOf('null')],
    ['{"id":1}', signatureOf('{"id":1}')],
    ['not json', signatureOf('not json')],
  ]
  for (const [bytes, signature] of wrong) {
    const answer = await deliver(server, bytes, signature)
    expect([bytes.slice(0, 40), signature, answer.status]).toEqual([bytes.slice(0, 40), signature, 400])
  }
  expect((await server.call('POST', '/api/v1/webhooks/stripe', { body })).status).toBe(400)
  expect((await server.call('POST', '/api/v1/webhooks/stripe')).status).toBe(400)
  const large = ' '.repeat(1024 * 1024 + 1)
  for (const path of ['/api/v1/webhooks/stripe', '/api/webhook/stripe']) {
    const headers = { 'stripe-signature': signatureOf(large) }
    const refused = await server.call('POST', path, { body: large, headers })
    expect([path, refused.status, refused.body.code]).toEqual([path, 400, 'BODY_TOO_LARGE'])
  }
  expect((await stateOf(accountId)).balance).toBe(0)
  const two = `${right.split(',')[0]},v1=${'0'.repeat(64)},${right.split(',')[1]}`
  const good = await deliver(server, body, two)
  expect([good.status, good.body.data]).toEqual([200, { received: true }])
  expect((await stateOf(accountId)).balance).toBe(500 * credit)
})

test('M05: events of customers that are not ours, and kinds that are not followed, are taken and change nothing', async () => {
  const { db } = server.app
  const count = async () => (await db.selectFrom('payment_events').select('event_id').execute()).length
  const before = await count()
  for (const body of lifeOf('cus_of_somebody_else', randomUUID()))
    expect((await deliver(server, body)).status).toBe(200)
  const { customerId } = await customer()
  const foreignOrder = {
    id: 'cs_x',
    customer: customerId,
    mode: 'payment',
    payment_status: 'paid',
    metadata: { paymentId: randomUUID() },
    amount_total: 100_000,
    currency: 'usd',
  }
  expect(await receive(eventOf('evt_foreign', 'checkout.session.completed', foreignOrder, past))).toBe('done')
  // An order that was begun at another provider is not paid by an event of this one.
  const accountId = await server.app.db
    .selectFrom('payment_customers')
    .select('account_id')
    .where('customer_id', '=', customerId)
    .executeTakeFirstOrThrow()
  const ordered = {
    ...{ id: randomUUID(), account_id: accountId.account_id, provider: 'sandbox', kind: 'package' as const },
    ...{ item: 'small', micro_credits: 500 * credit, amount_cents: 500, currency: 'usd' },
  }
  await db.insertInto('payments').values(ordered).execute()
  const elsewhere = { ...foreignOrder, metadata: { paymentId: ordered.id } }
  expect(await receive(eventOf('evt_elsewhere', 'checkout.session.completed', elsewhere, past))).toBe('done')
  expect((await stateOf(ordered.account_id)).balance).toBe(0)
  expect(await receive(eventOf('evt_odd', 'payout.paid', { id: 'po_1' }, past))).toBe('ignored')
  for (const odd of [{}, [], { customer: {} }, { id: 5, customer: [], amount_paid: -5 }])
    expect(
      (await deliver(server, eventOf(randomUUID(), 'invoice.payment_succeeded', odd as never, past))).status,
    ).toBe(200)
  expect(await count()).toBe(before + 2)
})

test('M06: one event fifty times, half of them at once, has one effect', async () => {
  const { accountId, customerId } = await customer()
  const body = lifeOf(customerId, randomUUID())[3] ?? ''
  const answers = await Promise.all(Array.from({ length: 25 }, () => deliver(server, body)))
  for (let index = 0; index < 25; index++) answers.push(await deliver(server, body))
  expect(answers.map(answer => answer.status)).toEqual(Array(50).fill(200))
  // An hour later, signed anew, as Stripe sends it again; what was noted is kept as long as its effect.
  const { db } = server.app
  const hourAgo = new Date(Date.now() - 3_700_000)
  await db
    .updateTable('payment_events')
    .set({ received_at: hourAgo })
    .where('account_id', '=', accountId)
    .execute()
  await server.app.buying.tidy()
  expect(await receive(body)).toBe('repeated')
  // The same paid invoice, told by another event, gives nothing either.
  await receive(body.replace(/"id":"evt_[^"]+"/, '"id":"evt_twin"').replace('payment_succeeded', 'paid'))
  expect((await stateOf(accountId)).balance).toBe(500 * credit)
})

test('M08: all 720 orders of the six events end the same, and a cancelled subscription stays so', {
  timeout: 120_000,
}, async () => {
  const orders = permutations([0, 1, 2, 3, 4, 5])
  expect(orders.length).toBe(720)
  const states = new Set<string>()
  await together(orders, async order => {
    const { accountId, customerId } = await customer()
    const events = lifeOf(customerId, randomUUID(), past)
    for (const at of order) await receive(events[at] ?? '')
    states.add(JSON.stringify(await stateOf(accountId)))
  })
  expect([...states].map(state => JSON.parse(state))).toEqual([
    {
      plan: 'basic',
      balance: 500 * credit,
      status: 'canceled',
      payments: [
        ['plan', false, true, 0, 999, null],
        ['plan', true, false, 0, 999, null],
      ],
    },
  ])
  const { accountId, customerId } = await customer()
  const events = lifeOf(customerId, 'late', past)
  await receive(events[5] ?? '')
  await receive(
    eventOf(
      'evt_stale',
      'customer.subscription.updated',
      { ...JSON.parse(events[2] ?? '').data.object },
      past + 9000,
    ),
  )
  expect(await stateOf(accountId)).toMatchObject({ plan: 'basic', status: 'canceled' })
})

/** A package of 500 credits that waits to be paid, and its events. */
async function packageOf({ accountId, customerId }: { accountId: string; customerId: string }) {
  const id = randomUUID()
  const intent = `pi_${id}`
  await server.app.db
    .insertInto('payments')
    .values({
      id,
      account_id: accountId,
      provider: 'stripe',
      kind: 'package',
      item: 'small',
      micro_credits: 500 * credit,
      amount_cents: 500,
      currency: 'usd',
    })
    .execute()
  stripe.objects.set(intent, {
    id: intent,
    object: 'payment_intent',
    customer: customerId,
    metadata: { paymentId: id },
  })
  const session = {
    id: `cs_${id}`,
    customer: customerId,
    mode: 'payment',
    payment_status: 'paid',
    metadata: { paymentId: id },
    payment_intent: intent,
    amount_total: 500,
    currency: 'usd',
  }
  const event = (type: string, object: Record<string, unknown>, after = 0) =>
    eventOf(`evt_${randomUUID()}`, type, object, past + after)
  return {
    session,
    paid: event('checkout.session.completed', session),
    refund: (cents: number) =>
      event(
        'charge.refunded',
        {
          id: `ch_${id}`,
          customer: customerId,
          payment_intent: intent,
          metadata: { paymentId: id },
          amount_refunded: cents,
        },
        10,
      ),
    dispute: (status: string) =>
      event(
        `charge.dispute.${status === 'needs_response' ? 'created' : 'closed'}`,
        { id: `dp_${id}`, payment_intent: intent, amount: 500, status },
        20,
      ),
    event,
  }
}

test('M11: what was refunded or disputed is taken back once, in proportion, and the ledger says so', async () => {
  const who = await customer()
  const bought = await packageOf(who)
  const unpaid = bought.event('checkout.session.completed', { ...bought.session, payment_status: 'unpaid' })
  const cheap = bought.event('checkout.session.completed', { ...bought.session, amount_total: 499 })
  const otherMoney = bought.event('checkout.session.completed', { ...bought.session, currency: 'inr' })
  for (const body of [unpaid, cheap, otherMoney]) await receive(body)
  await receive(
    bought.event('checkout.session.async_payment_failed', { ...bought.session, payment_status: 'unpaid' }),
  )
  expect(await stateOf(who.accountId)).toMatchObject({
    balance: 0,
    payments: [['package', false, true, 0, 500, null]],
  })
  await receive(bought.event('checkout.session.async_payment_succeeded', bought.session))
  expect((await stateOf(who.accountId)).balance).toBe(500 * credit)

  const spent = {
    accountId: who.accountId,
    kind: 'adjustment',
    amountMicroCredits: -450 * credit,
    reference: null,
    note: 'spent',
    actorId: null,
  } as const
  const { enterCredits } = await import('../../src/features/billing/store.ts')
  await enterCredits(server.app.db, spent)
  await receive(bought.refund(100))
  expect((await stateOf(who.accountId)).balance).toBe(-50 * credit)
  const full = bought.refund(500)
  await receive(full)
  await receive(full)
  await receive(bought.refund(500))
  await receive(bought.refund(100))
  expect((await stateOf(who.accountId)).balance).toBe(-450 * credit)
  const { entries } = await server.app.buying.history(who.accountId, { kind: 'clawback', limit: 10 })
  expect(entries.map(entry => entry.amountMicroCredits)).toEqual([-400 * credit, -100 * credit])

  const second = await packageOf(who)
  await receive(second.dispute('needs_response'))
  await receive(second.paid)
  expect((await stateOf(who.accountId)).balance).toBe(-450 * credit)
  await receive(second.dispute('won'))
  expect((await stateOf(who.accountId)).balance).toBe(50 * credit)
  await receive(second.dispute('needs_response'))
  expect((await stateOf(who.accountId)).balance).toBe(50 * credit)
})

test('M11: a month that was not paid keeps the plan until the paid one ends', async () => {
  const { accountId, customerId } = await customer()
  const month = 30 * 86_400
  const now = Math.floor(Date.now() / 1000)
  const current = lifeOf(customerId, randomUUID(), now - 10)
  const overdue = (body: string) =>
    body
      .replace('"active"', '"past_due"')
      .replace(/"id":"evt_[^"]+"/, `"id":"evt_${randomUUID()}"`)
      .replace(`"created":${now - 7}`, `"created":${now}`)
  for (const at of [1, 3, 2]) await receive(current[at] ?? '')
  expect(await stateOf(accountId)).toMatchObject({ plan: 'pro', balance: 500 * credit })
  await receive(overdue(current[2] ?? ''))
  expect(await stateOf(accountId)).toMatchObject({ plan: 'pro', status: 'past_due' })
  await server.app.db
    .updateTable('payments')
    .set({ period_end: new Date((now - month) * 1000) })
    .where('account_id', '=', accountId)
    .execute()
  await server.app.buying.tidy()
  expect(await stateOf(accountId)).toMatchObject({ plan: 'basic', status: 'past_due' })
})

test('10,000 shuffled deliveries, 30 % of them repeated, end as the model says', {
  timeout: 180_000,
}, async () => {
  const bodies: string[] = []
  const expected = new Map<string, { plan: string; balance: number; status: string }>()
  for (let index = 0; bodies.length < 7000; index++) {
    const who = await customer()
    const life = lifeOf(who.customerId, randomUUID(), past)
    const ends = index % 2 === 0
    const bought = await packageOf(who)
    bodies.push(...life.slice(0, ends ? 6 : 5), bought.paid)
    let balance = 1000
    if (index % 3 === 0) {
      bodies.push(bought.refund(100), bought.refund(200))
      balance -= 200
    }
    if (index % 5 === 0) {
      const verdict = index % 2 === 0 ? 'won' : 'lost'
      bodies.push(bought.dispute('needs_response'), bought.dispute(verdict))
      if (verdict === 'lost') balance = 500
    }
    expected.set(who.accountId, {
      plan: ends ? 'basic' : 'pro',
      balance: balance * credit,
      status: ends ? 'canceled' : 'active',
    })
  }
  const again = shuffled(bodies).slice(0, 10_000 - bodies.length)
  const receptions: Record<string, number> = {}
  await together(shuffled([...bodies, ...again]), async body => {
    const reception = await receive(body)
    receptions[reception] = (receptions[reception] ?? 0) + 1
  })
  expect(receptions.foreign).toBeUndefined()
  await together([...expected], async ([accountId, state]) =>
    expect(await stateOf(accountId)).toMatchObject(state),
  )
})

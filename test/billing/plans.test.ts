import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { createCatalogue } from '../../src/features/billing/plans.ts'
import { startStripe, stripeKey, type TestStripe } from '../stripe/server.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { makeTestFolder, removeTestFolder } from '../support/folder.ts'
import { deliver, eventOf, webhookSecret } from './support.ts'

const team = { id: 'team', name: 'Team', priceCents: 2900, dailyMessages: 7, monthlyCredits: 2000 }
const studio = {
  id: 'studio',
  name: 'Studio',
  description: 'For studios.',
  priceCents: 9900,
  currency: 'eur',
  dailyMessages: 20_000,
  features: ['A person to call'],
  stripePriceId: 'price_studio',
}

let folder: string
beforeAll(async () => {
  folder = await makeTestFolder('plans')
})
afterAll(() => removeTestFolder(folder))

let files = 0
async function plansFile(content: unknown): Promise<string> {
  const path = join(folder, `plans-${++files}.json`)
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

const catalogueWith = async (content: unknown, env: Record<string, string> = {}) =>
  createCatalogue(loadConfig({ ...env, PLANS_FILE: await plansFile(content) }).plans)

describe('the file of plans', () => {
  test('without one there are basic and pro, as they always were', () => {
    expect(createCatalogue(loadConfig({}).plans).plans).toEqual([
      {
        id: 'basic',
        name: 'Basic',
        description: 'For trying things out.',
        priceCents: 0,
        currency: 'usd',
        dailyMessages: 5,
        monthlyCredits: 0,
        features: ['5 messages a day', 'Every model', 'Your own keys'],
        providerPriceId: null,
      },
      {
        id: 'pro',
        name: 'Pro',
        description: 'For working with it every day.',
        priceCents: 999,
        currency: 'usd',
        dailyMessages: 1000,
        monthlyCredits: 500,
        features: ['1,000 messages a day', '500 credits a month', 'Every model', 'Your own keys'],
        providerPriceId: null,
      },
    ])
  })

  test('adds plans, and changes what it names of those that there are', async () => {
    const { plans, dailyLimits, plan, findPlan, paidPlan } = await catalogueWith(
      { plans: [team, { id: 'pro', priceCents: 1900, dailyMessages: 50 }, studio] },
      { STRIPE_PRICE_ID: 'price_pro' },
    )
    expect(plans.map(each => each.id)).toEqual(['basic', 'pro', 'team', 'studio'])
    expect(findPlan('pro')).toMatchObject({ name: 'Pro', priceCents: 1900, monthlyCredits: 500 })
    expect(findPlan('pro')?.features[0]).toBe('50 messages a day')
    expect(findPlan('team')).toMatchObject({ currency: 'usd', providerPriceId: null })
    expect(findPlan('team')?.features).toContain('2,000 credits a month')
    expect(findPlan('studio')).toMatchObject({ features: ['A person to call'], monthlyCredits: 0 })
    expect(dailyLimits).toEqual({ basic: 5, pro: 50, team: 7, studio: 20_000 })
    expect(plan('gone').id).toBe('basic')
    expect(paidPlan({ priceId: 'price_studio', planId: 'pro' })).toBe('studio')
    expect(paidPlan({ priceId: 'price_else', planId: 'team' })).toBe('team')
    expect(paidPlan({ priceId: null, planId: null })).toBe('pro')
  })

  test.each<[unknown, string]>([
    [[], 'the file must be an object with plans'],
    ['null', 'the file must be an object with plans'],
    [{}, 'plans must be a list of at most 20 plans'],
    [{ plans: Array(21).fill(team) }, 'plans must be a list of at most 20 plans'],
    [{ plans: [], packages: [] }, 'packages is not a known field; there is plans'],
    [{ plans: ['team'] }, 'plans[0] must be an object'],
    [{ plans: [team, { ...team, id: undefined }] }, 'plans[1].id is required'],
    [{ plans: [{ ...team, id: 'Team' }] }, 'plans[0].id must be 1 to 40 of a-z, 0-9 and -'],
    [{ plans: [{ ...team, id: '__proto__' }] }, 'plans[0].id must be 1 to 40'],
    [{ plans: [{ ...team, name: undefined }] }, 'plans[0].name is required'],
    [{ plans: [{ ...team, name: ' ' }] }, 'plans[0].name must be a text of 1 to 60 characters'],
    [
      { plans: [{ ...team, priceCents: '29' }] },
      'plans[0].priceCents must be a whole number from 0 to 99999999',
    ],
    [{ plans: [{ ...team, priceCents: 9.99 }] }, 'plans[0].priceCents must be a whole number'],
    [{ plans: [{ ...team, priceCents: 0 }] }, 'plans[0].priceCents must be above 0: only basic is free'],
    [
      { plans: [{ id: 'basic', priceCents: 1 }] },
      'plans[0].priceCents must be 0: basic is what everybody has',
    ],
    [{ plans: [{ id: 'basic', stripePriceId: 'price_1' }] }, 'plans[0].stripePriceId cannot be set'],
    [
      { plans: [{ ...team, currency: 'jpy' }] },
      'plans[0].currency must be the code of a currency with hundredths',
    ],
    [{ plans: [{ ...team, currency: 'USD' }] }, 'plans[0].currency must be the code'],
    [{ plans: [{ ...team, dailyMessages: -1 }] }, 'plans[0].dailyMessages must be a whole number from 0'],
    [{ plans: [{ ...team, monthlyCredits: 1e308 }] }, 'plans[0].monthlyCredits must be a whole number'],
    [{ plans: [{ ...team, features: 'all' }] }, 'plans[0].features must be a list of at most 20 texts'],
    [{ plans: [{ ...team, features: [''] }] }, 'plans[0].features must be a list of at most 20 texts'],
    [
      { plans: [{ ...team, stripePriceId: 'not a price' }] },
      'plans[0].stripePriceId must be the id of a price',
    ],
    [
      { plans: [{ ...team, dailyMessage: 5 }] },
      'plans[0].dailyMessage is not a known field; there are id, name',
    ],
    [{ plans: [JSON.parse('{"__proto__":{"a":1}}')] }, 'plans[0].__proto__ is not a known field'],
    [{ plans: [team, studio, team] }, 'plans[2].id "team" is used twice'],
    [{ plans: [studio, { ...studio, id: 'other' }] }, 'plans[1].stripePriceId "price_studio" is used twice'],
    [
      { plans: [{ ...team, stripePriceId: 'price_pro' }] },
      'stripePriceId of team "price_pro" is that of another plan',
    ],
  ])('%j is refused: %s', async (content, text) => {
    const reading = catalogueWith(content, { STRIPE_PRICE_ID: 'price_pro' })
    await expect(reading).rejects.toThrow(/^PLANS_FILE .*plans-\d+\.json: /)
    await expect(reading).rejects.toThrow(text)
  })

  test('that is none, or no JSON, stops the start with a line that names it', async () => {
    expect(() => loadConfig({ PLANS_FILE: join(folder, 'none.json') })).toThrow(
      /^PLANS_FILE must be the path of a file of JSON, not ".*none\.json": there is none$/,
    )
    const path = await plansFile('{"plans": [')
    expect(() => loadConfig({ PLANS_FILE: path })).toThrow(/^PLANS_FILE must be the path of a file of JSON/)
    const wrong = await plansFile({ plans: [{ id: 'team' }] })
    await expect(startApp({ PLANS_FILE: wrong })).rejects.toThrow('plans[0].name is required')
  })
})

const fine = { number: '4242424242424242', expiry: '12 / 34', cvc: '123' }
const limitsOf = async (server: TestApp, token: string) =>
  (await server.call('GET', '/api/v1/entitlements', { token })).body.data.entitlements

test('a plan of the file is shown, bought in the sandbox, and counts', async () => {
  const PLANS_FILE = await plansFile({ plans: [team] })
  await using server = await startApp({ PLANS_FILE, SIGNUP_CREDITS: '0', BASIC_DAILY_MESSAGE_LIMIT: '2' })
  const { token } = await server.signUp()
  const call = async (method: string, path: string, body?: unknown) =>
    (await server.call(method, path, { token, ...(body === undefined ? {} : { body }) })).body
  expect((await call('GET', '/api/v1/plans')).data.plans.at(-1)).toEqual({
    id: 'team',
    name: 'Team',
    description: 'Team, by the month.',
    priceCents: 2900,
    currency: 'usd',
    interval: 'month',
    features: ['7 messages a day', '2,000 credits a month', 'Every model', 'Your own keys'],
    limits: { dailyMessages: 7, monthlyCredits: 2000 },
  })
  const refused = await call('POST', '/api/v1/billing/checkout', { plan: 'gold' })
  expect(refused.details).toEqual([{ field: 'plan', message: 'must be one of pro, team' }])
  const { url } = (await call('POST', '/api/v1/billing/checkout', { plan: 'team' })).data
  const page = await fetch(url.replace('localhost', '127.0.0.1'))
  expect(await page.text()).toMatch(/Atelier Team[\s\S]*\$29\.00/)
  const form = new URLSearchParams(fine)
  await fetch(url.replace('localhost', '127.0.0.1'), { method: 'POST', body: form, redirect: 'manual' })
  expect((await call('GET', '/api/v1/me')).data.account.plan).toBe('team')
  expect((await call('GET', '/api/v1/credits')).data.credits).toBe(2000)
  expect(await limitsOf(server, token)).toMatchObject({ plan: 'team', messages: { limit: 7, used: 0 } })
  expect((await call('GET', '/api/v1/billing/subscription')).data.subscription.plan).toBe('team')
  expect((await call('GET', '/api/v1/billing/payments')).data.payments).toMatchObject([
    { kind: 'plan', item: 'team', amountCents: 2900, credits: 2000 },
  ])
  for (let sent = 0; sent < 7; sent++) expect((await ask(server, token)).status).toBe(200)
  expect((await ask(server, token)).body).toMatchObject({
    code: 'DAILY_LIMIT_REACHED',
    message: expect.stringContaining('your plan has 7 messages a day'),
  })
  // In the portal it is changed to another one, which counts at once and is charged with the next month.
  const portal = (await call('POST', '/api/v1/billing/portal')).data.url.replace('localhost', '127.0.0.1')
  expect(await (await fetch(portal)).text()).toContain('Change to Pro for $9.99 a month')
  const manage = (deed: string) =>
    fetch(portal, { method: 'POST', body: new URLSearchParams({ deed }), redirect: 'manual' })
  await manage('plan:gold')
  await manage('plan:basic')
  expect((await call('GET', '/api/v1/me')).data.account.plan).toBe('team')
  await manage('plan:pro')
  expect(await limitsOf(server, token)).toMatchObject({ plan: 'pro', messages: { limit: 1000, used: 7 } })
  const before = (await call('GET', '/api/v1/credits')).data.credits
  await manage('pass-month')
  expect((await call('GET', '/api/v1/credits')).data.credits).toBe(before + 500)
  expect((await call('GET', '/api/v1/billing/payments')).data.payments[0]).toMatchObject({
    ...{ item: 'pro', amountCents: 999, credits: 500 },
  })
  await manage('plan:team')
  // The published APIs know it as well.
  expect((await call('GET', '/api/subscription/plans')).plans.map((one: { id: string }) => one.id)).toContain(
    'team',
  )
  expect((await call('GET', '/api/plans/current')).plan).toMatchObject({ type: 'team', name: 'Team' })
  expect((await call('GET', '/api/byok/preference')).creditTier).toBe('team')
})

function ask(server: TestApp, token: string) {
  const body = { message: 'Hello', stream: false, maxOutputTokens: 50 }
  return server.call('POST', '/api/v1/generations', { token, body })
}

describe('at Stripe', () => {
  let stripe: TestStripe
  let lines: string[]
  beforeAll(async () => {
    stripe = await startStripe()
  })
  afterAll(() => stripe[Symbol.asyncDispose]())

  const startWith = async (plans: unknown[] | null, env: Record<string, string> = {}) => {
    lines = []
    const file: Record<string, string> = plans ? { PLANS_FILE: await plansFile({ plans }) } : {}
    return startApp(
      {
        ...file,
        STRIPE_SECRET_KEY: stripeKey,
        STRIPE_WEBHOOK_SECRET: webhookSecret,
        STRIPE_API_BASE: stripe.url,
        STRIPE_PRICE_ID: 'price_pro',
        BASIC_DAILY_MESSAGE_LIMIT: '2',
        ...env,
      },
      line => lines.push(line),
    )
  }

  test('the checkout asks for its price, and a change of plan in the portal counts', async () => {
    await using server = await startWith([team, studio])
    const { token, accountId } = await server.signUp()
    const bought = await server.call('POST', '/api/v1/billing/checkout', { token, body: { plan: 'studio' } })
    const { sessionId } = bought.body.data
    const [line] = Object.values(stripe.objects.get(sessionId)?.line_items as object)
    expect(line).toMatchObject({ price: 'price_studio', quantity: '1' })
    const { subscription = {}, invoice = {} } = stripe.pay(sessionId)
    const now = Math.floor(Date.now() / 1000)
    const tell = (type: string, object: Record<string, unknown>, after: number) =>
      deliver(server, eventOf(`evt_${type}_${after}_${accountId}`, type, object, now + after))
    await tell('customer.subscription.created', subscription, 0)
    await tell('invoice.payment_succeeded', invoice, 0)
    const planNow = async () => (await server.call('GET', '/api/v1/me', { token })).body.data.account.plan
    expect(await planNow()).toBe('studio')
    // The portal changes the price, and leaves what was written on the subscription.
    const items = { data: [{ price: { id: 'price_pro' }, current_period_end: now + 86_400 }] }
    await tell('customer.subscription.updated', { ...subscription, items }, 5)
    expect(await planNow()).toBe('pro')
    const before = (await server.call('GET', '/api/v1/credits', { token })).body.data.credits
    const period = (start: number) => ({ start: now + start * 86_400, end: now + (start + 30) * 86_400 })
    const renewal = {
      ...invoice,
      id: `in_renewal_${accountId}`,
      billing_reason: 'subscription_cycle',
      lines: {
        data: [
          { period: period(0), pricing: { price_details: { price: 'price_studio' } } },
          { period: period(30), pricing: { price_details: { price: 'price_pro' } } },
        ],
      },
    }
    await tell('invoice.payment_succeeded', renewal, 10)
    expect((await server.call('GET', '/api/v1/credits', { token })).body.data.credits).toBe(before + 500)
  })

  test('a plan that is gone is basic until it is there again, and the log says so', async () => {
    await using server = await startWith(null)
    const { token, accountId } = await server.signUp()
    const { db } = server.app
    await db
      .insertInto('payment_customers')
      .values({ provider: 'stripe', customer_id: 'cus_gone', account_id: accountId })
      .execute()
    // Left by a server that had the plan.
    await db.updateTable('accounts').set({ plan: 'team' }).where('id', '=', accountId).execute()
    expect(await limitsOf(server, token)).toMatchObject({ plan: 'basic', messages: { limit: 2 } })
    for (const status of [200, 200, 429]) expect((await ask(server, token)).status).toBe(status)
    expect((await server.call('GET', '/api/plans/current', { token })).status).toBe(200)
    const now = Math.floor(Date.now() / 1000)
    const subscription = {
      id: 'sub_gone',
      customer: 'cus_gone',
      status: 'active',
      created: now,
      metadata: { planId: 'team' },
      items: { data: [{ current_period_end: now + 86_400 }] },
    }
    const told = await deliver(
      server,
      eventOf('evt_gone', 'customer.subscription.created', subscription, now),
    )
    expect(told.status).toBe(200)
    expect((await server.call('GET', '/api/v1/me', { token })).body.data.account.plan).toBe('basic')
    expect(
      lines.filter(line => line.includes('a subscription is for a plan that is not defined')),
    ).toHaveLength(1)
    expect(
      (await server.call('GET', '/api/v1/billing/subscription', { token })).body.data.subscription,
    ).toMatchObject({
      plan: 'team',
      status: 'active',
    })
    await db.updateTable('accounts').set({ plan: 'team' }).where('id', '=', accountId).execute()
    await server.app.buying.tidy()
    expect((await server.call('GET', '/api/v1/me', { token })).body.data.account.plan).toBe('basic')
    expect(lines.find(line => line.includes('a plan is not defined'))).toMatch(/"plan":"team","accounts":1/)
    // The same data with the plan defined again.
    const same = { DATABASE_URL: server.databaseUrl, DATA_DIR: server.app.dataDir }
    await using again = await startWith([team], same)
    await vi.waitFor(async () => expect((await again.app.accounts.read(accountId)).plan).toBe('team'), 10_000)
  })
})

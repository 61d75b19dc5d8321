import { expect, test } from 'vitest'
import { startStripe, stripeKey } from '../../../test/stripe/server.ts'
import { createTestDatabase } from '../../../test/support/database.ts'
import { paymentsContract } from './contract.ts'
import { createSandboxPayments } from './sandbox.ts'
import { readSignedEvent, signBody } from './signature.ts'
import { createStripePayments } from './stripe.ts'

const secret = 'whsec_of_the_tests_0123456789'

paymentsContract('Stripe', async () => {
  const stripe = await startStripe()
  const payments = createStripePayments({ secretKey: stripeKey, webhookSecret: secret, apiBase: stripe.url })
  return {
    payments,
    secret,
    subscribe: async sessionId => String(stripe.pay(sessionId).subscription?.id),
    [Symbol.asyncDispose]: () => stripe[Symbol.asyncDispose](),
  }
})

paymentsContract('the sandbox', async () => {
  const database = await createTestDatabase()
  const { db } = database
  const payments = createSandboxPayments({
    db,
    secret,
    plans: [],
    publicUrl: () => 'http://us.example',
    report: () => undefined,
  })
  return {
    payments,
    secret,
    async subscribe(sessionId) {
      await payments.pay(sessionId, { number: '4242424242424242', expiry: '12/34', cvc: '123' })
      return (
        await db
          .selectFrom('sandbox_objects')
          .select('id')
          .where('kind', '=', 'subscription')
          .executeTakeFirstOrThrow()
      ).id
    },
    async [Symbol.asyncDispose]() {
      await payments.close()
      await database.close()
    },
  }
})

test("Stripe's troubles become ours: passing ones are tried again and told as such, refusals are not", async () => {
  await using stripe = await startStripe()
  const open = (secretKey: string) =>
    createStripePayments({ secretKey, webhookSecret: secret, apiBase: stripe.url })
  const customer = { accountId: 'a', email: null, idempotencyKey: 'k1' }
  stripe.failNext(500, 0)
  expect(await open(stripeKey).createCustomer(customer)).toMatch(/^cus_/)
  expect(new Set(stripe.asked.map(call => call.idempotencyKey))).toEqual(new Set(['k1']))
  expect(stripe.asked.length).toBe(3)
  stripe.failNext(503, 503, 503)
  const failing = open(stripeKey).createCustomer({ ...customer, idempotencyKey: 'k2' })
  await expect(failing).rejects.toMatchObject({ kind: 'unavailable', code: 'PAYMENT_PROVIDER_UNAVAILABLE' })
  await expect(open('sk_test_wrong').createCustomer(customer)).rejects.toMatchObject({ kind: 'upstream' })
  const other = open(stripeKey).createCustomer({ ...customer, email: 'other@example.com' })
  await expect(other).rejects.toMatchObject({ kind: 'upstream' })
})

test.each([undefined, '', '  ', 'undefined', 'null'])(
  'M05: with the secret %j no event is believed',
  wrong => {
    const body = '{"id":"evt_1","type":"x","created":1}'
    const forged = signBody(body, wrong ?? '')
    expect(() => readSignedEvent({ body: Buffer.from(body), signature: forged, secret: wrong })).toThrowError(
      expect.objectContaining({ kind: 'unavailable' }),
    )
  },
)

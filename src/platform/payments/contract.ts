import { describe, expect, test } from 'vitest'
import { newId } from '../../lib/ids.ts'
import type { CheckoutOrder, Payments } from './index.ts'
import { signBody } from './signature.ts'

/** What a contract run needs of an adapter's world. */
export interface PaymentsWorld extends AsyncDisposable {
  payments: Payments
  secret: string
  /** The person pays for a plan at a checkout; gives the subscription's id, as the provider knows it. */
  subscribe(sessionId: string): Promise<string>
}

const customerOf = (payments: Payments, idempotencyKey = newId()) =>
  payments.createCustomer({ accountId: newId(), email: 'ada@example.com', idempotencyKey })

function order(customerId: string, wish: Partial<CheckoutOrder> = {}): CheckoutOrder {
  return {
    customerId,
    accountId: newId(),
    idempotencyKey: newId(),
    successUrl: 'https://us.example/yes',
    cancelUrl: 'https://us.example/no',
    item: { kind: 'plan', planId: 'pro', name: 'Pro', amountCents: 999, currency: 'usd', priceId: null },
    ...wish,
  }
}

/** Every adapter of payments must pass this. */
export function paymentsContract(name: string, open: () => Promise<PaymentsWorld>): void {
  describe(`payments by ${name}`, () => {
    test('a customer and a checkout are made once for each key', async () => {
      await using world = await open()
      const { payments } = world
      const input = { accountId: newId(), email: null, idempotencyKey: newId() }
      const [one, two] = await Promise.all([payments.createCustomer(input), payments.createCustomer(input)])
      expect(two).toBe(one)
      expect(await customerOf(payments)).not.toBe(one)
      const wish = order(one)
      const first = await payments.checkout(wish)
      expect(first.url).toMatch(/^https?:\/\//)
      expect((await payments.checkout(wish)).sessionId).toBe(first.sessionId)
      expect((await payments.checkout(order(one))).sessionId).not.toBe(first.sessionId)
      expect((await payments.portal({ customerId: one, returnUrl: 'https://us.example/' })).url).toMatch(
        /^http/,
      )
    })

    test('a customer that is not known is told by its code', async () => {
      await using world = await open()
      await expect(world.payments.checkout(order('cus_unknown'))).rejects.toMatchObject({
        code: 'CUSTOMER_UNKNOWN',
      })
      const portal = world.payments.portal({ customerId: 'cus_unknown', returnUrl: 'https://us.example/' })
      await expect(portal).rejects.toMatchObject({ code: 'CUSTOMER_UNKNOWN' })
      await world.payments.removeCustomer('cus_unknown')
    })

    test('a subscription is read, set to end, kept after all, and ends with its customer', async () => {
      await using world = await open()
      const { payments } = world
      const customerId = await customerOf(payments)
      const { sessionId } = await payments.checkout(order(customerId))
      const subscriptionId = await world.subscribe(sessionId)
      const facts = { subscriptionId, customerId, planId: 'pro', status: 'active' }
      expect(await payments.subscription(subscriptionId)).toMatchObject({
        ...facts,
        cancelAtPeriodEnd: false,
      })
      const change = { subscriptionId, idempotencyKey: newId() }
      expect(await payments.setCancelAtPeriodEnd({ ...change, cancel: true })).toMatchObject({
        cancelAtPeriodEnd: true,
      })
      const back = { ...change, idempotencyKey: newId(), cancel: false }
      expect(await payments.setCancelAtPeriodEnd(back)).toMatchObject({ ...facts, cancelAtPeriodEnd: false })
      await payments.removeCustomer(customerId)
      expect((await payments.subscription(subscriptionId))?.status ?? 'canceled').toBe('canceled')
      expect(await payments.subscription('sub_unknown')).toBeNull()
      expect(await payments.chargeOf('pi_unknown')).toBeNull()
    })

    test('a checkout is open, closed, or paid, and only an open one can be closed', async () => {
      await using world = await open()
      const { payments } = world
      const customerId = await customerOf(payments)
      const { sessionId, url } = await payments.checkout(order(customerId))
      expect(await payments.checkoutState(sessionId)).toEqual({ status: 'open', url, subscriptionId: null })
      expect([await payments.closeCheckout(sessionId), await payments.closeCheckout(sessionId)]).toEqual([
        true,
        false,
      ])
      expect((await payments.checkoutState(sessionId))?.status).toBe('expired')
      const paid = await payments.checkout(order(customerId))
      const subscriptionId = await world.subscribe(paid.sessionId)
      expect(await payments.checkoutState(paid.sessionId)).toMatchObject({
        status: 'complete',
        subscriptionId,
      })
      expect(await payments.closeCheckout(paid.sessionId)).toBe(false)
      expect(await payments.checkoutState('cs_unknown')).toBeNull()
      expect(await payments.closeCheckout('cs_unknown')).toBe(false)
    })

    test('a subscription is undone once: ended, and its first invoice given back', async () => {
      await using world = await open()
      const { payments } = world
      const { sessionId } = await payments.checkout(order(await customerOf(payments)))
      const subscriptionId = await world.subscribe(sessionId)
      const before = await payments.subscription(subscriptionId)
      expect(before?.begunAt).toBeGreaterThan(Date.now() / 1000 - 60)
      const undo = { subscriptionId, idempotencyKey: newId() }
      expect(await payments.undoSubscription(undo)).toEqual({ isRefunded: true })
      expect((await payments.subscription(subscriptionId))?.status).toBe('canceled')
      expect(await payments.undoSubscription(undo)).toEqual({ isRefunded: false })
      const unknown = { subscriptionId: 'sub_unknown', idempotencyKey: newId() }
      expect(await payments.undoSubscription(unknown)).toEqual({ isRefunded: false })
    })

    test('events are believed by their signature alone', async () => {
      await using world = await open()
      const { payments, secret } = world
      const body = JSON.stringify({
        id: 'evt_1',
        object: 'event',
        type: 'what.ever',
        created: 1,
        data: { object: {} },
      })
      const bytes = Buffer.from(body)
      expect(payments.readEvent(bytes, signBody(body, secret))).toMatchObject({ id: 'evt_1', fact: null })
      const now = Math.floor(Date.now() / 1000)
      for (const wrong of [
        undefined,
        '',
        'x',
        signBody(body, 'whsec_other'),
        signBody(body, secret, now - 302),
        signBody(body, secret, now + 302),
      ])
        expect(() => payments.readEvent(bytes, wrong)).toThrowError(
          expect.objectContaining({ kind: 'invalid' }),
        )
      const changed = Buffer.from(body.replace('evt_1', 'evt_2'))
      expect(() => payments.readEvent(changed, signBody(body, secret))).toThrowError(
        expect.objectContaining({ kind: 'invalid' }),
      )
    })
  })
}

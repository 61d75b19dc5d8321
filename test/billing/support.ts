import { createHmac } from 'node:crypto'
import type { TestApp } from '../support/app.ts'

export const webhookSecret = 'whsec_of_the_tests_0123456789'

type Fields = Record<string, unknown>

/** Signs as Stripe does; written anew here, so that the product's own signer is not what proves it. */
export function signatureOf(
  body: string,
  secret = webhookSecret,
  seconds = Math.floor(Date.now() / 1000),
): string {
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`
}

/** An event in Stripe's form. */
export function eventOf(id: string, type: string, object: Fields, created: number): string {
  return JSON.stringify({ id, object: 'event', type, created, data: { object } })
}

/** Delivers over HTTP. */
export function deliver(server: TestApp, body: string, signature: string | undefined = signatureOf(body)) {
  return server.call('POST', '/api/v1/webhooks/stripe', { body, headers: { 'stripe-signature': signature } })
}

/** The six published events of one subscription, in the order in which they happen: paid, refused, ended. */
export function lifeOf(
  customer: string,
  name: string,
  start = Math.floor(Date.now() / 1000) - 5000,
): string[] {
  const metadata = { planId: 'pro' }
  const month = 30 * 86_400
  const subscription = (status: string) => ({
    id: `sub_${name}`,
    object: 'subscription',
    customer,
    status,
    cancel_at_period_end: false,
    metadata,
    items: { data: [{ current_period_start: start, current_period_end: start + month }] },
  })
  const invoice = (at: number, isPaid: boolean) => ({
    id: `in_${name}_${at}`,
    object: 'invoice',
    customer,
    billing_reason: at === 0 ? 'subscription_create' : 'subscription_cycle',
    amount_due: 999,
    amount_paid: isPaid ? 999 : 0,
    currency: 'usd',
    parent: { subscription_details: { subscription: `sub_${name}`, metadata } },
    lines: { data: [{ period: { start: start + at * month, end: start + (at + 1) * month } }] },
  })
  const session = { id: `cs_${name}`, customer, mode: 'subscription', payment_status: 'paid', metadata }
  return [
    eventOf(`evt_${name}_1`, 'checkout.session.completed', session, start + 2),
    eventOf(`evt_${name}_2`, 'customer.subscription.created', subscription('incomplete'), start),
    eventOf(`evt_${name}_3`, 'customer.subscription.updated', subscription('active'), start + 3),
    eventOf(`evt_${name}_4`, 'invoice.payment_succeeded', invoice(0, true), start + 1),
    eventOf(`evt_${name}_5`, 'invoice.payment_failed', invoice(1, false), start + 20),
    eventOf(`evt_${name}_6`, 'customer.subscription.deleted', subscription('canceled'), start + 30),
  ]
}

import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Fields = { [name: string]: unknown }

export const stripeKey = 'sk_test_of_the_tests_0123456789'

/** A server that answers as Stripe's API does, as far as we call it, and keeps what it was told. */
export interface TestStripe extends AsyncDisposable {
  url: string
  /** Every request in its order. */
  asked: { method: string; path: string; params: Fields; idempotencyKey: string | null }[]
  objects: Map<string, Fields>
  /** The versions of the API that were asked for. */
  versions: Set<string>
  /** The next requests get this status instead of an answer; 0 breaks the connection. */
  failNext(...statuses: number[]): void
  /** Changes that it refuses, by their path. */
  refuse: (path: string) => boolean
  /** The person pays at a checkout; gives the objects that its events would tell. */
  pay(sessionId: string): { session: Fields; subscription?: Fields; invoice?: Fields; intent: Fields }
}

class Refusal extends Error {
  readonly status: number
  readonly body: Fields
  constructor(status: number, body: Fields) {
    super(String(body.message))
    this.status = status
    this.body = body
  }
}

const missing = (param: string, id: string) =>
  new Refusal(404, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    param,
    message: `No such ${param}: '${id}'`,
  })

export async function startStripe(): Promise<TestStripe> {
  const objects = new Map<string, Fields>()
  const answers = new Map<string, { params: string; answer: Fields }>()
  const asked: TestStripe['asked'] = []
  const failures: number[] = []
  const versions = new Set<string>()

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://stripe')
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const params = nested(new URLSearchParams(Buffer.concat(chunks).toString() || url.search.slice(1)))
    const method = request.method ?? 'GET'
    const key = (request.headers['idempotency-key'] as string | undefined) ?? null
    asked.push({ method, path: url.pathname, params, idempotencyKey: key })
    versions.add(String(request.headers['stripe-version']))
    const status = failures.shift()
    if (status === 0) return void request.socket.destroy()
    const send = (code: number, body: Fields) => {
      response.writeHead(code, { 'content-type': 'application/json', 'request-id': `req_${asked.length}` })
      response.end(JSON.stringify(body))
    }
    if (method !== 'GET' && stripe.refuse(url.pathname))
      return send(400, { error: { type: 'invalid_request_error', message: 'This cannot be done.' } })
    if (status !== undefined) return send(status, { error: { type: 'api_error', message: 'trouble' } })
    try {
      if (request.headers.authorization !== `Bearer ${stripeKey}`)
        throw new Refusal(401, { type: 'invalid_request_error', message: 'Invalid API Key provided' })
      send(
        200,
        once(key, params, () => answer(objects, method, url.pathname, params)),
      )
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      send(error.status, { error: error.body })
    }
  }

  function once(key: string | null, params: Fields, work: () => Fields): Fields {
    const kept = key === null ? undefined : answers.get(key)
    if (kept && kept.params !== JSON.stringify(params))
      throw new Refusal(400, {
        type: 'idempotency_error',
        message: 'Keys for idempotent requests can only be used with the same parameters',
      })
    if (kept) return kept.answer
    // What was answered then is answered again, whatever has become of the object since.
    const made = structuredClone(work())
    if (key !== null) answers.set(key, { params: JSON.stringify(params), answer: made })
    return made
  }

  const server = createServer((request, response) => void handle(request, response))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const stripe: TestStripe = {
    refuse: () => false,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    objects,
    versions,
    failNext: (...statuses) => void failures.push(...statuses),
    pay: sessionId => pay(objects, sessionId),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return stripe
}

function answer(objects: Map<string, Fields>, method: string, path: string, params: Fields): Fields {
  const [, , kind = '', ...rest] = path.split('/')
  const id = rest.at(-1) ?? ''
  const keep = (prefix: string, fields: Fields) => {
    const made: Fields = { id: `${prefix}_${randomUUID().replaceAll('-', '')}`, ...fields }
    objects.set(String(made.id), made)
    return made
  }
  const find = (param: string, wanted: unknown) => {
    const found = objects.get(String(wanted))
    if (!found || found.deleted) throw missing(param, String(wanted))
    return found
  }
  const need = (name: string) => {
    if (params[name] === undefined)
      throw new Refusal(400, {
        type: 'invalid_request_error',
        code: 'parameter_missing',
        param: name,
        message: `Missing required param: ${name}.`,
      })
  }
  if (kind === 'customers' && method === 'POST') return keep('cus', { object: 'customer', ...params })
  if (kind === 'customers' && method === 'DELETE') {
    const customer = find('id', id)
    for (const one of objects.values())
      if (one.object === 'subscription' && one.customer === id) one.status = 'canceled'
    customer.deleted = true
    return { id, object: 'customer', deleted: true }
  }
  if (path === '/v1/checkout/sessions') {
    for (const name of ['mode', 'success_url', 'line_items']) need(name)
    find('customer', params.customer)
    const session = keep('cs', {
      object: 'checkout.session',
      status: 'open',
      payment_status: 'unpaid',
      ...params,
    })
    session.url = `https://checkout.stripe.test/${session.id}`
    return session
  }
  if (path.startsWith('/v1/checkout/sessions/')) {
    const session = find(
      'session',
      rest.find(each => each.startsWith('cs_')),
    )
    if (method === 'GET') return session
    if (session.status !== 'open')
      throw new Refusal(400, {
        type: 'invalid_request_error',
        message: `Only Checkout Sessions with a status in ["open"] can be expired. This one is ${session.status}.`,
      })
    return Object.assign(session, { status: 'expired', url: null })
  }
  if (path === '/v1/billing_portal/sessions') {
    find('customer', params.customer)
    return { object: 'billing_portal.session', id: 'bps_1', url: 'https://billing.stripe.test/session' }
  }
  if (kind === 'subscriptions' && method === 'GET') {
    const found = find('id', id)
    const isWhole = Object.values((params.expand ?? {}) as Fields).includes('latest_invoice')
    return isWhole ? { ...found, latest_invoice: objects.get(String(found.latest_invoice)) ?? null } : found
  }
  if (kind === 'subscriptions' && method === 'DELETE') {
    const subscription = find('id', id)
    if (subscription.status === 'canceled') throw missing('id', id)
    return Object.assign(subscription, { status: 'canceled' })
  }
  if (kind === 'refunds') {
    const intent = find('payment_intent', params.payment_intent)
    if (intent.refunded)
      throw new Refusal(400, {
        type: 'invalid_request_error',
        code: 'charge_already_refunded',
        message: 'Charge has already been refunded.',
      })
    intent.refunded = true
    return keep('re', { object: 'refund', status: 'succeeded', ...params })
  }
  if (kind === 'subscriptions' && method === 'POST') {
    const subscription = find('id', id)
    if (subscription.status === 'canceled')
      throw new Refusal(400, {
        type: 'invalid_request_error',
        message: 'A canceled subscription can only update its metadata',
      })
    return Object.assign(subscription, { cancel_at_period_end: params.cancel_at_period_end === 'true' })
  }
  if (kind === 'payment_intents') return find('intent', id)
  if (kind === 'invoice_payments') {
    const intent = (params.payment as Fields | undefined)?.payment_intent
    const data = [...objects.values()].filter(
      one =>
        one.object === 'invoice_payment' &&
        (intent === undefined ? one.invoice === params.invoice : one.intent === intent),
    )
    return { object: 'list', data, has_more: false }
  }
  throw new Refusal(404, {
    type: 'invalid_request_error',
    message: `Unrecognized request URL (${method}: ${path})`,
  })
}

function pay(objects: Map<string, Fields>, sessionId: string): ReturnType<TestStripe['pay']> {
  const open = objects.get(sessionId)
  if (!open) throw new Error(`no session ${sessionId}`)
  if (open.status !== 'open') throw new Error(`session ${sessionId} is ${open.status}`)
  const { customer, metadata } = open
  const [line] = Object.values(open.line_items as Record<string, Fields>)
  const amount = Number((line?.price_data as Fields | undefined)?.unit_amount ?? 999)
  const keep = (prefix: string, fields: Fields): Fields => {
    const made = { id: `${prefix}_${randomUUID().replaceAll('-', '')}`, ...fields }
    objects.set(made.id, made)
    return made
  }
  const intent = keep('pi', {
    object: 'payment_intent',
    customer,
    metadata: open.mode === 'payment' ? metadata : {},
  })
  const session = {
    ...open,
    status: 'complete',
    payment_status: 'paid',
    amount_total: amount,
    currency: 'usd',
    url: null as string | null,
    subscription: null as unknown,
  }
  objects.set(sessionId, session)
  if (open.mode === 'payment') return { session: { ...session, payment_intent: intent.id }, intent }
  const start = Math.floor(Date.now() / 1000)
  const end = start + 30 * 86_400
  const subscription = keep('sub', {
    object: 'subscription',
    customer,
    status: 'active',
    cancel_at_period_end: false,
    created: start,
    metadata: (open.subscription_data as Fields).metadata,
    items: {
      data: [
        {
          current_period_start: start,
          current_period_end: end,
          price: { id: line?.price ?? `price_${randomUUID()}` },
        },
      ],
    },
  })
  session.subscription = subscription.id
  const invoice = keep('in', {
    object: 'invoice',
    customer,
    billing_reason: 'subscription_create',
    amount_due: amount,
    amount_paid: amount,
    currency: 'usd',
    parent: { subscription_details: { subscription: subscription.id, metadata: subscription.metadata } },
    lines: { data: [{ period: { start, end } }] },
  })
  subscription.latest_invoice = invoice.id
  const payment = { type: 'payment_intent', payment_intent: intent.id }
  keep('inpay', {
    object: 'invoice_payment',
    invoice: invoice.id,
    intent: intent.id,
    payment,
    status: 'paid',
  })
  return { session, subscription, invoice, intent }
}

/** `a[b][0]=c` as Stripe reads it. */
function nested(form: URLSearchParams): Fields {
  const result: Fields = {}
  for (const [name, value] of form) {
    const path = name.split(/[[\]]+/).filter(Boolean)
    let at = result
    for (const part of path.slice(0, -1)) {
      at[part] ??= {}
      at = at[part] as Fields
    }
    at[path.at(-1) ?? name] = value
  }
  return result
}

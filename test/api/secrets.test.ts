import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, startApp, type TestApp, testPassword } from '../support/app.ts'
import { bodyFor, type Operation, readOperations } from '../support/operations.ts'
import { makeThings, pathTo, type Things, thingNamedBy } from '../support/things.ts'

// Z08: every operation, as its owner, as an administrator, as a stranger and as nobody; and then what the answers held.
let server: TestApp
let operations: Operation[]
const printed: string[] = []

beforeAll(async () => {
  const nowhere = { GEMINI_BASE_URL: 'http://127.0.0.1:9', DEFAULT_MODEL: 'sandbox/sandbox' }
  server = await startApp({ LOG_LEVEL: 'warn', ...nowhere }, line => void printed.push(line))
  operations = await readOperations(server)
})
afterAll(() => server[Symbol.asyncDispose]())

const apiKey = 'sk-canary-0123456789abcdef-wxyz'

/** Names that no answer has, in whatever spelling. */
const forbiddenNames = [
  /^password$/i,
  /hash$/i,
  /^(encrypted|sealed)/i,
  /cipher/i,
  /data_?key/i,
  /^otp$/i,
  /^storage/i,
  /^stripe_?(customer|subscription|price|event)/i,
  /^customer(_?id)?$/i,
  /^(payment_?intent|invoice|subscription|event)_?id$/i,
  /secret(?!_configured$)/i,
  /idempotency/i,
  /^runner$/i,
]

/** What the database keeps and nobody is told: each hash and sealed key, and the numbers that payments have at Stripe. */
async function keptSecrets(): Promise<{ where: string; text: string }[]> {
  const { rows } = await sql<{ table: string; column: string; type: string }>`
    select table_name as table, column_name as column, data_type as type from information_schema.columns
    where table_schema = 'public' and (data_type = 'bytea' or column_name like '%hash%'
      or column_name in ('customer_id', 'payment_intent_id', 'invoice_id', 'subscription_id', 'event_id', 'runner'))`.execute(
    server.app.db,
  )
  const found: { where: string; text: string }[] = []
  for (const { table, column } of rows) {
    const values = await sql<{ value: Buffer | string }>`
      select distinct ${sql.ref(column)} as value from ${sql.table(table)} where ${sql.ref(column)} is not null`.execute(
      server.app.db,
    )
    for (const { value } of values.rows) {
      const texts = Buffer.isBuffer(value)
        ? (['hex', 'base64', 'base64url'] as const).map(encoding => value.toString(encoding))
        : [value]
      for (const text of texts) found.push({ where: `${table}.${column}`, text })
    }
  }
  return found
}

/** Names of properties, however deep. */
function namesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => [name, ...namesIn(inner)])
}

/** A person with one of everything, who has paid for a package and for a plan. */
async function live(email: string): Promise<{ email: string; accountId: string; things: Things }> {
  const { token, accountId } = await server.signUp(email)
  const things = await makeThings(server, token)
  const added = { provider: 'openai', name: 'Canary', apiKey, isActive: false }
  expect((await server.call('POST', '/api/v1/keys', { token, body: added })).status).toBe(201)
  for (const wish of [{ packageId: 'small' }, { plan: 'pro' }]) {
    const { data } = (await server.call('POST', '/api/v1/billing/checkout', { token, body: wish })).body
    const card = new URLSearchParams({ number: '4242424242424242', expiry: '12 / 34', cvc: '123' })
    await fetch(data.url.replace('localhost', '127.0.0.1'), {
      method: 'POST',
      body: card,
      redirect: 'manual',
    })
  }
  const paid = () => server.call('GET', '/api/v1/billing/payments', { token })
  await expect.poll(async () => (await paid()).body.data.payments.length, { timeout: 10_000 }).toBe(2)
  await server.call('POST', '/api/v1/codes', { token, body: { purpose: 'verification' } })
  return { email, accountId, things }
}

test('no answer holds a secret, a number of Stripe, or anything of somebody else', async () => {
  const [ada, bob] = [await live('ada@example.com'), await live('bob@example.com')]
  const admin = await server.signUp('admin@example.com')
  await server.app.accounts.setRole(admin.email, 'admin')
  const heard: { name: string; who: string; answer: Answer }[] = []

  const signIn = async (email: string) => {
    const body = { email, password: testPassword }
    return (await server.call('POST', '/api/v1/sessions', { body })).body.data.accessToken as string
  }
  const callers = {
    owner: await signIn(ada.email),
    admin: await signIn(admin.email),
    stranger: await signIn(bob.email),
    nobody: undefined,
  }
  const call = async (operation: Operation, who: keyof typeof callers) => {
    const thing = thingNamedBy(operation.path)
    const example = bodyFor(operation)
    const body = example && 'message' in example ? { ...example, stream: false } : example
    const answer = await server.call(
      operation.method,
      pathTo(operation.path, thing ? ada.things[thing] : ada.accountId),
      { ...(callers[who] ? { token: callers[who] } : {}), ...(body === undefined ? {} : { body }) },
    )
    heard.push({ name: operation.name, who, answer })
    if (answer.status === 401 && who === 'owner') callers.owner = await signIn(ada.email)
  }
  const rank = ({ method }: Operation) => ['GET', 'PUT', 'PATCH', 'POST', 'DELETE'].indexOf(method)
  const inOrder = operations.toSorted((one, other) => rank(one) - rank(other))
  for (const who of ['nobody', 'stranger', 'admin', 'owner'] as const) {
    for (const operation of inOrder) {
      // These end what the walk stands on; what they answer is empty.
      const isEnd = /logout|sessions(\/current)?$|ban$/.test(operation.path) && rank(operation) > 1
      const isTheirs = who !== 'admin' || rank(operation) === 0 || operation.path.startsWith('/api/v1/admin/')
      if (isTheirs && (who === 'nobody' || !isEnd)) await call(operation, who)
    }
  }
  const statuses = new Set(heard.map(({ answer }) => answer.status))
  for (const status of [200, 201, 202, 400, 401, 403, 404]) expect(statuses).toContain(status)

  const secrets = [
    ...(await keptSecrets()),
    ...[apiKey, testPassword].map(text => ({ where: 'the client', text })),
  ]
  const kinds = new Set(secrets.map(({ where }) => where))
  for (const kind of ['accounts.password_hash', 'provider_keys.sealed_key', 'payment_customers.customer_id'])
    expect(kinds).toContain(kind)
  const codes = printed.flatMap(line => /\b(\d{6}) is your code/.exec(line)?.[1] ?? [])
  expect(codes.length).toBeGreaterThan(1)
  secrets.push(...codes.map(code => ({ where: 'a code', text: `"${code}"` })))

  const found = new Set<string>()
  for (const { name, who, answer } of heard) {
    const all =
      answer.text + JSON.stringify([...answer.headers].filter(([header]) => header !== 'set-cookie'))
    for (const { where, text } of secrets) if (all.includes(text)) found.add(`${name} (${who}): ${where}`)
    for (const property of namesIn(answer.body))
      if (forbiddenNames.some(pattern => pattern.test(property))) found.add(`${name} (${who}): "${property}"`)
    if (who === 'owner' && (all.includes(bob.accountId) || all.includes(bob.email)))
      found.add(`${name}: somebody else`)
    if (who === 'stranger' && (all.includes(ada.accountId) || all.includes(ada.email)))
      found.add(`${name}: somebody else`)
    if (who === 'nobody' && [ada, bob].some(person => all.includes(person.accountId)))
      found.add(`${name}: somebody`)
  }
  expect([...found].sort()).toEqual([])
}, 120_000)

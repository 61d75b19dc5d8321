import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp, testPassword } from '../support/app.ts'
import { type Operation, readOperations } from '../support/operations.ts'
import { bodyOf, odd, queryOf, textOf } from '../support/schema-arbitraries.ts'

/** Requests for each operation; the nightly figure is 10,000. */
const perOperation = Number(process.env.FUZZ_REQUESTS ?? 12)
/** Builds and slow machines must not eat the time of the other tests: so long in all, unless a figure is asked for. */
const budgetMs = process.env.FUZZ_REQUESTS ? Number.POSITIVE_INFINITY : 25_000

let server: TestApp
let operations: Operation[]
const people = { owner: '', admin: '' }
const emails = { owner: '', admin: '' }
/** Ids of things that the owner has, and of none. */
let ids: string[]

beforeAll(async () => {
  server = await startApp({
    // Then an entered address is not looked up when it is kept.
    ALLOW_PRIVATE_ADDRESSES: 'true',
    SIGNUP_LIMIT_PER_HOUR: '100000000',
    CODE_LIMIT_PER_NETWORK_PER_HOUR: '100000000',
    LOGIN_LIMIT_PER_NETWORK_PER_HOUR: '100000000',
    LOGIN_LIMIT_PER_HOUR: '100000000',
  })
  operations = await readOperations(server)
  for (const who of ['owner', 'admin'] as const) emails[who] = (await server.signUp()).email
  await server.app.accounts.setRole(emails.admin, 'admin')
  await staySignedIn()
  ids = await someThings(people.owner)
}, 60_000)
afterAll(() => server[Symbol.asyncDispose]())

/** Some operations end sessions; the next one begins with good ones. */
async function staySignedIn(): Promise<void> {
  for (const who of ['owner', 'admin'] as const) {
    const isGood = (await server.call('GET', '/api/v1/me', { token: people[who] || 'none' })).status === 200
    if (isGood) continue
    const answer = await server.call('POST', '/api/v1/sessions', {
      body: { email: emails[who], password: testPassword },
    })
    expect(answer.status, answer.text).toBe(201)
    people[who] = answer.body.data.accessToken
  }
}

/** A conversation with an answer and an artifact, and their ids beside one that nothing has. */
async function someThings(token: string): Promise<string[]> {
  const { body } = await server.call('POST', '/api/v1/generations', {
    token,
    body: { message: 'Create a React button component', stream: false },
  })
  const { id, conversationId } = body.data.generation
  const read = await server.call('GET', `/api/v1/conversations/${conversationId}`, { token })
  const artifacts = read.body.data.messages.flatMap((each: { artifacts: { id: string }[] }) => each.artifacts)
  return [
    '01936b2e-8f6a-7c3d-9f7e-2a4b6c8d0e1f',
    id,
    conversationId,
    ...artifacts.map((each: { id: string }) => each.id),
  ]
}

test('no operation of the API page fails, and every answer is one that the page describes', {
  timeout: 60_000 + perOperation * 2000,
}, async () => {
  const ajv = addFormats.default(new Ajv2020({ strict: false, validateFormats: false }))
  const seen = new Set<number>()
  const found: string[] = []
  for (const operation of operations) {
    await staySignedIn()
    const checks = checksOf(ajv, operation)
    const property = fc.asyncProperty(requestOf(operation), async request => {
      const { status, text, json } = await send(operation, request)
      seen.add(status)
      if (status >= 500 || !checks.has(status)) throw new Error(`${status} ${text.slice(0, 300)}`)
      const check = checks.get(status)
      if (json !== undefined && check && !check(json))
        throw new Error(`${status} ${ajv.errorsText(check.errors)}: ${text.slice(0, 300)}`)
    })
    const result = await fc.check(property, {
      numRuns: perOperation,
      endOnFailure: true,
      ...(Number.isFinite(budgetMs) ? { interruptAfterTimeLimit: budgetMs / operations.length } : {}),
    })
    // One that was interrupted has failed nothing.
    if (result.failed && result.counterexample !== null)
      found.push(
        `${operation.name} ${result.errorInstance} for ${fc.stringify(result.counterexample).slice(0, 600)}`,
      )
  }
  expect(found).toEqual([])
  // The requests reach the rules: what needs a sign-in was refused without one, bodies were refused and taken.
  for (const status of [200, 201, 400, 401, 403, 404, 415]) expect(seen).toContain(status)
  expect((await server.call('GET', '/health/ready')).body.status).toBe('ready')
  expect(Object.keys(Object.prototype)).toEqual([])
})

function checksOf(ajv: Ajv2020, operation: Operation): Map<number, ValidateFunction | null> {
  return new Map(
    Object.entries(operation.responses).map(([status, { content }]) => {
      const schema = content?.['application/json']?.schema
      return [Number(status), schema ? ajv.compile(schema) : null]
    }),
  )
}

interface Request {
  who: 'owner' | 'admin' | 'nobody' | 'stranger'
  params: string[]
  query: Record<string, string>
  body: unknown
  contentType: string
  headers: Record<string, string>
}

function requestOf(operation: Operation): fc.Arbitrary<Request> {
  const id = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...ids) },
    odd.map(value => textOf(value).slice(0, 300)),
  )
  return fc.record({
    who: fc.constantFrom('owner', 'owner', 'owner', 'admin', 'nobody', 'stranger'),
    params: fc.array(id, { minLength: 4, maxLength: 4 }),
    query: queryOf(operation),
    body: bodyOf(operation),
    contentType: fc.constantFrom(...Array<string>(9).fill('application/json'), 'text/plain'),
    headers: fc.oneof(
      { weight: 4, arbitrary: fc.constant({}) },
      fc.constantFrom<Record<string, string>>(
        { 'last-event-id': 'x' },
        { 'idempotency-key': 'k'.repeat(300) },
        { accept: 'text/event-stream' },
        { 'accept-language': '\u00ff' },
      ),
    ),
  }) as fc.Arbitrary<Request>
}

/** What names nothing (`.`, `..`) would be another path than that of the operation. */
function segmentOf(text: string): string {
  return /^\.{0,2}$/.test(text) ? 'x' : encodeURIComponent(text.toWellFormed())
}

/** Sends it; of an answer that streams only the beginning is awaited. */
async function send(operation: Operation, { who, params, query, body, contentType, headers }: Request) {
  let next = 0
  const path = operation.path.replace(/\{[^}]+\}/g, () => segmentOf(params[next++] ?? ''))
  const search = new URLSearchParams(query)
  const bearer = who === 'stranger' ? 'eyJhbGciOiJub25lIn0.e30.' : who === 'nobody' ? null : people[who]
  const hasBody = body !== undefined && operation.method !== 'GET'
  const response = await fetch(`${server.url}${path}?${search}`, {
    method: operation.method,
    redirect: 'manual',
    headers: {
      ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
      ...(hasBody ? { 'content-type': contentType } : {}),
      ...headers,
    },
    ...(hasBody ? { body: JSON.stringify(body) ?? '' } : {}),
  })
  const type = response.headers.get('content-type') ?? ''
  if (!type.includes('json')) {
    await response.body?.cancel()
    return { status: response.status, text: type, json: undefined }
  }
  const text = await response.text()
  return { status: response.status, text, json: text === '' ? undefined : JSON.parse(text) }
}

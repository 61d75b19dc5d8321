import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../src/lib/ids.ts'
import { startApp, type TestApp } from '../support/app.ts'

let server: TestApp
let token: string

beforeAll(async () => {
  server = await startApp()
  token = (await server.signUp()).token
})
afterAll(() => server[Symbol.asyncDispose]())

/** The error body of every path: the same keys, whatever went wrong. */
function expectError(answer: Awaited<ReturnType<TestApp['call']>>, status: number, code: string): void {
  expect(answer.status, answer.text).toBe(status)
  expect(answer.body).toMatchObject({ success: false, data: null, code })
  expect(answer.body.error).toBe(answer.body.message)
  expect(answer.body.errors.length).toBeGreaterThan(0)
  expect(answer.text).not.toMatch(/\n\s+at |node_modules|\.ts:/)
}

const ask = (body: unknown, headers: Record<string, string> = {}) =>
  server.call('POST', '/api/v1/generations', { token, body, headers })

describe('bad input', () => {
  test('an unknown path is a 404 that names it', async () => {
    const answer = await server.call('GET', '/api/v1/nothing?secret=1', { token })
    expectError(answer, 404, 'NOT_FOUND')
    expect(answer.body.path).toBe('/api/v1/nothing')
  })

  test('an unknown method of a known path is a 404', async () => {
    expectError(await server.call('PUT', '/api/v1/models', { token }), 404, 'NOT_FOUND')
  })

  test.each([
    [{}, 'message', 'is required'],
    [{ message: '' }, 'message', 'must not be empty'],
    [{ message: '   ' }, 'message', /./],
    [{ message: 5 }, 'message', 'must be string'],
    [{ message: ['a'] }, 'message', 'must be string'],
    [{ message: 'a', temperature: 3 }, 'temperature', 'must be <= 2'],
    [{ message: 'a', topK: 1.5 }, 'topK', 'must be integer'],
    [{ message: 'a', topP: 0 }, 'topP', 'must be > 0'],
    [{ message: 'a', maxOutputTokens: 0 }, 'maxOutputTokens', 'must be >= 1'],
    [{ message: 'a', model: 'no/such' }, 'model', /./],
    [{ message: 'a', conversationId: 'x' }, 'conversationId', /must be a valid id/],
    [{ message: 'a', stream: 'yes' }, 'stream', 'must be boolean'],
    [{ message: 'a', role: 'system' }, 'role', 'is not a known field'],
    [{ message: 'a', onDisconnect: 'explode' }, 'onDisconnect', 'must be one of continue, cancel'],
  ])('%j names the field and the rule', async (body, field, rule) => {
    const answer = await ask(body)
    expect(answer.status, answer.text).toBe(400)
    const told = answer.body.details.filter((each: { field: string }) => each.field === field)
    expect(told).toEqual([{ field, message: expect.stringMatching(rule) }])
  })

  test('a message over the limit names the limit', async () => {
    const answer = await ask({ message: 'a'.repeat(100_001) })
    expect(answer.status).toBe(400)
    expect(answer.body.details).toEqual([
      { field: 'message', message: 'must be at most 100000 characters long' },
    ])
  })

  test.each([
    ['no JSON', '{"message":', 'INVALID_JSON'],
    ['nothing', '', 'VALIDATION_ERROR'],
    ['an array', '[]', 'VALIDATION_ERROR'],
    ['half a character', '{"message":"a \\ud800 b"}', 'VALIDATION_ERROR'],
    ['a NUL', '{"message":"a\\u0000b"}', 'VALIDATION_ERROR'],
    ['a prototype', '{"message":"a","__proto__":{"admin":true}}', 'INVALID_JSON'],
    ['a constructor', '{"message":"a","constructor":{"prototype":{"x":1}}}', 'INVALID_JSON'],
  ])('a body with %s is refused', async (_what, body, code) => {
    expectError(await ask(body), 400, code)
  })

  test('another content type is refused', async () => {
    expectError(
      await ask('message=a', { 'content-type': 'application/x-www-form-urlencoded' }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    )
    expectError(await ask('<a/>', { 'content-type': 'text/xml' }), 415, 'UNSUPPORTED_MEDIA_TYPE')
  })

  test('a body over the limit is 413', async () => {
    expectError(await ask(JSON.stringify({ message: 'a'.repeat(1_100_000) })), 413, 'BODY_TOO_LARGE')
  })

  test('a URL over the limit, or with a NUL, is refused', async () => {
    const long = await server.call('GET', `/api/v1/conversations?search=${'a'.repeat(9000)}`, { token })
    expectError(long, 400, 'URL_TOO_LONG')
    expectError(
      await server.call('GET', '/api/v1/conversations?search=%00', { token }),
      400,
      'VALIDATION_ERROR',
    )
    expectError(await server.call('GET', '/api/v1/conversations/%00', { token }), 400, 'VALIDATION_ERROR')
  })

  test('broken escapes and odd ids are answered, never a 5xx', async () => {
    for (const id of [
      '%',
      '%zz',
      "';drop table accounts;--",
      '..%2f..%2fetc',
      '%ff%fe',
      'a'.repeat(300),
      '😀',
      '0',
    ]) {
      for (const path of [
        `/api/v1/generations/${id}`,
        `/api/v1/conversations/${id}`,
        `/api/v1/artifacts/${id}`,
      ]) {
        const answer = await server.call('GET', path, { token })
        expect(answer.status, `${path} ${answer.text}`).toBeGreaterThanOrEqual(400)
        expect(answer.status, `${path} ${answer.text}`).toBeLessThan(500)
      }
    }
  })

  test('paging and search take any text', async () => {
    for (const search of ['%', '_', '\\', "'", '%25'.repeat(60), '😀']) {
      const answer = await server.call('GET', `/api/v1/conversations?search=${encodeURIComponent(search)}`, {
        token,
      })
      expect(answer.status, answer.text).toBe(200)
      expect(answer.body.data.conversations).toEqual([])
    }
    for (const query of ['limit=0', 'limit=101', 'limit=x', 'cursor=x', 'cursor=1_2']) {
      const answer = await server.call('GET', `/api/v1/conversations?${query}`, { token })
      expect(answer.status, `${query} ${answer.text}`).toBe(400)
      expect(answer.body.details[0].field).toBe(query.split('=')[0])
    }
  })

  test('a position that is no number is refused', async () => {
    const started = await ask({ message: 'hello', background: true })
    const path = `/api/v1/generations/${started.body.data.generation.id}/events`
    for (const bad of ['-1', 'x', '1e400']) {
      expectError(
        await server.call('GET', path, { token, headers: { 'last-event-id': bad } }),
        400,
        'VALIDATION_ERROR',
      )
    }
    expect((await server.call('GET', `${path}?after=-1`, { token })).status).toBe(400)
  })
})

test('answers are for the caller alone, and never a page', async () => {
  for (const answer of [
    await server.call('GET', '/api/v1/me', { token }),
    await ask({ message: 'hello', stream: false }),
  ]) {
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  }
})

test('a provider that cannot be reached is a 502 for who waits, and a failed generation for who follows', async () => {
  await using lonely = await startApp({
    OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
    OPENAI_API_KEY: 'a-key-of-nobody',
    DEFAULT_MODEL: 'openai/gpt-5',
    ALLOW_ANY_MODEL: 'true',
  })
  const person = await lonely.signUp()
  const body = { message: 'hello', stream: false }
  const answer = await lonely.call('POST', '/api/v1/generations', { token: person.token, body })
  expectError(answer, 502, 'PROVIDER_ERROR')
  const id = answer.headers.get('x-stream-session-id')
  const read = await lonely.call('GET', `/api/v1/generations/${id}`, { token: person.token })
  expect(read.body.data.generation).toMatchObject({
    status: 'failed',
    error: { code: 'PROVIDER_ERROR' },
    costMicroCredits: 0,
  })
})

test('what cannot be read as HTTP, or as UTF-8, has the same error body', async () => {
  const path = '/api/v1/generations'
  expectError(await server.call('GET', `${path}/%E0%A4%A`, { token }), 400, 'BAD_URL')
  const bytes = Buffer.concat([Buffer.from('{"message":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')])
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: bytes,
  })
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({
    code: 'VALIDATION_ERROR',
    details: [{ field: 'body', message: 'must be UTF-8' }],
  })
  const long = await server.call('GET', path, { headers: { 'x-long': 'a'.repeat(20_000) } })
  expectError(long, 431, 'HEADERS_TOO_LARGE')
})

describe('who may', () => {
  const paths: [string, string, unknown?][] = [
    ['GET', '/api/v1/me'],
    ['GET', '/api/v1/models'],
    ['POST', '/api/v1/generations', { message: 'a' }],
    ['GET', '/api/v1/conversations'],
    ['POST', '/api/v1/conversations', {}],
    ['GET', `/api/v1/generations/${newId()}`],
    ['GET', `/api/v1/generations/${newId()}/events`],
    ['POST', `/api/v1/generations/${newId()}/cancel`],
    ['GET', `/api/v1/artifacts/${newId()}`],
  ]

  test.each(paths)('%s %s needs a sign-in, and a real one', async (method, path, body) => {
    const options = body === undefined ? {} : { body }
    for (const headers of [
      {},
      { authorization: 'Bearer x' },
      { authorization: 'Basic eDp5' },
      { authorization: 'Bearer ' },
    ]) {
      const answer = await server.call(method, path, {
        ...options,
        headers: headers as Record<string, string>,
      })
      expect(answer.status, answer.text).toBe(401)
      expect(answer.body).toMatchObject({ success: false, data: null })
    }
  })

  test('what is foreign looks like what is absent, on every path with an id', async () => {
    const started = await ask({ message: 'Create a React button component', stream: false })
    const { generation } = started.body.data
    const read = await server.call('GET', `/api/v1/conversations/${generation.conversationId}`, { token })
    const artifactId = read.body.data.messages[1].artifacts[0].id
    const stranger = (await server.signUp()).token
    const calls: [string, string, string, unknown?][] = [
      ['GET', 'generations', ''],
      ['GET', 'generations', '/events'],
      ['POST', 'generations', '/cancel'],
      ['POST', 'generations', '/continue'],
      ['POST', 'generations', '/regenerate'],
      ['GET', 'conversations', ''],
      ['PATCH', 'conversations', '', { title: 'mine' }],
      ['DELETE', 'conversations', ''],
      ['GET', 'artifacts', ''],
      ['GET', 'artifacts', '/files'],
      ['GET', 'artifacts', '/download'],
      ['POST', 'artifacts', '/build'],
      ['POST', 'artifacts', '/preview'],
    ]
    const ids: Record<string, string> = {
      generations: generation.id,
      conversations: generation.conversationId,
      artifacts: artifactId,
    }
    for (const [method, noun, suffix, body] of calls) {
      const options = { token: stranger, ...(body === undefined ? {} : { body }) }
      const foreign = await server.call(method, `/api/v1/${noun}/${ids[noun]}${suffix}`, options)
      const absent = await server.call(method, `/api/v1/${noun}/${newId()}${suffix}`, options)
      expect(foreign.status, `${method} ${noun}${suffix}`).toBe(404)
      expect(foreign.text).toBe(absent.text)
    }
    const send = { token: stranger, body: { message: 'x', conversationId: generation.conversationId } }
    expectError(await server.call('POST', '/api/v1/generations', send), 404, 'NOT_FOUND')
    const after = await server.call('GET', `/api/v1/conversations/${generation.conversationId}`, { token })
    expect(after.text).toBe(read.text)
  })
})

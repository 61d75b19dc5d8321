import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'

let server: TestApp

beforeAll(async () => {
  server = await startApp({ SANDBOX_DELAY_MS: '200' })
})
afterAll(() => server[Symbol.asyncDispose]())

describe('an open event stream', () => {
  test('ends within five seconds of its session, while the answer goes on', async () => {
    const { token, accountId } = await server.signUp()
    const response = await fetch(`${server.url}/api/v1/generations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'Write a long blog post about the sea' }),
    })
    const id = response.headers.get('x-stream-session-id') ?? ''
    const reading = response.text()
    expect((await server.call('DELETE', '/api/v1/sessions/current', { token })).status).toBe(200)
    const endedAt = performance.now()
    const text = await reading
    expect(performance.now() - endedAt).toBeLessThan(5500)
    expect(text).not.toContain('generation-end')
    const generation = await server.app.generations.read(accountId, id)
    expect(generation.status).toBe('running')
    expect((await server.call('GET', `/api/v1/generations/${id}`, { token })).status).toBe(401)
  })
})

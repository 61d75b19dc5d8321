import type { LookupAddress, LookupOptions } from 'node:dns'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { type Canary, insideUrls, openCanary } from '../support/canary.ts'

/** What the names of the tests stand for, one answer after the other; the last one stays. Others are asked for as ever. */
const answers = vi.hoisted(() => new Map<string, string[]>())
let asked: string[] = []

vi.mock('node:dns', async original => {
  const real = await original<typeof import('node:dns')>()
  const lookup = (
    host: string,
    options: LookupOptions,
    callback: (error: Error | null, found: LookupAddress[]) => void,
  ) => {
    const list = answers.get(host)
    if (!list) return real.lookup(host, options, callback as never)
    const address = (list.length > 1 ? list.shift() : list[0]) ?? ''
    asked.push(address)
    queueMicrotask(() => callback(null, [{ address, family: address.includes(':') ? 6 : 4 }]))
  }
  return { ...real, lookup, default: { ...real, lookup } }
})

const apiKey = 'sk-of-nobody-0123456789'
const publicAddress = '93.184.216.34'
let app: TestApp
let canary: Canary

beforeAll(async () => {
  canary = await openCanary()
  app = await startApp({ KEY_LIMIT_PER_HOUR: '1000' })
})
afterAll(async () => {
  await app?.[Symbol.asyncDispose]()
  await canary?.[Symbol.asyncDispose]()
})
beforeEach(() => {
  asked = []
})

type Person = Awaited<ReturnType<TestApp['signUp']>>

const keys = (server: TestApp, person: Person, method: string, path = '', body?: object) =>
  server.call(method, `/api/v1/keys${path}`, { token: person.token, ...(body ? { body } : {}) })

async function addKey(server: TestApp, person: Person, body: object): Promise<string> {
  const answer = await keys(server, person, 'POST', '', {
    provider: 'custom',
    apiKey,
    models: ['own'],
    ...body,
  })
  expect([answer.status, answer.text]).toEqual([201, answer.text])
  return answer.body.data.key.id
}

/** Asks a question that the key answers; streamed, at once, or as a job. */
async function ask(server: TestApp, person: Person, how: object = { stream: false }) {
  const body = { message: 'Hello', model: 'custom/own', ...how }
  const answer = await server.call('POST', '/api/v1/generations', { token: person.token, body })
  return { status: answer.status, code: answer.body?.code, text: answer.text }
}

const lead = (id: string, base_url: string) =>
  app.app.db.updateTable('provider_keys').set({ base_url }).where('id', '=', id).execute()

describe('a base URL that an account entered (L07)', () => {
  test('leads nowhere inside, in any spelling, when the key is tested and when it answers', {
    timeout: 120_000,
  }, async () => {
    answers.set('api.own.example', [publicAddress])
    const person = await app.signUp()
    const id = await addKey(app, person, { baseUrl: 'https://api.own.example/v1' })
    // What only the entry refuses (a query, a public host) is left out: using it would ask that host.
    const inside = insideUrls(canary.port).filter(url => !/8\.8\.8\.8[/#\\]/.test(url) || /^http:/.test(url))
    expect(inside.length).toBeGreaterThan(60)
    const told = new Set<string>()
    for (const url of inside) {
      await lead(id, url)
      const tried = await keys(app, person, 'POST', `/${id}/test`, {})
      expect([url, tried.status, tried.body.data?.verdict]).toEqual([url, 200, 'unreachable'])
      told.add(JSON.stringify(tried.body.data))
      const answered = await ask(app, person)
      expect([url, answered.status, answered.code]).toEqual([url, 422, 'PROVIDER_REFUSED'])
    }
    expect(told.size).toBe(1)
    expect(canary.hits()).toBe(0)
  })

  test('is checked by what its name stands for at the moment of connecting', async () => {
    const person = await app.signUp()
    const url = `https://rebind.example:${canary.port}/v1`
    answers.set('rebind.example', [publicAddress])
    const id = await addKey(app, person, { baseUrl: url })
    expect(asked).toEqual([publicAddress])
    for (const inside of [
      '127.0.0.1',
      '::1',
      '::ffff:127.0.0.1',
      '169.254.169.254',
      '10.0.0.1',
      '0.0.0.0',
      '100.64.0.1',
    ]) {
      // Public when it is looked at beforehand, inside when it is connected to.
      answers.set('rebind.example', [publicAddress, inside])
      asked = []
      const tried = await keys(app, person, 'POST', `/${id}/test`, { model: 'own' })
      expect([inside, tried.body.data.verdict]).toEqual([inside, 'unreachable'])
      expect(asked.slice(0, 2)).toEqual([publicAddress, inside])
      answers.set('rebind.example', [inside])
      for (const how of [{ stream: false }, { stream: true }]) {
        const answered = await ask(app, person, how)
        expect(answered.text).toContain('PROVIDER_REFUSED')
      }
      const added = await keys(app, person, 'POST', '', { provider: 'custom', apiKey, baseUrl: url })
      const changed = await keys(app, person, 'PATCH', `/${id}`, { apiKey, baseUrl: `${url}/x` })
      expect([inside, added.status, changed.status]).toEqual([inside, 400, 400])
    }
    expect(canary.hits()).toBe(0)
  })

  test('that was given to another provider than custom is no different', async () => {
    const person = await app.signUp()
    answers.set('proxy.example', [publicAddress])
    for (const provider of ['openai', 'gemini', 'anthropic', 'openrouter', 'perplexity']) {
      const id = await addKey(app, person, { provider, baseUrl: 'https://proxy.example/v1', models: [] })
      await lead(id, `https://127.0.0.1:${canary.port}/v1`)
      const tried = await keys(app, person, 'POST', `/${id}/test`, { model: 'any' })
      expect([provider, tried.body.data.verdict]).toEqual([provider, 'unreachable'])
      const body = { message: 'Hello', model: `${provider}/any`, stream: false }
      const answered = await app.call('POST', '/api/v1/generations', { token: person.token, body })
      expect([provider, answered.status >= 400]).toEqual([provider, true])
    }
    expect(canary.hits()).toBe(0)
  })
})

test('a server that redirects is not followed, by no status and to no place', {
  timeout: 90_000,
}, async () => {
  // First hops may lead inside here; the second one is what counts.
  await using open = await startApp({ ALLOW_PRIVATE_ADDRESSES: 'true' })
  let status = 302
  let location = ''
  let hops = 0
  const redirecting = createServer((request, response) => {
    hops += 1
    request.resume()
    response.writeHead(status, { location, refresh: `0; url=${location}`, 'content-type': 'text/html' })
    response.end(`<meta http-equiv="refresh" content="0; url=${location}"><a href="${location}">moved</a>`)
  })
  redirecting.listen(0, '127.0.0.1')
  await once(redirecting, 'listening')
  const baseUrl = `http://127.0.0.1:${(redirecting.address() as AddressInfo).port}/v1`
  try {
    const person = await open.signUp()
    const id = await addKey(open, person, { baseUrl })
    const before = canary.hits()
    for (const place of [
      `http://127.0.0.1:${canary.port}/v1/models`,
      `//127.0.0.1:${canary.port}/x`,
      `http://[::1]:${canary.port}/`,
      'file:///etc/passwd',
    ])
      for (status of [200, 300, 301, 302, 303, 304, 305, 307, 308]) {
        location = place
        const at = hops
        const tried = await keys(open, person, 'POST', `/${id}/test`, { model: 'own' })
        expect([status, tried.body.data?.verdict]).toEqual([status, 'unexpected'])
        expect(hops).toBeGreaterThan(at)
      }
    for (status of [301, 307]) {
      location = `http://127.0.0.1:${canary.port}/v1/chat/completions`
      const answered = await ask(open, person)
      expect([status, answered.status, answered.code]).toEqual([status, 502, 'PROVIDER_BAD_RESPONSE'])
      expect(answered.text).not.toContain(String(canary.port))
    }
    expect(canary.hits()).toBe(before)
  } finally {
    redirecting.closeAllConnections()
    redirecting.close()
  }
})

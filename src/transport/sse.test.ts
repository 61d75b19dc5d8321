import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createConnection } from 'node:net'
import { pino } from 'pino'
import { afterEach, expect, test, vi } from 'vitest'
import { createServer } from './server.ts'
import { sendEvents } from './sse.ts'

afterEach(() => vi.useRealTimers())

const length = 20_000_000
const event = { seq: length, type: 'text-delta', text: 'é'.repeat(length / 2) + 'x'.repeat(length / 2) }

/** A server whose one stream is a single event of 20 million characters. */
async function listen() {
  const logger = pino({ level: 'silent' })
  const authenticator = { authenticate: () => Promise.reject(new Error('no route here asks')) }
  const server = await createServer({ logger, authenticator, corsOrigins: [] })
  const ended: Promise<void>[] = []
  const responses: ServerResponse[] = []
  async function* batches() {
    yield [event]
  }
  server.get('/stream', { config: { auth: 'none' } }, async (_request, reply) => {
    responses.push(reply.raw)
    const sent = sendEvents(reply, batches())
    ended.push(sent)
    await sent
    return reply
  })
  const url = await server.listen({ port: 0, host: '127.0.0.1' })
  return {
    url,
    port: Number(new URL(url).port),
    ended,
    responses,
    [Symbol.asyncDispose]: () => server.close(),
  }
}

test('a batch of any size arrives whole, in frames with their true positions', async () => {
  await using site = await listen()
  const text = await (await fetch(`${site.url}/stream`)).text()
  const events = text
    .split('\n')
    .filter(line => line.startsWith('data: '))
    .map(line => JSON.parse(line.slice(6)) as typeof event)
  expect(events.map(each => each.text).join('')).toBe(event.text)
  let position = 0
  for (const each of events) {
    position += each.text.length
    expect(each.seq).toBe(position)
  }
})

test('R08: a reader that takes nothing costs one portion, and is closed after 30 seconds', async () => {
  await using site = await listen()
  const client = createConnection(site.port, '127.0.0.1')
  client.on('error', () => {})
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true })
  client.write('GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  await once(client, 'readable')
  const response = site.responses[0]
  if (!response) throw new Error('no response')
  let most = 0
  let before = -1
  // Until nothing moves any more: the buffers of the operating system are full.
  for (let still = 0; still < 50; ) {
    await new Promise(resolve => setImmediate(resolve))
    const written = response.socket?.bytesWritten ?? 0
    still = written === before ? still + 1 : 0
    before = written
    most = Math.max(most, response.writableLength)
  }
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThan(512 * 1024)
  expect(response.destroyed).toBe(false)
  await vi.advanceTimersByTimeAsync(28_000)
  expect(response.destroyed).toBe(false)
  await vi.advanceTimersByTimeAsync(3000)
  expect(response.destroyed).toBe(true)
  vi.useRealTimers()
  await Promise.all(site.ended)
  client.destroy()
})

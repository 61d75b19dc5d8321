import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { openSocket } from '../../test/support/sockets.ts'
import { createServer } from './server.ts'
import { defaultSlowClientLimits, type SlowClientLimits } from './slow-clients.ts'
import { createUpgrades } from './upgrades.ts'
import { createWebSockets } from './websocket.ts'

async function listen(slowClients: Partial<SlowClientLimits>) {
  const server = await createServer({
    logger: pino({ level: 'silent' }),
    authenticator: { authenticate: () => Promise.reject(new Error('no route here asks')) },
    corsOrigins: [],
    slowClients,
  })
  const open = { config: { auth: 'none' } } as const
  server.post('/echo', open, async ({ body }) => ({ body }))
  server.get('/much', open, async () => 'x'.repeat(50_000_000))
  server.get('/late', open, async () => {
    await new Promise(resolve => setTimeout(resolve, 1500))
    return 'at last'
  })
  const upgrades = createUpgrades(server, { publicUrl: () => undefined, corsOrigins: [] })
  const webSockets = createWebSockets(upgrades)
  upgrades.route('/line', upgrade => webSockets.open(upgrade, line => text => void line.send(text ?? '')))
  const { port } = new URL(await server.listen({ port: 0, host: '127.0.0.1' }))
  return { port: Number(port), [Symbol.asyncDispose]: () => server.close() }
}

interface Client {
  socket: Socket
  heard: () => string
  closed: Promise<unknown>
}

function connect(port: number): Client {
  const socket = createConnection(port, '127.0.0.1')
  let text = ''
  socket.on('error', () => {})
  socket.on('data', chunk => {
    text += chunk.toString('latin1')
  })
  return { socket, heard: () => text, closed: once(socket, 'close') }
}

/** Sends a byte now and then until the connection is closed. */
function drip({ socket }: Client, byte: string): void {
  const timer = setInterval(() => socket.write(byte), 50)
  socket.once('close', () => clearInterval(timer))
}

test('L04: each way of being slow is ended within a minute', () => {
  const { headersMs, requestMs, checkEveryMs, readerMs } = defaultSlowClientLimits
  expect(Math.max(headersMs, requestMs) + checkEveryMs).toBeLessThanOrEqual(60_000)
  expect(readerMs).toBeLessThanOrEqual(60_000)
})

test('L04: slow headers, slow bodies and silence are closed; others are answered meanwhile', async () => {
  await using site = await listen({ headersMs: 1500, requestMs: 3000, checkEveryMs: 100, readerMs: 2500 })
  const clients = Array.from({ length: 100 }, () => connect(site.port))
  const kinds = ['headers', 'body', 'silence'] as const
  clients.forEach((client, index) => {
    const kind = kinds[index % kinds.length]
    if (kind === 'silence') return
    client.socket.write('POST /echo HTTP/1.1\r\nHost: x\r\n')
    if (kind === 'body')
      client.socket.write('Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n"')
    drip(client, kind === 'body' ? 'x' : 'X-Y: z\r\n')
  })
  const answer = await fetch(`http://127.0.0.1:${site.port}/echo`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '1',
  })
  expect(await answer.json()).toEqual({ body: 1 })
  await Promise.all(clients.map(client => client.closed))
  const [headers, body] = clients.map(client => client.heard())
  for (const heard of [headers, body]) {
    expect(heard).toMatch(/^HTTP\/1\.1 408 /)
    expect(heard).toContain('"code":"REQUEST_TIMEOUT"')
  }
})

test('L04: a reader that takes nothing of its answer is closed', async () => {
  await using site = await listen({ readerMs: 1000 })
  const client = createConnection(site.port, '127.0.0.1')
  client.on('error', () => {})
  client.write('GET /much HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(client, 'readable')
  // Nothing is read for longer than is allowed; what the operating system holds may still be read then, but no more.
  await new Promise(resolve => setTimeout(resolve, 5000))
  let length = 0
  client.on('data', chunk => {
    length += chunk.length
  })
  await once(client, 'close')
  expect(length).toBeLessThan(50_000_000)
})

test('a slow reader that goes on reading, and a client that waits for its answer, are not closed', async () => {
  await using site = await listen({ readerMs: 1400 })
  const late = fetch(`http://127.0.0.1:${site.port}/late`)
  const client = createConnection(site.port, '127.0.0.1')
  client.write('GET /much HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  let length = 0
  client.on('data', chunk => {
    length += chunk.length
    client.pause()
    setTimeout(() => client.resume(), length < 10_000_000 ? 10 : 0)
  })
  await once(client, 'end')
  expect(length).toBeGreaterThan(50_000_000)
  expect(await (await late).text()).toBe('at last')
})

test('an idle connection is kept for the next request', async () => {
  await using site = await listen({ readerMs: 1000 })
  const client = connect(site.port)
  const ask = () => client.socket.write('GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n')
  ask()
  await expect.poll(() => client.heard()).toContain('404')
  await new Promise(resolve => setTimeout(resolve, 2500))
  ask()
  await expect.poll(() => client.heard().match(/HTTP\/1\.1 404/g)).toHaveLength(2)
  client.socket.destroy()
})

test('a WebSocket that says nothing for long is none of this', async () => {
  await using site = await listen({ readerMs: 700, headersMs: 700, requestMs: 700, checkEveryMs: 50 })
  const { webSocket } = await openSocket(`http://127.0.0.1:${site.port}/line`)
  await new Promise(resolve => setTimeout(resolve, 2500))
  const heard = once(webSocket, 'message')
  webSocket.send('"still here"')
  expect(String((await heard)[0])).toBe('"still here"')
  webSocket.terminate()
})

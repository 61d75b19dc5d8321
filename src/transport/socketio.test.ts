import { pino } from 'pino'
import { describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { openIo } from '../../test/support/sockets.ts'
import { createMemoryCache } from '../platform/cache/memory.ts'
import type { Identity } from './auth.ts'
import { createHandshakes } from './handshakes.ts'
import { createServer } from './server.ts'
import { createSocketIo, type OpenHandler, type SocketIoLimits, type SocketIoLine } from './socketio.ts'
import { createTickets } from './tickets.ts'
import { createUpgrades } from './upgrades.ts'

const identityOf = (name: string): Identity => ({ accountId: name, sessionId: name, role: 'user' })

/** A server with Socket.IO alone; a token is the name of its account. */
async function listen(limits: Partial<SocketIoLimits> = {}, open: OpenHandler = () => ({})) {
  const authenticate = async (token: string) => identityOf(token)
  const authenticator = { authenticate }
  const server = await createServer({ logger: pino({ level: 'silent' }), authenticator, corsOrigins: [] })
  const upgrades = createUpgrades(server, { publicUrl: () => undefined, corsOrigins: [] })
  const tickets = createTickets({ cache: createMemoryCache(), recognise: authenticate })
  const handshakes = createHandshakes({ authenticate, tickets, watchSession: () => () => {} })
  const socketIo = createSocketIo(server, { upgrades, handshakes, limits })
  const lines: SocketIoLine[] = []
  socketIo.serve(line => {
    lines.push(line)
    return open(line)
  })
  const url = await server.listen({ port: 0, host: '127.0.0.1' })
  return { url, lines, socketIo, server, [Symbol.asyncDispose]: () => server.close() }
}

/** Connects without reading what comes. */
async function connectDeaf(url: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
  socket.on('error', () => {})
  await new Promise(resolve => socket.once('open', resolve))
  const welcomed = new Promise(resolve =>
    socket.on('message', data => String(data).startsWith('40') && resolve(0)),
  )
  socket.send(`40${JSON.stringify({ token: 'deaf' })}`)
  await welcomed
  socket.pause()
  return socket
}

const text = 'x'.repeat(32_768)

describe('a reader that is slow', () => {
  test('is asked to take one thing before the next is sent, and is cut when it takes nothing', async () => {
    await using site = await listen({ slowReaderMs: 300 })
    const socket = await connectDeaf(site.url)
    const [line] = site.lines
    if (!line) throw new Error('no line')
    let sent = 0
    while (await line.deliver('events', { text })) sent++
    expect(sent).toBeGreaterThan(1)
    expect(sent * text.length).toBeLessThan(32 * 1024 * 1024)
    expect(line.signal.aborted).toBe(true)
    socket.terminate()
  })

  test('is cut at once when notices alone pile up beyond the limit, and nobody else is', async () => {
    await using site = await listen({ maxWaitingLength: 200_000 })
    const deaf = await connectDeaf(site.url)
    const other = await openIo(site.url, { auth: { token: 'other' } })
    const [line] = site.lines
    if (!line) throw new Error('no line')
    for (let i = 0; i < 2000 && !line.signal.aborted; i++) {
      site.socketIo.tell('deaf', 'notice', { text })
      if (i % 20 === 0) await new Promise(resolve => setImmediate(resolve))
    }
    expect(line.signal.aborted).toBe(true)
    site.socketIo.tell('other', 'notice', { still: 'here' })
    expect(await other.hear('notice')).toEqual({ still: 'here' })
    expect(site.socketIo.mayHear('other')).toBe(true)
    expect(site.socketIo.mayHear('nobody')).toBe(false)
    deaf.terminate()
    other.close()
  })
})

test.each([[['polling']], [['websocket']], [['polling', 'websocket']]])(
  'over %s everything arrives in its order, also while the transport changes',
  async transports => {
    await using site = await listen()
    const io = await openIo(site.url, { auth: { token: 'reader' }, transports })
    const [line] = site.lines
    if (!line) throw new Error('no line')
    for (let i = 0; i < 200; i++)
      expect(await line.deliver('events', { i, text: text.slice(0, 5000) })).toBe(true)
    const last = await io.hear('events', payload => payload.i === 199)
    expect(last.text).toHaveLength(5000)
    expect(io.told.map(({ payload }) => payload.i)).toEqual(Array.from({ length: 200 }, (_, i) => i))
    io.close()
  },
)

test('more events at once than may be handled are refused, the rest is answered', async () => {
  const release: (() => void)[] = []
  const wait = () => new Promise<object>(resolve => release.push(() => resolve({ waited: true })))
  await using site = await listen({ maxPending: 3 }, () => ({ wait }))
  const io = await openIo(site.url, { auth: { token: 'busy' } })
  const answers = Array.from({ length: 5 }, () => io.ask('wait'))
  expect(await Promise.all(answers.slice(3))).toMatchObject([
    { code: 'TOO_MANY_REQUESTS' },
    { code: 'TOO_MANY_REQUESTS' },
  ])
  for (const letGo of release) letGo()
  expect(await Promise.all(answers.slice(0, 3))).toEqual(
    Array.from({ length: 3 }, () => ({ success: true, data: { waited: true } })),
  )
  io.close()
})

test('a handler that breaks tells nothing of it', async () => {
  await using site = await listen({}, () => ({ break: () => Promise.reject(new Error('secret detail')) }))
  const io = await openIo(site.url, { auth: { token: 'x' } })
  const answer = await io.ask('break')
  expect(answer).toMatchObject({ success: false, code: 'INTERNAL' })
  expect(JSON.stringify(answer)).not.toContain('secret')
  io.close()
})

test('a flood of packets closes its connection', async () => {
  await using site = await listen()
  const [bad, good] = [
    await openIo(site.url, { auth: { token: 'bad' } }),
    await openIo(site.url, { auth: { token: 'good' } }),
  ]
  for (let i = 0; i < 2000; i++) bad.socket.emit('x')
  await vi.waitFor(() => expect(bad.socket.connected).toBe(false), { timeout: 5000 })
  expect(await good.ask('x')).toMatchObject({ code: 'UNKNOWN_EVENT' })
  good.close()
})

test('a server that closes disconnects everybody', async () => {
  const site = await listen()
  const clients = await Promise.all(
    [['polling'], ['websocket']].map(transports => openIo(site.url, { auth: { token: 'x' }, transports })),
  )
  const before = performance.now()
  await site.server.close()
  expect(performance.now() - before).toBeLessThan(4000)
  for (const client of clients) {
    await vi.waitFor(() => expect(client.socket.connected).toBe(false), { timeout: 5000 })
    client.close()
  }
})

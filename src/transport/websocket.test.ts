import { once } from 'node:events'
import { createConnection } from 'node:net'
import { pino } from 'pino'
import { describe, expect, test, vi } from 'vitest'
import { openSocket } from '../../test/support/sockets.ts'
import { createServer } from './server.ts'
import { createUpgrades } from './upgrades.ts'
import { createWebSockets, type MessageHandler, type SocketLine, type WebSocketLimits } from './websocket.ts'

const logger = pino({ level: 'silent' })
const nobody = {
  authenticate: () => Promise.reject(new Error('no route here asks')),
}

/** A server with one path, whose lines are handed out. */
async function listen(
  limits: Partial<WebSocketLimits> = {},
  handle: (line: SocketLine) => MessageHandler = () => () => {},
) {
  const server = await createServer({ logger, authenticator: nobody, corsOrigins: [] })
  const upgrades = createUpgrades(server, { publicUrl: () => undefined, corsOrigins: [] })
  const webSockets = createWebSockets(upgrades, limits)
  const lines: SocketLine[] = []
  upgrades.route('/line', upgrade =>
    webSockets.open(upgrade, line => {
      lines.push(line)
      return handle(line)
    }),
  )
  const url = await server.listen({ port: 0, host: '127.0.0.1' })
  return {
    url: `${url}/line`,
    port: Number(new URL(url).port),
    lines,
    server,
    [Symbol.asyncDispose]: () => server.close(),
  }
}

/** Sends frames as fast as they are taken; resolves with the most that ever waited. */
async function flood(
  line: SocketLine,
  frames: number,
  text = JSON.stringify('x'.repeat(32_768)),
): Promise<number> {
  let most = 0
  for (let i = 0; i < frames; i++) {
    const isSent = await line.deliver(text)
    most = Math.max(most, line.bufferedBytes)
    if (!isSent) break
  }
  return most
}

describe('a reader that is slow', () => {
  test('costs little, and is closed with 1013 when it stands still', async () => {
    await using site = await listen({ slowReaderMs: 250 })
    const client = await openSocket(site.url)
    client.webSocket.pause()
    const [line] = site.lines
    if (!line) throw new Error('no line')
    expect(await flood(line, 1000)).toBeLessThan(256 * 1024)
    client.webSocket.resume()
    expect(await client.closed).toBe(1013)
    expect(line.signal.aborted).toBe(true)
  })

  test('is cut although it never reads again', async () => {
    await using site = await listen({ slowReaderMs: 100 })
    const client = await openSocket(site.url)
    client.webSocket.pause()
    const [line] = site.lines
    if (!line) throw new Error('no line')
    await flood(line, 1000)
    expect(line.signal.aborted).toBe(true)
    await vi.waitFor(() => expect(line.bufferedBytes).toBe(0), { timeout: 10_000 })
    client.webSocket.terminate()
  })

  test('that reads now and then is kept, and gets everything', async () => {
    await using site = await listen({ slowReaderMs: 1000 })
    const client = await openSocket(site.url)
    let received = 0
    client.webSocket.removeAllListeners('message')
    // It rests ten times, in sum for longer than a reader may stand still.
    client.webSocket.on('message', () => {
      if (++received % 70 !== 0) return
      client.webSocket.pause()
      setTimeout(() => client.webSocket.resume(), 150)
    })
    const [line] = site.lines
    if (!line) throw new Error('no line')
    await flood(line, 700)
    await vi.waitFor(() => expect(received).toBe(700), { timeout: 10_000 })
    expect(line.signal.aborted).toBe(false)
    client.webSocket.terminate()
  })

  test('is closed at once when answers alone pile up beyond the limit', async () => {
    await using site = await listen({ maxBufferedBytes: 1024 * 1024 })
    const client = await openSocket(site.url)
    client.webSocket.pause()
    const [line] = site.lines
    if (!line) throw new Error('no line')
    let most = 0
    while (line.send(JSON.stringify('x'.repeat(100_000)))) most = Math.max(most, line.bufferedBytes)
    expect(most).toBeLessThan(1024 * 1024 + 200_000)
    client.webSocket.resume()
    expect(await client.closed).toBe(1013)
  })
})

describe('a peer', () => {
  test('that does not answer pings is cut, one that does is kept', async () => {
    await using site = await listen({ pingEveryMs: 500 })
    const dead = await openSocket(site.url, { autoPong: false })
    const alive = await openSocket(site.url)
    expect(await dead.closed).toBe(1006)
    await once(alive.webSocket, 'ping')
    await once(alive.webSocket, 'ping')
    expect(site.lines[1]?.signal.aborted).toBe(false)
    alive.webSocket.terminate()
  })

  test('R06: that sends ten thousand pings is closed, the others feel nothing', async () => {
    await using site = await listen({}, line => text => void line.send(text ?? ''))
    const [bad, good] = [await openSocket(site.url), await openSocket(site.url)]
    for (let i = 0; i < 10_000; i++) bad.webSocket.ping()
    expect(await bad.closed).toBe(1008)
    good.send({ still: 'here' })
    expect(await good.frame(frame => frame.still === 'here')).toBeDefined()
    good.webSocket.terminate()
  })

  test('whose messages are handled slowly is not read from meanwhile', async () => {
    let [running, most] = [0, 0]
    await using site = await listen(
      { maxPending: 4, rate: { perSecond: 10_000, burst: 10_000 } },
      line => async text => {
        most = Math.max(most, ++running)
        await new Promise(resolve => setTimeout(resolve, 5))
        running--
        line.send(text ?? '')
      },
    )
    const client = await openSocket(site.url)
    const padding = 'x'.repeat(50_000)
    for (let i = 0; i < 60; i++) client.send({ i, padding })
    await client.frame(frame => frame.i === 59)
    expect(client.frames).toHaveLength(60)
    // What one network read brings is handled together; the rest waits.
    expect(most).toBeLessThan(12)
    client.webSocket.terminate()
  })

  test('that breaks what handles it is closed with 1011', async () => {
    await using site = await listen({}, () => () => Promise.reject(new Error('a bug')))
    const client = await openSocket(site.url)
    client.send('{}')
    expect(await client.closed).toBe(1011)
  })
})

describe('R06: bytes that are no WebSocket', () => {
  const masked = (first: number, second: number, ...rest: number[]) =>
    Buffer.from([first, second | 0x80, ...rest])
  const mask = [0, 0, 0, 0]
  const hugeLength = [0, 0, 0, 0, 6, 64, 0, 0]
  const bad: Record<string, Buffer> = {
    'reserved bits': masked(0xc1, 1, ...mask, 0x61),
    'an unknown opcode': masked(0x83, 1, ...mask, 0x61),
    'no mask': Buffer.from([0x81, 1, 0x61]),
    'text that is no UTF-8': masked(0x81, 2, ...mask, 0xc3, 0x28),
    'a frame of 100 MB': masked(0x81, 127, ...hugeLength, ...mask),
    'a frame of a length beyond numbers': masked(0x81, 127, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, ...mask),
    'a long control frame': masked(0x89, 126, 0, 200, ...mask),
    'a torn control frame': masked(0x09, 1, ...mask, 0x61),
    'a continuation of nothing': masked(0x80, 1, ...mask, 0x61),
    'a close with half a code': masked(0x88, 1, ...mask, 0x03),
    'a close with a forbidden code': masked(0x88, 2, ...mask, 0x03, 0xed),
  }

  test.each(Object.keys(bad))('%s closes that socket only', async name => {
    await using site = await listen({}, line => text => void line.send(text ?? ''))
    const good = await openSocket(site.url)
    const socket = createConnection(site.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(
      `GET /line HTTP/1.1\r\nHost: 127.0.0.1:${site.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    await once(socket, 'data')
    socket.write(bad[name] ?? '')
    const sendMore = setInterval(() => socket.write(Buffer.alloc(65_536)), 20)
    await once(socket, 'close')
    clearInterval(sendMore)
    good.send({ still: 'here' })
    expect(await good.frame(frame => frame.still === 'here')).toBeDefined()
    good.webSocket.terminate()
  })

  test('100 MB in one frame is never held', async () => {
    await using site = await listen()
    const client = await openSocket(site.url)
    const before = process.memoryUsage().arrayBuffers
    const piece = Buffer.alloc(1024 * 1024, 'x')
    for (let i = 0; i < 100 && client.webSocket.readyState === client.webSocket.OPEN; i++) {
      client.webSocket.send(piece, { fin: false })
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(await client.closed).toBe(1009)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(150 * 1024 * 1024)
  })
})

test('a server that closes says 1001, and cuts who does not listen', async () => {
  const site = await listen()
  const polite = await openSocket(site.url)
  const deaf = await openSocket(site.url)
  deaf.webSocket.pause()
  const before = performance.now()
  await site.server.close()
  expect(performance.now() - before).toBeLessThan(10_000)
  expect(await polite.closed).toBe(1001)
  deaf.webSocket.terminate()
})

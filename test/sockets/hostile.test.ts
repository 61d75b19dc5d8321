import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { startProvider } from '../provider/index.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { type Json, openIo, openSocket, readEvents, type TestSocket, textOf } from '../support/sockets.ts'

let site: TestApp
let token: string
let accountId: string

beforeAll(async () => {
  site = await startApp()
  const person = await site.signUp()
  token = person.token
  accountId = person.accountId
})
afterAll(() => site[Symbol.asyncDispose]())

const bearer = () => ({ authorization: `Bearer ${token}` })
const raw = (base = site, value = token) =>
  openSocket(`${base.url}/api/v1/socket`, { headers: { authorization: `Bearer ${value}` } })

async function countGenerations(): Promise<number> {
  const rows = await site.app.db
    .selectFrom('generations')
    .select('id')
    .where('account_id', '=', accountId)
    .execute()
  return rows.length
}

describe('frames that break a rule', () => {
  const id = '01900000-0000-7000-8000-000000000000'
  const refused: [string, object | string, { code: string; field?: string; message?: string }][] = [
    ['no JSON', '{"type":', { code: 'INVALID_JSON' }],
    ['empty text', '', { code: 'INVALID_JSON' }],
    ['a list', '[]', { code: 'VALIDATION_ERROR', field: 'frame' }],
    ['null', 'null', { code: 'VALIDATION_ERROR', field: 'frame' }],
    ['no type', {}, { code: 'VALIDATION_ERROR', field: 'type' }],
    ['a type that is no text', { type: ['start'] }, { code: 'VALIDATION_ERROR', field: 'type' }],
    ['an unknown type', { type: 'constructor' }, { code: 'VALIDATION_ERROR', field: 'type' }],
    ['another unknown type', { type: '__proto__' }, { code: 'VALIDATION_ERROR', field: 'type' }],
    ['no message', { type: 'start' }, { code: 'VALIDATION_ERROR', field: 'message', message: 'is required' }],
    ['a blank message', { type: 'start', message: ' \n' }, { code: 'VALIDATION_ERROR', field: 'message' }],
    ['a message of NUL', { type: 'start', message: 'a\0b' }, { code: 'VALIDATION_ERROR', field: 'message' }],
    [
      'a long message',
      { type: 'start', message: 'x'.repeat(100_001) },
      { code: 'VALIDATION_ERROR', field: 'message' },
    ],
    [
      'a message that is a list',
      { type: 'start', message: ['hi'] },
      { code: 'VALIDATION_ERROR', field: 'message' },
    ],
    [
      'an unknown field',
      { type: 'start', message: 'hi', role: 'admin' },
      { code: 'VALIDATION_ERROR', field: 'role' },
    ],
    [
      'an account',
      { type: 'follow', generationId: id, accountId: id },
      { code: 'VALIDATION_ERROR', field: 'accountId' },
    ],
    [
      'a wrong setting',
      { type: 'start', message: 'hi', temperature: 3 },
      { code: 'VALIDATION_ERROR', field: 'temperature' },
    ],
    [
      'a number as text',
      { type: 'start', message: 'hi', topK: '3' },
      { code: 'VALIDATION_ERROR', field: 'topK' },
    ],
    [
      'a bad key',
      { type: 'start', message: 'hi', clientMessageId: 'é' },
      { code: 'VALIDATION_ERROR', field: 'clientMessageId' },
    ],
    [
      'a bad conversation',
      { type: 'start', message: 'hi', conversationId: '1' },
      { code: 'VALIDATION_ERROR', field: 'conversationId' },
    ],
    [
      'an unknown model',
      { type: 'start', message: 'hi', model: 'no/such' },
      { code: 'UNKNOWN_MODEL', field: 'model' },
    ],
    ['no generation', { type: 'follow', after: 1 }, { code: 'VALIDATION_ERROR', field: 'generationId' }],
    [
      'a negative position',
      { type: 'follow', generationId: id, after: -1 },
      { code: 'VALIDATION_ERROR', field: 'after' },
    ],
    [
      'half a position',
      { type: 'follow', generationId: id, after: 0.5 },
      { code: 'VALIDATION_ERROR', field: 'after' },
    ],
    [
      'a position beyond numbers',
      `{"type":"follow","generationId":"${id}","after":1e999}`,
      { code: 'VALIDATION_ERROR', field: 'after' },
    ],
    [
      'a generation that is an object',
      { type: 'cancel', generationId: { id } },
      { code: 'VALIDATION_ERROR', field: 'generationId' },
    ],
    ['an id that is a number', { type: 'ping', id: 7 }, { code: 'VALIDATION_ERROR', field: 'id' }],
  ]

  test('are answered with what is wrong, start nothing, and the socket stays', async () => {
    const before = await countGenerations()
    const socket = await raw()
    for (const [name, frame, expected] of refused) {
      const from = socket.frames.length
      socket.send(frame)
      await expect.poll(() => socket.frames.length).toBeGreaterThan(from)
      const answer = socket.frames.at(-1)
      expect([name, answer.type, answer.code, answer.details[0]?.field]).toEqual([
        name,
        'error',
        expected.code,
        expected.field,
      ])
      if (expected.message) expect(answer.details[0].message).toBe(expected.message)
    }
    socket.webSocket.send(Buffer.from('{"type":"ping"}'), { binary: true })
    await socket.frame(frame => frame.code === 'BINARY_FRAME')
    expect(await socket.ask({ type: 'ping' })).toMatchObject({ type: 'pong' })
    expect(await countGenerations()).toBe(before)
    socket.webSocket.terminate()
  })

  test('on Socket.IO are answered the same way', async () => {
    const before = await countGenerations()
    const io = await openIo(site.url, { auth: { token } })
    for (const [, frame, expected] of refused) {
      if (typeof frame === 'string' || !('type' in frame) || typeof frame.type !== 'string') continue
      const { type, ...payload } = frame as { type: string }
      if (!['start', 'follow', 'cancel'].includes(type)) continue
      const answer = await io.ask(type, payload)
      expect([answer.success, answer.code, answer.details[0]?.field]).toEqual([
        false,
        expected.code,
        expected.field,
      ])
    }
    for (const payload of [null, 7, 'text', [], Buffer.from('x'), { message: Buffer.from('hi') }])
      expect(await io.ask('start', payload)).toMatchObject({ success: false, code: 'VALIDATION_ERROR' })
    expect(await countGenerations()).toBe(before)
    io.close()
  })

  test('R05: a message of 1 MB closes its socket cleanly', async () => {
    const socket = await raw()
    socket.send({ type: 'start', message: 'x'.repeat(1024 * 1024) })
    expect(await socket.closed).toBe(1009)
    const io = await openIo(site.url, { auth: { token } })
    const gone = new Promise(resolve => io.socket.once('disconnect', resolve))
    io.socket.emit('start', { message: 'x'.repeat(1024 * 1024) })
    expect(await gone).toMatch(/transport/)
    expect((await site.call('GET', '/health')).status).toBe(200)
  })

  test('of any kind get one answer each and never a bug', async () => {
    const socket = await raw()
    const anyFrame = fc.oneof(
      fc.json(),
      fc.string(),
      fc
        .record(
          {
            type: fc.oneof(
              fc.constantFrom('follow', 'cancel', 'continue', 'regenerate', 'unfollow', 'ping', 'start'),
              fc.string(),
            ),
            id: fc.oneof(fc.string(), fc.anything()),
            generationId: fc.oneof(fc.string(), fc.uuid(), fc.anything()),
            after: fc.oneof(fc.integer(), fc.double(), fc.anything()),
            message: fc.anything({ withNullPrototype: true }).filter(value => typeof value !== 'string'),
          },
          { requiredKeys: ['type'] },
        )
        .map(
          frame =>
            JSON.stringify(frame, (_key, value) => (typeof value === 'bigint' ? String(value) : value)) ?? '',
        ),
    )
    await fc.assert(
      fc.asyncProperty(anyFrame, async frame => {
        const from = socket.frames.length
        socket.send(frame)
        await expect.poll(() => socket.frames.length, { interval: 1 }).toBeGreaterThan(from)
        const answer = socket.frames[from]
        expect(['error', 'pong', 'unfollowed']).toContain(answer.type)
        expect(answer.code).not.toBe('INTERNAL')
        // Not faster than a socket may send.
        await new Promise(resolve => setTimeout(resolve, 8))
      }),
      { numRuns: 300 },
    )
    expect(socket.webSocket.readyState).toBe(WebSocket.OPEN)
    socket.webSocket.terminate()
  }, 60_000)
})

describe('R06: packets that are no Socket.IO', () => {
  const connect = '40' // the engine's message packet, with Socket.IO's connect
  const bad = [
    '9',
    '4',
    '45',
    '451-["start",{"_placeholder":true,"num":0}]',
    '459999999-["x"]',
    '42',
    '42{}',
    '42[]',
    '42[1',
    '42["disconnect"]',
    '42["connect"]',
    '4/',
    '47["x"]',
    '430',
    '43[]',
    '51-["x"]',
    '461-9[]',
    '42/other,["x"]',
    '40/other',
    '2probe',
    '5',
    `42["start",${'['.repeat(20_000)}]`,
    '42["hasOwnProperty"]',
    '42["__proto__"]',
  ]

  test.each(bad.map((packet, at) => ({ packet, name: `${at}: ${packet.slice(0, 40)}` })))(
    '$name closes that socket at most',
    async ({ packet }) => {
      const good = await openIo(site.url, { auth: { token } })
      const socket = new WebSocket(`${site.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
      socket.on('error', () => {})
      const told: string[] = []
      socket.on('message', data => told.push(data.toString()))
      await new Promise(resolve => socket.once('open', resolve))
      socket.send(`${connect}${JSON.stringify({ token })}`)
      await expect.poll(() => told.some(text => text.startsWith('40{'))).toBe(true)
      socket.send(packet)
      socket.send(Buffer.from([1, 2, 3]))
      expect(await good.ask('cancel', { generationId: 'x' })).toMatchObject({ code: 'NOT_FOUND' })
      socket.terminate()
      good.close()
    },
  )

  test('a client that never connects to a namespace, or floods, is closed', async () => {
    const socket = new WebSocket(`${site.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
    const closed = new Promise(resolve => socket.once('close', resolve))
    socket.on('error', () => {})
    await new Promise(resolve => socket.once('open', resolve))
    for (let i = 0; i < 5000; i++) socket.send('3')
    await closed
    expect((await site.call('GET', '/health')).status).toBe(200)
  })
})

describe('R08: readers that stop reading', () => {
  const words = 200
  const wordLength = 50_000

  test('cost little and stop nobody: the answer completes, others get it live, and they can come back', async () => {
    await using provider = await startProvider()
    await using own = await startApp({
      OPENAI_API_KEY: 'a key for the scripted provider',
      OPENAI_BASE_URL: provider.baseUrls.openai,
      ALLOW_ANY_MODEL: 'true',
    })
    const person = await own.signUp()
    const text = Array.from({ length: words }, (_, index) => String(index % 10).repeat(wordLength)).join(' ')
    await provider.script({ text, intervalMs: 1 })
    const asking = await raw(own, person.token)
    const { generation } = await asking.ask({ type: 'start', message: 'much', model: 'openai/any' })
    const stalled: TestSocket[] = []
    for (let i = 0; i < 5; i++) {
      const socket = await raw(own, person.token)
      socket.webSocket.pause()
      socket.send({ type: 'follow', generationId: generation.id })
      stalled.push(socket)
    }
    const io = await openIo(own.url, { auth: { token: person.token } })
    await io.ask('follow', { generationId: generation.id })
    const whole = await asking.whole(generation.id)
    expect(whole.at(-1)).toMatchObject({ type: 'generation-end', status: 'completed' })
    const answer = textOf(whole)
    expect(answer.length).toBeGreaterThan(words * wordLength)
    expect(textOf(await io.whole(generation.id))).toBe(answer)
    const back = stalled[0]
    if (!back) throw new Error('no socket')
    back.webSocket.terminate()
    const again = await raw(own, person.token)
    const after = Math.floor(answer.length / 3)
    again.send({ type: 'follow', generationId: generation.id, after })
    expect(answer.endsWith(textOf(await again.whole(generation.id)))).toBe(true)
    const events: Json[] = await readEvents(`${own.url}/api/v1/generations/${generation.id}/events`, {
      headers: { authorization: `Bearer ${person.token}`, accept: 'text/event-stream' },
    })
    expect(textOf(events)).toBe(answer)
    const late = stalled[1]
    late?.webSocket.resume()
    expect(textOf((await late?.whole(generation.id)) ?? [])).toBe(answer)
    for (const socket of [...stalled, again, asking]) socket.webSocket.terminate()
    io.close()
  }, 60_000)
})

test('a refused upgrade is told as every error is', async () => {
  const { request } = await import('node:http')
  const answer = await new Promise<{ status: number; body: Json }>(resolve => {
    const asked = request(`${site.url}/api/v1/socket`, {
      headers: {
        connection: 'upgrade',
        upgrade: 'websocket',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-version': '13',
      },
    })
    asked.on('response', async response => {
      let text = ''
      for await (const chunk of response) text += chunk
      resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) })
    })
    asked.end()
  })
  expect(answer).toMatchObject({
    status: 401,
    body: { success: false, code: 'AUTH_REQUIRED', data: null, details: [] },
  })
  expect((await fetch(`${site.url}/api/v1/socket`, { headers: bearer() })).status).toBe(404)
})

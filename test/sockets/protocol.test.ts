import { deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ScriptedProvider, startProvider } from '../provider/index.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { frameOf, openRaw, type RawFrame } from '../support/raw-socket.ts'
import { type Json, openIo, openSocket, textOf } from '../support/sockets.ts'

let provider: ScriptedProvider
let site: TestApp
let token: string

beforeAll(async () => {
  provider = await startProvider()
  site = await startApp({
    OPENAI_API_KEY: 'a key for the scripted provider',
    OPENAI_BASE_URL: provider.baseUrls.openai,
    ALLOW_ANY_MODEL: 'true',
  })
  await site.app.work()
  token = (await site.signUp()).token
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await provider.close()
})

const bearer = (value = token) => ({ authorization: `Bearer ${value}` })
const start = '{"type":"ping"}'

/** What breaks the protocol of WebSockets, and the close codes that say so. */
const broken: [string, readonly RawFrame[], number][] = [
  ['RSV1', [{ reserved: 4, payload: start }], 1002],
  ['RSV2', [{ reserved: 2, payload: start }], 1002],
  ['RSV3', [{ reserved: 1, payload: start }], 1002],
  ['no mask', [{ isMasked: false, payload: start }], 1002],
  ['a reserved opcode', [{ opcode: 3, payload: start }], 1002],
  ['a reserved control opcode', [{ opcode: 11, payload: start }], 1002],
  ['text that is no UTF-8', [{ payload: Buffer.from([0x22, 0xc3, 0x28, 0x22]) }], 1007],
  ['half a character at the end', [{ payload: Buffer.from([0xe2, 0x82]) }], 1007],
  ['surrogates in UTF-8', [{ payload: Buffer.from([0xed, 0xa0, 0x80]) }], 1007],
  ['a frame of 100 MB', [{ toldLength: 100_000_000n, payload: 'x' }], 1009],
  ['a frame of 2^63 bytes', [{ toldLength: 2n ** 63n, payload: 'x' }], 1009],
  ['a long ping', [{ opcode: 9, payload: 'x'.repeat(126) }], 1002],
  ['a ping in pieces', [{ opcode: 9, isFinal: false }], 1002],
  ['the end of nothing', [{ opcode: 0, payload: start }], 1002],
  ['a beginning within a message', [{ isFinal: false, payload: 'x' }, { payload: start }], 1002],
  [
    'a message of 300 KB in pieces',
    [
      { isFinal: false },
      ...Array.from({ length: 300 }, () => ({ opcode: 0, isFinal: false, payload: 'x'.repeat(1024) })),
    ],
    1009,
  ],
  ['a close with half a code', [{ opcode: 8, payload: 'x' }], 1002],
  ['a close with a code that nobody may send', [{ opcode: 8, payload: Buffer.from([0x03, 0xed]) }], 1002],
  [
    'a bomb: 100 MB in a compressed frame',
    [{ reserved: 4, payload: deflateRawSync(Buffer.alloc(100_000_000)) }],
    1002,
  ],
]

describe('R06: bytes that are no WebSocket', () => {
  const paths = { 'the raw socket': '/api/v1/socket', 'Socket.IO': '/socket.io/?EIO=4&transport=websocket' }

  test.each(Object.entries(paths))(
    'on %s close that socket alone; other clients see no gap',
    async (_, path) => {
      const text = Array.from({ length: 300 }, (_, index) => `w${index}`).join(' ')
      await provider.script({ text, intervalMs: 10 })
      const good = await openSocket(`${site.url}/api/v1/socket`, { headers: bearer() })
      const { generation } = await good.ask({ type: 'start', message: 'go on', model: 'openai/any' })
      const isRaw = path === paths['the raw socket']
      for (const [name, frames, code] of broken) {
        const bad = await openRaw(site.url + path, {
          ...bearer(),
          'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
        })
        expect(bad.head.toLowerCase()).not.toContain('permessage-deflate')
        bad.socket.write(Buffer.concat(frames.map(frameOf)))
        const closed = await bad.closed
        // Socket.IO's engine says no code of its own in some cases; that it is closed is what counts.
        if (isRaw) expect([name, closed]).toEqual([name, code])
        expect([name, await good.ask({ type: 'ping' })]).toMatchObject([name, { type: 'pong' }])
      }
      expect(textOf(await good.whole(generation.id)).trim()).toBe(text)
      good.webSocket.terminate()
    },
  )

  test('10,000 pings are not answered without end', async () => {
    const flood = Buffer.concat(
      Array.from({ length: 10_000 }, () => frameOf({ opcode: 9, payload: 'x'.repeat(100) })),
    )
    const good = await openSocket(`${site.url}/api/v1/socket`, { headers: bearer() })
    const bad = await openRaw(`${site.url}/api/v1/socket`, bearer())
    bad.socket.write(flood)
    expect(await bad.closed).toBe(1008)
    const other = await openRaw(`${site.url}/socket.io/?EIO=4&transport=websocket`, bearer())
    other.socket.write(flood)
    await other.closed
    expect(await good.ask({ type: 'ping' })).toMatchObject({ type: 'pong' })
    good.webSocket.terminate()
  })

  test('an upgrade that is wrong is refused as HTTP', async () => {
    const wrong: Record<string, string>[] = [
      { 'Sec-WebSocket-Version': '7' },
      { 'Sec-WebSocket-Key': 'short' },
      { 'Sec-WebSocket-Protocol': 'a,,b' },
    ]
    for (const headers of wrong)
      await expect(openRaw(`${site.url}/api/v1/socket`, { ...bearer(), ...headers })).rejects.toThrow(
        /^HTTP\/1\.1 4/,
      )
  })
})

describe("R03: another account's things", () => {
  test('are not to be had by joining, following, naming or claiming', async () => {
    const [ada, bob] = [await site.signUp(), await site.signUp()]
    const call = (path: string, body: object) =>
      site.call('POST', `/api/v1${path}`, { token: ada.token, body })
    const own = await openIo(site.url, { auth: { token: ada.token } })
    const io = await openIo(site.url, {
      auth: {
        token: bob.token,
        userId: ada.accountId,
        accountId: ada.accountId,
        room: `account:${ada.accountId}`,
        since: 0,
      },
      query: { userId: ada.accountId, account: ada.accountId, room: `account:${ada.accountId}` },
    })
    const raw = await openSocket(`${site.url}/api/v1/socket?accountId=${ada.accountId}`, {
      headers: bearer(bob.token),
    })
    await provider.script({ tokens: 150, intervalMs: 10 })
    const { generation } = (
      await call('/generations', { message: 'mine', model: 'openai/any', background: true })
    ).body.data
    const { job } = (
      await call('/content/jobs', { prompt: 'mine too', contentType: 'email', model: 'sandbox/sandbox' })
    ).body.data
    const ids = [generation.id, generation.conversationId, job.id, job.generationId, ada.accountId]
    const shapes = (id: string): Json[] => [
      id,
      [id],
      [[id]],
      { id },
      { room: id },
      { generationId: id },
      { generationId: [id] },
      { generationId: { toString: id } },
      { userId: id, generationId: id },
      `account:${id}`,
      [`account:${id}`, id],
      { room: [`account:${id}`] },
    ]
    const names = [
      'join',
      'subscribe',
      'room',
      'joinRoom',
      'follow',
      'resume',
      'unfollow',
      'cancel',
      'continue',
      'regenerate',
    ]
    for (const id of ids) {
      for (const payload of shapes(id)) {
        const answers = await Promise.all(names.map(name => io.ask(name, payload)))
        for (const [index, answer] of answers.entries()) {
          if (names[index] === 'unfollow' && answer.success) continue
          expect([names[index], payload, answer.success]).toEqual([names[index], payload, false])
        }
        for (const type of ['follow', 'cancel', 'continue']) {
          const frame =
            typeof payload === 'object' && !Array.isArray(payload) ? payload : { generationId: payload }
          expect((await raw.ask({ type, ...frame })).type).toBe('error')
        }
        await new Promise(resolve => setTimeout(resolve, 60))
      }
    }
    // Namespaces are rooms by another name.
    for (const namespace of [`/account:${ada.accountId}`, `/${ada.accountId}`])
      await expect(openIo(site.url + namespace, { auth: { token: bob.token } })).rejects.toThrow(
        'Invalid namespace',
      )
    const read = await site.call('GET', `/api/v1/generations/${generation.id}`, { token: ada.token })
    expect(['running', 'completed']).toContain(read.body.data.generation.status)
    await own.hear('job_completed', notice => notice.jobId === job.id)
    await own.hear('generation', about => about.generationId === generation.id && about.phase === 'ended')
    expect(io.told).toEqual([])
    own.close()
    expect(raw.frames.filter(frame => frame.type === 'events')).toEqual([])
    io.close()
    raw.webSocket.terminate()
  }, 60_000)
})

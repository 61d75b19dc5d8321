import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'

let server: TestApp
let token: string

beforeAll(async () => {
  server = await startApp()
  token = (await server.signUp()).token
})
afterAll(() => server[Symbol.asyncDispose]())

/** A request that is written by hand: what it sends after its head, and how much of that was sent before the answer. */
interface Written {
  head: string[]
  /** What to send next; null when there is no more. */
  next?: (sent: number) => Buffer | null
}

/** Sends a request until it is answered; gives the status line, the body, and how many bytes were taken. */
async function write({ head, next = () => null }: Written) {
  const socket: Socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  let heard = ''
  let sent = 0
  socket.on('error', () => {})
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  const answered = new Promise<void>(resolve =>
    socket.on('data', chunk => {
      heard += chunk.toString()
      if (heard.includes('\r\n\r\n')) resolve()
    }),
  )
  socket.write(`${[...head, 'Host: x', `Authorization: Bearer ${token}`].join('\r\n')}\r\n\r\n`)
  const pour = async () => {
    for (let bytes = next(0); bytes && !socket.destroyed && heard === ''; bytes = next(sent)) {
      sent += bytes.length
      if (!socket.write(bytes))
        await Promise.race([new Promise(resolve => socket.once('drain', resolve)), answered, closed])
    }
  }
  await Promise.all([Promise.race([answered, closed]), pour()])
  // The rest of the answer comes with the end of the connection, or is there.
  await Promise.race([closed, new Promise(resolve => setTimeout(resolve, 100))])
  socket.destroy()
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(heard)?.[1] ?? 0), heard, sent }
}

const post = (...headers: string[]) => ['POST /api/v1/generations HTTP/1.1', ...headers]
const json = 'Content-Type: application/json'
const chunked = 'Transfer-Encoding: chunked'
const limit = 1024 * 1024

/** One piece of a chunked body, 64 KB long. */
const piece = Buffer.from(`10000\r\n${'x'.repeat(65_536)}\r\n`)

/** Parts of a multipart body without an end. */
const part = Buffer.from('--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'.repeat(1000))

const requests: [string, Written, number, string][] = [
  [
    'one byte over the limit, told before',
    { head: post(json, `Content-Length: ${limit + 1}`) },
    413,
    'BODY_TOO_LARGE',
  ],
  ['terabytes, told before', { head: post(json, 'Content-Length: 1000000000000') }, 413, 'BODY_TOO_LARGE'],
  ['a body without end', { head: post(json, chunked), next: () => piece }, 413, 'BODY_TOO_LARGE'],
  [
    'parts without end',
    {
      head: post('Content-Type: multipart/form-data; boundary=b', chunked),
      next: () => Buffer.from(`${part.length.toString(16)}\r\n${part}\r\n`),
    },
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  ['two lengths', { head: post(json, 'Content-Length: 2', 'Content-Length: 3') }, 400, 'BAD_REQUEST'],
  ['a length and chunks', { head: post(json, 'Content-Length: 2', chunked) }, 400, 'BAD_REQUEST'],
  ['a length that is none', { head: post(json, 'Content-Length: -1') }, 400, 'BAD_REQUEST'],
  [
    'a header of 17 KB',
    { head: post(json, `X-Long: ${'a'.repeat(17 * 1024)}`, 'Content-Length: 2') },
    431,
    'HEADERS_TOO_LARGE',
  ],
  [
    'ten thousand headers',
    { head: post(...Array.from({ length: 10_000 }, (_, index) => `X-${index}: y`)) },
    431,
    'HEADERS_TOO_LARGE',
  ],
  [
    'a URL of 9 KB',
    { head: [`GET /api/v1/conversations?search=${'a'.repeat(9 * 1024)} HTTP/1.1`] },
    400,
    'URL_TOO_LONG',
  ],
  ['a URL of 20 KB', { head: [`GET /${'a'.repeat(20 * 1024)} HTTP/1.1`] }, 431, 'HEADERS_TOO_LARGE'],
  ['no HTTP at all', { head: ['\x16\x03\x01\x02'] }, 400, 'BAD_REQUEST'],
]

describe('L03: requests that are too large', () => {
  test.each(requests)('%s: refused early', async (_, request, status, code) => {
    const answer = await write(request)
    expect([answer.status, /"code":"(\w+)"/.exec(answer.heard)?.[1]]).toEqual([status, code])
    // What is sent before the answer is what the sockets hold, not what the server keeps.
    expect(answer.sent).toBeLessThan(16 * limit)
  })

  test('a body that is packed is not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(200_000_000, 32), { level: 9 })
    for (const encoding of ['gzip', 'deflate', 'br', 'gzip, gzip']) {
      const response = await fetch(`${server.url}/api/v1/generations`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'content-encoding': encoding,
        },
        body: bomb,
      })
      expect([encoding, response.status]).toEqual([encoding, 415])
      expect(await response.json()).toMatchObject({ code: 'UNSUPPORTED_ENCODING' })
    }
  })

  test('fifty of them at once take little memory', async () => {
    globalThis.gc?.()
    const before = process.memoryUsage.rss()
    const endless = { head: post(json, chunked), next: () => piece }
    const answers = await Promise.all(Array.from({ length: 50 }, () => write(endless)))
    expect(new Set(answers.map(answer => answer.status))).toEqual(new Set([413]))
    // Each may hold 1 MB until it is refused, and this process is the client as well.
    expect(process.memoryUsage.rss() - before).toBeLessThan(250 * limit)
    expect((await server.call('GET', '/health')).status).toBe(200)
  })

  test('DELETE and GET with a body are answered as without', async () => {
    const id = '01900000-0000-7000-8000-000000000000'
    for (const body of [undefined, '', '{}', '[1]', '{"a":'])
      for (const headers of [{}, { 'content-type': 'application/json' }, { 'content-type': 'text/plain' }]) {
        const options = {
          token,
          headers: headers as Record<string, string>,
          ...(body === undefined ? {} : { body }),
        }
        const { status } = await server.call('DELETE', `/api/v1/conversations/${id}`, options)
        expect([400, 404, 415]).toContain(status)
      }
  })
})

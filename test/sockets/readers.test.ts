import { readFile } from 'node:fs/promises'
import { createConnection, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ScriptedProvider, startProvider } from '../provider/index.ts'
import { testPassword } from '../support/app.ts'
import { makeTestFolder, removeTestFolder } from '../support/folder.ts'
import { type ServerProcess, startProcess } from '../support/process.ts'
import { type Json, openSocket, readEvents, textOf } from '../support/sockets.ts'

const readerCount = 200
const socketCount = 40
/** Half of the 4 MB that may wait for each; most of it is what was written to the others and not collected yet. */
const maxGrowthMb = readerCount * 2

let provider: ScriptedProvider
let server: ServerProcess
let folder: string
let token: string

beforeAll(async () => {
  provider = await startProvider()
  folder = await makeTestFolder('readers')
  const env = {
    OPENAI_API_KEY: 'a key for the scripted provider',
    OPENAI_BASE_URL: provider.baseUrls.openai,
    ALLOW_ANY_MODEL: 'true',
    RATE_LIMIT_MAX_REQUESTS: '1000000',
    SIGNUP_CREDITS: '1000000',
    NODE_OPTIONS: '--max-semi-space-size=16',
  }
  server = await startProcess({ dataDir: folder, env })
  token = (await call('/accounts', { email: 'readers@example.com', password: testPassword })).accessToken
}, 90_000)
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await provider?.close()
  await removeTestFolder(folder)
})

async function call(path: string, body?: object): Promise<Json> {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  return ((await response.json()) as Json).data
}

async function residentMb(): Promise<number> {
  const status = await readFile(`/proc/${server.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}

/** An answer of 10 MB that is being written, after some time in which readers can come. */
async function startAnswer(delayMs = 0): Promise<Json> {
  const text = Array.from({ length: 200 }, (_, index) => String(index % 10).repeat(50_000)).join(' ')
  await provider.script({ text, intervalMs: 5, delayMs })
  return (await call('/generations', { message: 'much', model: 'openai/any', background: true })).generation
}

/** Asks for the events, and reads none of them. */
function stall(id: string): Socket {
  const socket = createConnection(Number(new URL(server.url).port), '127.0.0.1')
  socket.on('error', () => {})
  socket.pause()
  const head = ['Host: x', `Authorization: Bearer ${token}`, 'Accept: text/event-stream']
  socket.write(`GET /api/v1/generations/${id}/events HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`)
  return socket
}

const follow = async (id: string) =>
  textOf(
    await readEvents(`${server.url}/api/v1/generations/${id}/events`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    }),
  )

test('R08: two hundred readers that stop cost little; the answer completes, and can be read from any position', {
  timeout: 120_000,
}, async () => {
  // What an answer of this size costs with one good reader is not what is asked here.
  await follow((await startAnswer()).id)
  const before = await residentMb()
  const { id } = await startAnswer(6000)
  const stalled = Array.from({ length: readerCount - socketCount }, () => stall(id))
  const sockets = await Promise.all(
    Array.from({ length: socketCount }, async () => {
      const socket = await openSocket(`${server.url}/api/v1/socket`, {
        headers: { authorization: `Bearer ${token}` },
      })
      socket.webSocket.pause()
      socket.send({ type: 'follow', generationId: id })
      return socket
    }),
  )
  const text = await follow(id)
  expect(text.length).toBeGreaterThan(10_000_000)
  expect((await residentMb()) - before).toBeLessThan(maxGrowthMb)
  await expect.poll(async () => (await call(`/generations/${id}`)).generation.status).toBe('completed')
  const late = sockets[0]
  late?.webSocket.resume()
  expect(textOf((await late?.whole(id)) ?? []) === text).toBe(true)
  const again = await openSocket(`${server.url}/api/v1/socket`, {
    headers: { authorization: `Bearer ${token}` },
  })
  again.send({ type: 'follow', generationId: id, after: 7_000_000 })
  expect(text.endsWith(textOf(await again.whole(id)))).toBe(true)
  for (const socket of [...sockets, again]) socket.webSocket.terminate()
  for (const socket of stalled) socket.destroy()
  expect((await fetch(`${server.url}/health`)).status).toBe(200)
})

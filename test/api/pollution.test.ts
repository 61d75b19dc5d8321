import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type ScriptedProvider, startProvider } from '../provider/index.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { openIo, openSocket } from '../support/sockets.ts'

let provider: ScriptedProvider
let server: TestApp
let token: string
/** What a clean request is answered, before anything was tried. */
let clean: string

const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'] as const
const knownNames = Object.getOwnPropertyNames(Object.prototype).sort()

beforeAll(async () => {
  provider = await startProvider()
  server = await startApp({
    OPENAI_API_KEY: 'a key for the scripted provider',
    OPENAI_BASE_URL: provider.baseUrls.openai,
    ALLOW_ANY_MODEL: 'true',
  })
  token = (await server.signUp()).token
  clean = await askCleanly()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await provider.close()
})
beforeEach(async () => {
  await provider.clear()
  return async () => {
    // The server runs in this process: whatever it did to objects is seen here.
    expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(knownNames)
    const fresh = {} as Record<string, unknown>
    for (const name of ['polluted', 'admin', 'role', 'isAdmin']) expect(fresh[name]).toBeUndefined()
    expect(await askCleanly()).toBe(clean)
  }
})

/** Answers that say the same whenever they are asked. */
async function askCleanly(): Promise<string> {
  const texts = await Promise.all(
    ['/api/v1/models', '/api/v1/content/types', '/api/v1/library?limit=1'].map(path =>
      server.call('GET', path, { token }),
    ),
  )
  return texts.map(answer => `${answer.status} ${answer.text}`).join('\n')
}

const poison = '{"polluted":1,"admin":true,"role":"admin","isAdmin":true}'

test('L05: in JSON bodies, at any depth, on every kind of path', async () => {
  const bodies = [
    `{"__proto__":${poison}}`,
    `{"a":{"__proto__":${poison}}}`,
    `[{"__proto__":${poison}}]`,
    `{"constructor":{"prototype":${poison}}}`,
    `{"\\u005f\\u005fproto\\u005f\\u005f":${poison}}`,
    `{"message":"x","title":"x","type":"x","body":"x","prompt":"x","contentType":"email","constructor":{"prototype":${poison}}}`,
    `{"message":"x","toString":1,"hasOwnProperty":1,"prototype":${poison}}`,
  ]
  const paths = [
    ['POST', '/api/v1/generations'],
    ['POST', '/api/v1/content/jobs'],
    ['POST', '/api/v1/library'],
    ['POST', '/api/v1/conversations'],
    ['PATCH', '/api/v1/me'],
    ['POST', '/content'],
    ['PUT', '/api/user/me'],
    ['POST', '/api/chat/send'],
  ] as const
  for (const [method, path] of paths)
    for (const body of bodies) {
      const answer = await server.call(method, path, { token, body })
      expect([path, body, answer.status < 500 && answer.status !== 404]).toEqual([path, body, true])
      if (body.includes('proto__') || body.startsWith('{"constructor')) expect(answer.status).toBe(400)
    }
})

test('L05: in queries and forms', async () => {
  const queries = [
    '__proto__[polluted]=1',
    '__proto__.polluted=1',
    'constructor[prototype][polluted]=1',
    'constructor.prototype.polluted=1',
    '__proto__=1&__proto__=2',
    ...names.map(name => `${name}=x`),
  ]
  for (const path of ['/api/v1/library', '/api/v1/conversations', '/content', '/api/conversations'])
    for (const query of queries) {
      const { status } = await server.call('GET', `${path}?${query}`, { token })
      expect([path, query, status < 500]).toEqual([path, query, true])
    }
  for (const query of queries) {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const form = await server.call('POST', '/api/v1/conversations', { token, body: query, headers })
    expect(form.status).toBe(415)
  }
})

test('L05: in what sockets are sent', async () => {
  const raw = await openSocket(`${server.url}/api/v1/socket`, {
    headers: { authorization: `Bearer ${token}` },
  })
  const frames = [
    `{"type":"start","message":"x","__proto__":${poison}}`,
    `{"type":"__proto__","__proto__":${poison}}`,
    `{"__proto__":{"type":"ping"}}`,
    `{"type":"follow","generationId":{"__proto__":${poison}}}`,
    `{"type":"cancel","generationId":"x","constructor":{"prototype":${poison}}}`,
  ]
  for (const frame of frames) {
    const from = raw.frames.length
    raw.send(frame)
    expect((await raw.frame(each => raw.frames.indexOf(each) >= from)).type).toBe('error')
  }
  raw.webSocket.terminate()
  const io = await openIo(server.url, {
    auth: {
      ...JSON.parse(`{"__proto__":${poison},"constructor":{"prototype":${poison}}}`),
      token,
      since: { valueOf: 1 },
    },
  })
  for (const name of [...names, 'start', 'follow', 'cancel'])
    for (const payload of [
      `{"__proto__":${poison}}`,
      `{"message":"x","constructor":{"prototype":${poison}}}`,
      `["__proto__"]`,
    ])
      expect(await io.ask(name, JSON.parse(payload))).toMatchObject({ success: false })
  io.close()
})

test('L05: in what a model says of files', async () => {
  const files = [
    '__proto__',
    '__proto__/polluted.js',
    'constructor/prototype.json',
    'package.json',
    'src/index.js',
  ].map(
    name =>
      `File: ${name}\n\n\`\`\`js ${name}\n${name === 'package.json' ? `{"__proto__":${poison},"browser":{"__proto__":"x"}}` : `export const polluted = '${name}'`}\n\`\`\``,
  )
  await provider.script({ text: files.join('\n\n') })
  const body = { message: 'a project', model: 'openai/any', stream: false }
  const { generation } = (await server.call('POST', '/api/v1/generations', { token, body })).body.data
  const path = `/api/v1/conversations/${generation.conversationId}`
  const { messages } = (await server.call('GET', path, { token })).body.data
  const artifacts = messages.flatMap((message: { artifacts: { id: string }[] }) => message.artifacts)
  expect(artifacts.length).toBeGreaterThan(0)
  for (const { id } of artifacts)
    for (const [method, tail] of [
      ['GET', ''],
      ['GET', '/files'],
      ['POST', '/build'],
      ['GET', '/download'],
    ] as const) {
      const { status } = await server.call(method, `/api/v1/artifacts/${id}${tail}`, { token })
      expect([tail, status < 500]).toEqual([tail, true])
    }
}, 60_000)

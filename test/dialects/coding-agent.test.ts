import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'

let server: TestApp
let token: string

beforeAll(async () => {
  server = await startApp()
  ;({ token } = await server.signUp())
})
afterAll(() => server[Symbol.asyncDispose]())

const call = (method: string, path: string, body?: unknown, as = token) =>
  server.call(method, `/api${path}`, { token: as, ...(body === undefined ? {} : { body }) })

const ask = (message: string, more: object = {}) =>
  call('POST', '/chat/send', { message, stream: false, ...more })

/** The frames of a stream, as text and as JSON. */
async function stream(body: object, as = { url: server.url, token }) {
  const response = await fetch(`${as.url}/api/chat/send`, {
    method: 'POST',
    headers: { authorization: `Bearer ${as.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  const blocks = text.split('\n\n').filter(block => block.includes('data: '))
  const frames = blocks
    .filter(block => !block.includes('[DONE]'))
    .map(block => JSON.parse(block.slice(block.indexOf('data: ') + 6)))
  return { response, blocks, frames }
}

test('the journey of the README: ask, read, build, look, download, export, delete', async () => {
  const asked = await ask('Create a React button component')
  expect(asked.status).toBe(200)
  expect(asked.body.message).toEqual(expect.any(String))
  const { data } = asked.body
  expect(data.response).toContain('```')
  expect(data.security).toMatchObject({ isSecure: true, issues: expect.any(Number) })
  expect(data.builds).toBe(1)
  expect(data.stats).toMatchObject({ buildsCompleted: 1, securityScanEnabled: true })
  const [row] = data.artifacts
  expect(Object.keys(row).sort()).toEqual(
    'bundledHtmlKey bundledHtmlUrl createdAt fileSize id language messageId s3Key s3Url title type updatedAt'.split(
      ' ',
    ),
  )
  expect(row).toMatchObject({ type: 'REACT', messageId: data.messageId })

  const more = await ask('Make it blue', { conversationId: data.conversationId })
  expect(more.body.data.conversationId).toBe(data.conversationId)

  const list = await call('GET', '/conversations?page=1&limit=10')
  expect(list.body.pagination).toEqual({
    ...{ page: 1, limit: 10, totalCount: 1, totalPages: 1 },
    ...{ hasNext: false, hasPrev: false },
  })
  expect(list.body.conversations[0]).toMatchObject({
    id: data.conversationId,
    title: 'Create a React button component',
    messageCount: 4,
    lastMessage: { role: 'ASSISTANT' },
  })
  const read = await call('GET', `/conversations/${data.conversationId}`)
  const { messages } = read.body.conversation
  expect(messages.map((each: { role: string }) => each.role)).toEqual([
    ...['USER', 'ASSISTANT', 'USER', 'ASSISTANT'],
  ])
  expect(messages[0].artifacts).toEqual([])
  expect(messages[1].artifacts[0].id).toBe(row.id)

  const renamed = await call('PUT', `/conversations/${data.conversationId}`, { title: 'Buttons' })
  expect(renamed.body.conversation).toMatchObject({ title: 'Buttons', _count: { messages: 4 } })

  const one = await call('GET', `/artifacts/${row.id}`)
  expect(one.body.artifact.message).toEqual({ id: data.messageId, conversationId: data.conversationId })
  const code = await call('GET', `/artifacts/${row.id}/code`)
  expect(data.response).toContain(code.body.code.trim())
  expect(code.body.artifact).toMatchObject({ id: row.id, fileSize: row.fileSize })
  const project = await call('GET', `/artifacts/${row.id}/project`)
  expect(project.body.project.files).toHaveLength(1)
  expect(project.body.files[0].content).toBe(code.body.code)

  for (const path of ['build', 'bundle', 'build-project']) {
    const built = await call('POST', `/artifacts/${row.id}/${path}`, {})
    expect(built.body).toMatchObject({ success: true, buildResult: { success: true, errors: [] } })
    const page = await fetch(built.body.bundledHtmlUrl.replace('localhost', '127.0.0.1'))
    expect(page.status).toBe(200)
    expect(page.headers.get('content-security-policy')).toContain('sandbox allow-scripts')
  }
  for (const path of ['preview', 'project-preview']) {
    const page = await fetch(`${server.url}/api/artifacts/${row.id}/${path}?token=${token}`)
    expect(page.status).toBe(200)
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(page.headers.get('content-security-policy')).toMatch(/^sandbox allow-scripts;/)
    expect(page.headers.get('referrer-policy')).toBe('no-referrer')
    expect((await call('GET', `/artifacts/${row.id}/${path}`)).status).toBe(200)
    expect((await fetch(`${server.url}/api/artifacts/${row.id}/${path}`)).status).toBe(401)
  }
  const file = await fetch(row.s3Url.replace('localhost', '127.0.0.1'))
  expect(await file.text()).toBe(code.body.code)
  const saved = await call('GET', `/artifacts/${row.id}/download`)
  expect(saved.text).toBe(code.body.code)
  expect(saved.headers.get('content-type')).toBe('application/octet-stream')
  expect(saved.headers.get('content-disposition')).toMatch(/^attachment; filename="[\w-]+\.[a-z]+"$/)

  const exported = await call('GET', `/conversations/${data.conversationId}/export?format=json`)
  expect(exported.body.messages).toHaveLength(4)
  expect(exported.body.messages[1].artifacts[0].downloadUrl).toMatch(/^http/)
  expect(exported.headers.get('content-disposition')).toBe(
    `attachment; filename="conversation-${data.conversationId}.json"`,
  )
  const markdown = await call('GET', `/conversations/${data.conversationId}/export?format=markdown`)
  expect(markdown.headers.get('content-type')).toContain('text/markdown')
  expect(markdown.text).toContain('# Buttons')

  expect((await call('DELETE', `/artifacts/${row.id}`)).body.message).toEqual(expect.any(String))
  expect((await fetch(row.s3Url.replace('localhost', '127.0.0.1'))).status).toBe(404)
  const removed = await call('DELETE', `/conversations/${data.conversationId}`)
  expect(removed.body.deletedArtifacts).toBeGreaterThan(0)
  expect((await call('GET', `/conversations/${data.conversationId}`)).status).toBe(404)
})

test('a stream tells its frames in the published order, each small enough for one packet', async () => {
  const { response, blocks, frames } = await stream({ message: 'Create a React counter component' })
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  expect(response.headers.get('content-encoding')).toBeNull()
  expect(response.headers.get('x-stream-session-id')).toBeTruthy()
  const kinds = frames.map(({ type, data }) => (type === 'chunk' ? (data.type ?? 'text') : type))
  const order = ['metadata', 'connection', 'text', 'build', 'security', 'artifact', 'complete']
  expect(kinds.filter((kind, at) => kind !== kinds[at - 1])).toEqual(order)
  expect(blocks.at(-1)?.trim()).toBe('data: [DONE]')
  for (const block of blocks.slice(0, -1)) {
    expect(block.trim().split('\n')).toEqual([
      expect.stringMatching(/^id: \d+$/),
      expect.stringMatching(/^data: /),
    ])
    expect(Buffer.byteLength(block)).toBeLessThan(1400)
  }
  const { artifact } = frames.find(frame => frame.data.type === 'artifact').data
  const code = await call('GET', `/artifacts/${artifact.id}/code`)
  expect(artifact.size).toBe(Buffer.byteLength(code.body.code))
  const end = frames.at(-1).data
  expect(end).toMatchObject({ isComplete: true, artifacts: 1, credits: expect.any(Number) })
  const { conversation } = (await call('GET', `/conversations/${frames[0].data.conversationId}`)).body
  const text = frames.map(frame => frame.data.text ?? '').join('')
  expect(conversation.messages.at(-1)).toMatchObject({ id: frames[0].data.messageId, content: text })
})

test('the switches do what they say', async () => {
  const off = { enableSecurity: false, enableBuilding: false, enablePreview: false }
  const { data } = (await ask('Create a React button component', off)).body
  expect(data.security).toBeNull()
  expect(data.builds).toBe(0)
  expect(data.artifacts[0].bundledHtmlUrl).toBeNull()
  const { frames } = await stream({ message: 'Create a React button component', ...off })
  const kinds = frames.map(frame => frame.data.type)
  expect(kinds).not.toContain('build')
  expect(kinds).not.toContain('security')
  expect(kinds).toContain('artifact')
})

test('an answer is given once more, a question is not', async () => {
  const { data } = (await ask('Create a React button component')).body
  const again = await call('POST', `/chat/regenerate/${data.messageId}`, { stream: false })
  expect(again.status).toBe(200)
  expect(again.body.data.conversationId).toBe(data.conversationId)
  const { messages } = (await call('GET', `/conversations/${data.conversationId}`)).body.conversation
  expect(messages).toHaveLength(2)
  expect((await call('POST', `/chat/regenerate/${messages[0].id}`, { stream: false })).status).toBe(400)
})

test('a search finds titles and texts; a page beyond the last is empty', async () => {
  await ask('Explain 100% of the zebra_stripes')
  const found = await call('GET', `/conversations?search=${encodeURIComponent('100% of the zebra_')}`)
  expect(found.body.pagination.totalCount).toBe(1)
  const beyond = await call('GET', '/conversations?page=99&limit=1')
  expect(beyond.body.conversations).toEqual([])
  expect(beyond.body.pagination).toMatchObject({ hasNext: false, hasPrev: true })
})

test('what is no answer to a rule names the field; what is foreign is absent', async () => {
  const cases: [string, string, unknown, string][] = [
    ['POST', '/chat/send', {}, 'message'],
    ['POST', '/chat/send', { message: '' }, 'message'],
    ['POST', '/chat/send', { message: 7 }, 'message'],
    ['POST', '/chat/send', { message: 'x'.repeat(10_001) }, 'message'],
    ['POST', '/chat/send', { message: 'hello', conversationId: 'nope' }, 'conversationId'],
    ['POST', '/chat/send', { message: 'hello', stream: 'no' }, 'stream'],
    ['GET', '/conversations?limit=51', undefined, 'limit'],
    ['GET', '/conversations?page=0', undefined, 'page'],
  ]
  for (const [method, path, body, field] of cases) {
    const answer = await call(method, path, body)
    expect([answer.status, answer.body.details?.[0]?.field]).toEqual([400, field])
    expect(answer.body.message).toContain(field)
  }
  const { data } = (await ask('Create a React button component')).body
  const stranger = await server.signUp()
  const [{ id: artifactId }] = data.artifacts
  const absent = '0198c0de-5b7a-7000-8000-1f2e3d4c5b6a'
  const calls: [string, (id: string) => string, string, unknown?][] = [
    ['GET', id => `/conversations/${id}`, data.conversationId],
    ['PUT', id => `/conversations/${id}`, data.conversationId, { title: 'Mine' }],
    ['PUT', id => `/conversations/${id}`, data.conversationId, {}],
    ['DELETE', id => `/conversations/${id}`, data.conversationId],
    ['GET', id => `/conversations/${id}/export`, data.conversationId],
    ['POST', id => `/chat/regenerate/${id}`, data.messageId, { stream: false }],
    ['GET', id => `/artifacts/${id}`, artifactId],
    ['DELETE', id => `/artifacts/${id}`, artifactId],
    ...['code', 'download', 'preview', 'project', 'project-preview'].map(
      (name): [string, (id: string) => string, string] => [
        'GET',
        id => `/artifacts/${id}/${name}`,
        artifactId,
      ],
    ),
    ...['build', 'bundle', 'build-project'].map((name): [string, (id: string) => string, string] => [
      'POST',
      id => `/artifacts/${id}/${name}`,
      artifactId,
    ]),
  ]
  for (const [method, path, id, body] of calls) {
    const theirs = await call(method, path(id), body, stranger.token)
    const nobodys = await call(method, path(absent), body, stranger.token)
    const odd = await call(method, path('..%2F..%2Fetc'), body, stranger.token)
    expect([method, path(''), theirs.status, theirs.text]).toEqual([method, path(''), 404, nobodys.text])
    expect(odd.text).toBe(nobodys.text)
  }
  const sent = { message: 'hello', conversationId: data.conversationId, stream: false }
  expect((await call('POST', '/chat/send', sent, stranger.token)).status).toBe(404)
  expect((await call('GET', `/artifacts/${artifactId}`)).status).toBe(200)
})

test('an access token in a URL opens previews alone', async () => {
  const { data } = (await ask('Create a React button component')).body
  const at = (path: string) => fetch(`${server.url}/api${path}?token=${token}`).then(answer => answer.status)
  const [{ id }] = data.artifacts
  expect(await at(`/artifacts/${id}/preview`)).toBe(200)
  for (const path of [`/artifacts/${id}`, `/artifacts/${id}/code`, '/conversations', '/v1/conversations']) {
    expect(await at(path)).toBe(401)
  }
  const wrong = await fetch(`${server.url}/api/artifacts/${id}/preview?token=${token.slice(0, -3)}abcd`)
  expect(wrong.status).toBe(401)
  expect((await fetch(`${server.url}/api/artifacts/open/nonsense`)).status).toBe(404)
})

test('without credits it is a 403 with the words that clients look for', async () => {
  await using poor = await startApp({ SIGNUP_CREDITS: '0' })
  const { token: theirs } = await poor.signUp()
  const answer = await poor.call('POST', '/api/chat/send', { token: theirs, body: { message: 'hello' } })
  expect(answer.status).toBe(403)
  expect(answer.body.message).toContain('exhausted your credits')
  expect(answer.body.credits).toBe(0)
})

test('code with weaknesses is told so', async () => {
  const { examineCode } = await import('../../src/features/artifacts/index.ts')
  const content = 'const apiKey = "abcdefghijklmnop1234"\neval(input)\n// eval(comment)\nbox.innerHTML = text'
  const report = examineCode([{ path: 'a.js', content }])
  expect(report.findings.map(({ rule, line }) => [rule, line])).toEqual([
    ['secret-in-code', 1],
    ['eval', 2],
    ['raw-html', 4],
  ])
  expect(report).toMatchObject({ isSecure: false, riskLevel: 'critical', score: 25 })
  expect(examineCode([{ path: 'a.js', content: 'export const evaluate = pattern.exec(text)' }]).score).toBe(
    100,
  )
})

test('a model that fails is a frame with "Stream error", and the stream still ends', async () => {
  await using broken = await startApp({
    OPENAI_API_KEY: 'sk-nobody',
    OPENAI_BASE_URL: 'http://127.0.0.1:9',
    DEFAULT_MODEL: 'openai/none',
    ALLOW_ANY_MODEL: 'true',
  })
  const { token: theirs } = await broken.signUp()
  const { frames, blocks } = await stream({ message: 'hello' }, { url: broken.url, token: theirs })
  const failure = frames.find(frame => frame.type === 'error')
  expect(failure.data.error).toMatch(/^Stream error: ./)
  expect(frames.at(-1)).toMatchObject({ type: 'complete', data: { reason: 'failed', artifacts: 0 } })
  expect(blocks.at(-1)?.trim()).toBe('data: [DONE]')
  const whole = { message: 'hello', stream: false }
  const answer = await broken.call('POST', '/api/chat/send', { token: theirs, body: whole })
  expect(answer.status).toBeGreaterThanOrEqual(502)
  expect(answer.body.message).toEqual(expect.any(String))
})

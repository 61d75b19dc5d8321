import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { openIo } from '../support/sockets.ts'

let server: TestApp
let token: string

beforeAll(async () => {
  server = await startApp()
  await server.app.work()
  token = await register('writer@example.com')
})
afterAll(() => server[Symbol.asyncDispose]())

async function register(email: string): Promise<string> {
  const answer = await server.call('POST', '/auth/register', {
    body: { name: 'Ada', email, password: 'password123' },
  })
  expect(answer.status).toBe(201)
  return answer.body.token
}

const call = (method: string, path: string, body?: unknown, as = token) =>
  server.call(method, path, { token: as, ...(body === undefined ? {} : { body }) })

test('the journey of the README: queue, hear, read, save, search, change, delete', async () => {
  const tabs = await Promise.all([
    openIo(server.url, { auth: { token } }),
    openIo(server.url, { auth: { token }, transports: ['polling'] }),
  ])
  const asked = { prompt: 'Write about coffee', contentType: 'blog-post' }
  const queued = await call('POST', '/generate-content', asked)
  expect(queued.status).toBe(202)
  expect(queued.body).toMatchObject({ status: 'queued', delaySeconds: 5, jobId: expect.any(String) })
  const { jobId } = queued.body
  const early = await call('POST', `/generate-content/${jobId}/save`, {})
  expect(early.status).toBe(400)
  expect(['queued', 'processing']).toContain(early.body.currentStatus)
  for (const tab of tabs) {
    const told = await tab.hear('job_completed', payload => payload.jobId === jobId)
    expect(told).toMatchObject({ status: 'completed', generatedContent: expect.any(String) })
    tab.close()
  }
  const job = (await call('GET', `/generate-content/${jobId}`)).body
  expect(job).toMatchObject({ jobId, status: 'completed', ...asked, completedAt: expect.any(String) })
  const list = await call('GET', '/generate-content')
  expect(list.body).toEqual([expect.objectContaining({ ...job, _id: jobId, __v: 0 })])

  const saved = await call('POST', `/generate-content/${jobId}/save`, {})
  expect(saved.status).toBe(201)
  const { content } = saved.body
  expect(content).toMatchObject({
    title: 'Generated: Write about coffee...',
    body: job.generatedContent,
    __v: 0,
  })
  const twice = await call('POST', `/generate-content/${jobId}/save`, {})
  expect(twice.body.content._id).toBe(content._id)
  const found = await call('GET', '/content?search=coffee')
  expect(found.body.map((each: { _id: string }) => each._id)).toEqual([content._id])
  const created = await call('POST', '/content', { title: 'Tea', type: 'note', body: ' kept as it is \n' })
  expect([created.status, created.body.body]).toEqual([201, ' kept as it is \n'])
  const taken = { title: 'Green tea', userId: 'me', _id: 'x', createdAt: 0 }
  const changed = await call('PUT', `/content/${created.body._id}`, taken)
  expect(changed.body).toEqual({ ...created.body, title: 'Green tea', updatedAt: changed.body.updatedAt })
  const removed = await call('DELETE', `/content/${created.body._id}`)
  expect(removed.body).toEqual({ id: created.body._id })
})

test('what is foreign is absent, and what breaks a rule is a 400, never a 401', async () => {
  const stranger = await register('stranger@example.com')
  const entry = (await call('POST', '/content', { title: 'Mine', type: 'note', body: 'text' })).body
  const { jobId } = (
    await call('POST', '/generate-content', { prompt: 'p', contentType: 'Product Description' })
  ).body
  const absent = '0198c0de-5b7a-7000-8000-1f2e3d4c5b6a'
  const calls: [string, (id: string) => string, string, unknown?][] = [
    ['GET', id => `/generate-content/${id}`, jobId],
    ['POST', id => `/generate-content/${id}/save`, jobId, {}],
    ['GET', id => `/content/${id}`, entry._id],
    ['PUT', id => `/content/${id}`, entry._id, { title: 'Theirs' }],
    ['DELETE', id => `/content/${id}`, entry._id],
  ]
  for (const [method, path, id, body] of calls) {
    const theirs = await call(method, path(id), body, stranger)
    const nobodys = await call(method, path(absent), body, stranger)
    expect([theirs.status, theirs.text]).toEqual([404, nobodys.text])
  }
  expect((await call('GET', `/content/${entry._id}`)).body.title).toBe('Mine')
  for (const body of [
    {},
    { prompt: 'x' },
    { prompt: '', contentType: 'blog-post' },
    { prompt: 'x', contentType: 'poem' },
    { prompt: 7, contentType: 'blog-post' },
    { prompt: 'x'.repeat(100_000), contentType: 'blog-post' },
  ])
    expect((await call('POST', '/generate-content', body)).status).toBe(400)
  for (const body of [{}, { title: 'x', type: 'note' }, { title: 'x', type: 'note', body: { $ne: 1 } }])
    expect((await call('POST', '/content', body)).status).toBe(400)
  await expect(openIo(server.url, { auth: { token: 'nonsense' } })).rejects.toThrow('Authentication error')
})

test('a browser that opens the console at a path of this API gets the page', async () => {
  const { body } = await call('POST', '/content', { title: 'Page', type: 'note', body: 'text' })
  for (const path of ['/content', '/content/', `/content/${body._id}`]) {
    const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
    const page = await server.call('GET', path, { headers: { accept } })
    expect([path, page.status, page.headers.get('content-type')]).toEqual([
      path,
      200,
      'text/html; charset=utf-8',
    ])
    for (const other of ['*/*', 'application/json, text/plain, */*']) {
      const refused = await server.call('GET', path, { headers: { accept: other } })
      expect(refused.status).toBe(401)
      const answer = await server.call('GET', path, { token, headers: { accept: other } })
      expect([answer.status, answer.body === null]).toEqual([200, false])
    }
  }
})

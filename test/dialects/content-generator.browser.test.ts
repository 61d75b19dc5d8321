import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { expect, inject, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { callFrom, openOtherOrigin } from './page.ts'

const clientScript = fileURLToPath(
  new URL('../../node_modules/socket.io-client/dist/socket.io.min.js', import.meta.url),
)

/** A tab connects as the existing client does, over these wires; gives what it heard first, or why it was refused. */
const connect = (url: string, token: string, transports: readonly string[]) => `new Promise(resolve => {
  const socket = io(${JSON.stringify(url)}, { auth: { token: ${JSON.stringify(token)} }, transports: ${JSON.stringify(transports)} })
  window.heard = new Promise(hear => socket.on('job_completed', hear))
  socket.on('connect', () => resolve('connected'))
  socket.on('connect_error', error => { socket.close(); resolve(error.message) })
})`

async function openTab(page: Page, url: string, token: string, transports: readonly string[]) {
  await page.addScriptTag({ path: clientScript })
  return page.evaluate(connect(url, token, transports))
}

test.skipIf(!inject('machine').chromium)('the existing client works from another origin', async () => {
  await using elsewhere = await openOtherOrigin()
  await using server = await startApp({ CORS_ORIGINS: elsewhere.origin })
  await server.app.work()
  await using client = await elsewhere.open()
  const { page } = client
  const person = { name: 'Ada', email: 'writer@example.com', password: 'password123' }
  const registered = await callFrom(page, server.url, '/auth/register', { method: 'POST', body: person })
  expect(registered.body).toMatchObject({ _id: expect.any(String), name: 'Ada', email: person.email })
  const login = await callFrom(page, server.url, '/auth/login', { method: 'POST', body: person })
  const { token } = login.body
  const headers = { authorization: `Bearer ${token}` }
  const call = (path: string, method = 'GET', body?: unknown) =>
    callFrom(page, server.url, path, { method, headers, ...(body ? { body } : {}) })

  const second = await page.context().newPage()
  await second.goto(elsewhere.origin)
  expect(await openTab(page, server.url, 'nonsense', ['websocket', 'polling'])).toBe('Authentication error')
  expect(await openTab(page, server.url, token, ['websocket', 'polling'])).toBe('connected')
  expect(await openTab(second, server.url, token, ['polling'])).toBe('connected')

  const prompt = 'An outline about how small bakeries smell better than large ones'
  const asked = { prompt, contentType: 'Blog Post Outline' }
  const { jobId } = (await call('/generate-content', 'POST', asked)).body
  const [waiting] = (await call('/generate-content')).body
  expect(waiting).toMatchObject({ _id: jobId, jobId, ...asked, createdAt: expect.any(String) })
  expect(['queued', 'processing']).toContain(waiting.status)
  for (const tab of [page, second]) {
    const told = await tab.evaluate('window.heard')
    expect(told).toMatchObject({
      ...{ jobId, status: 'completed' },
      ...{ generatedContent: expect.any(String), completedAt: expect.any(String) },
    })
  }
  const [job] = (await call('/generate-content')).body
  expect(job.status).toBe('completed')
  expect((await call(`/generate-content/${jobId}/save`, 'POST', {})).status).toBe(201)
  const [entry] = (await call('/content')).body
  // How the client sees that a job is saved: by its exact text, or the beginning of its prompt in the title.
  expect(entry.body).toBe(job.generatedContent)
  expect(entry.title).toContain(prompt.substring(0, 50))
  expect(entry).toMatchObject({
    _id: expect.any(String),
    type: asked.contentType,
    createdAt: expect.any(String),
  })
  const changed = await call(`/content/${entry._id}`, 'PUT', { title: 'T', type: 'x', body: 'y' })
  expect(changed.body._id).toBe(entry._id)
  expect((await call(`/content/${entry._id}`, 'DELETE')).body).toEqual({ id: entry._id })
  expect(client.problems).toEqual([])
})

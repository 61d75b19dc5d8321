import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ensureVendor } from '../../src/platform/bundler/vendor.ts'
import { startApp, type TestApp } from '../support/app.ts'

const origin = 'http://previews.example:8080'
const host = 'previews.example:8080'
let server: TestApp
let token: string

beforeAll(async () => {
  server = await startApp({ PREVIEW_ORIGIN: origin, ARTIFACTS_CDN: 'https://esm.sh' })
  token = (await server.signUp()).token
}, 60_000)
afterAll(() => server[Symbol.asyncDispose]())

const vendorFolder = async () => (await ensureVendor()).directory

const get = (url: string, headers: Record<string, string>) => server.app.server.inject({ url, headers })

/** The address of the preview of a page that was just made. */
async function makePreview(): Promise<string> {
  const { db, artifacts } = server.app
  const asked = await server.call('POST', '/api/v1/generations', {
    token,
    body: { message: 'Hello', stream: false },
  })
  const { id, conversationId, replyId } = asked.body.data.generation
  const { account_id: accountId } = await db
    .selectFrom('conversations')
    .select('account_id')
    .where('id', '=', conversationId)
    .executeTakeFirstOrThrow()
  await artifacts.keep(
    { generationId: id, accountId, conversationId, replyId },
    '```html\n<!doctype html>\n<title>Apart</title>\n<p>apart</p>\n```\n',
  )
  const [made] = (await server.call('GET', `/api/v1/conversations/${conversationId}/artifacts`, { token }))
    .body.data.artifacts
  const shown = await server.call('POST', `/api/v1/artifacts/${made.id}/preview`, { token })
  expect(shown.status, shown.text).toBe(200)
  return shown.body.data.url
}

describe('previews on an origin of their own', () => {
  test('are linked there, shown there and nowhere else', async () => {
    const url = await makePreview()
    expect(url).toMatch(new RegExp(`^${origin}/preview/[^/]+$`))
    const { pathname } = new URL(url)
    const page = await get(pathname, { host })
    expect(page.statusCode).toBe(200)
    expect(page.body).toContain('<p>apart</p>')
    expect(page.headers['content-security-policy']).toMatch(
      /^sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' previews\.example:8080\/vendor\/ \S+\/vendor\/ https:\/\/esm\.sh; /,
    )
    expect(page.headers['set-cookie']).toBeUndefined()
    const [library = ''] = await readdir(await vendorFolder())
    expect((await get(`/vendor/${library}`, { host })).statusCode).toBe(200)
    for (const path of [pathname, pathname.replace('/p', '/%70'), `${pathname}/`])
      expect((await get(path, { host: 'atelier.example' })).statusCode, path).toBe(404)
  })

  test('have no API, console, files, documentation or health beside them', async () => {
    const bearer = { authorization: `Bearer ${token}` }
    for (const [path, headers] of [
      ['/', { accept: 'text/html' }],
      ['/chat', { accept: 'text/html' }],
      ['/api/v1', {}],
      ['/api/v1/account', bearer],
      ['/api/v1/conversations', bearer],
      ['/api/conversations', bearer],
      ['/%61pi/v1/conversations', bearer],
      ['/preview/../api/v1/conversations', bearer],
      ['/openapi.json', {}],
      ['/docs', {}],
      ['/health', {}],
      ['/health/ready', {}],
      ['/files/x.y', {}],
      ['/socket.io/?EIO=4&transport=polling', {}],
      ['/vendor/../api/v1', {}],
    ] as const) {
      const answer = await get(path, { host: host.toUpperCase(), ...headers })
      expect(answer.statusCode, path).toBe(404)
      expect(answer.headers['set-cookie'], path).toBeUndefined()
    }
    const elsewhere = await get('/api/v1/conversations', { host: 'atelier.example', ...bearer })
    expect(elsewhere.statusCode).toBe(200)
  })

  test('open no socket', async () => {
    const { port } = new URL(server.url)
    const ask = (name: string) =>
      new Promise<string>((resolve, reject) => {
        const socket = connect(Number(port), '127.0.0.1')
        socket.once('error', reject)
        socket.once('data', data => {
          resolve(data.toString().split('\r\n')[0] ?? '')
          socket.destroy()
        })
        socket.write(
          `GET /api/v1/socket HTTP/1.1\r\nHost: ${name}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer ${token}\r\n\r\n`,
        )
      })
    expect(await ask(host)).toMatch(/ 404 /)
    expect(await ask(`127.0.0.1:${port}`)).toMatch(/ 101 /)
  })
})

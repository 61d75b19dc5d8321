import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type ScriptedProvider, startProvider } from '../provider/index.ts'
import { startApp, type TestApp, testPassword } from '../support/app.ts'
import { openIo, openSocket, upgradeStatus } from '../support/sockets.ts'
import { makeThings } from '../support/things.ts'

// Z09: what becomes of an account's wires, work and links when it is closed or deleted in the middle of everything.
let provider: ScriptedProvider
let server: TestApp
let admin: string

beforeAll(async () => {
  // An answer takes half a minute: it surely runs when the account ends. No worker: what is queued stays queued.
  provider = await startProvider({ tokens: 1000, intervalMs: 30 })
  server = await startApp({
    OPENAI_API_KEY: 'sk-nobody',
    OPENAI_BASE_URL: provider.baseUrls.openai,
    DEFAULT_MODEL: 'openai/any',
    ALLOW_ANY_MODEL: 'true',
  })
  const person = await server.signUp('admin@example.com')
  await server.app.accounts.setRole(person.email, 'admin')
  admin = person.token
}, 60_000)
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await provider.close()
})

interface Person {
  token: string
  accountId: string
  email: string
}

const pathOf = (url: string) => new URL(url, server.url).pathname

/** A person on every wire: a stream that runs, a queued job, sockets, and links that carry no token. */
async function busy() {
  const person = await server.signUp()
  const { token } = person
  await provider.script({ text: '```tsx\nexport default () => <b>Mine</b>\n```\n' })
  const things = await makeThings(server, token)
  const artifact = `/api/v1/artifacts/${things.artifact}`
  const preview = await server.call('POST', `${artifact}/preview`, { token })
  const file = await server.call('GET', `${artifact}/download`, { token })
  const links = [preview, file].map(answer => ({
    path: pathOf(answer.body.data.url),
    expiresAt: Date.parse(answer.body.data.expiresAt),
  }))
  for (const { path } of links) expect((await server.call('GET', path)).status).toBe(200)
  const ask = (body: object) =>
    fetch(`${server.url}/api/v1/generations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'Write a long blog post about the sea', ...body }),
    })
  const streaming = await ask({})
  const queued = await ask({ background: true })
  const { id } = ((await queued.json()) as { data: { generation: { id: string } } }).data.generation
  const socket = await openSocket(`${server.url}/api/v1/socket`, {
    headers: { authorization: `Bearer ${token}` },
  })
  const io = await openIo(server.url, { auth: { token } })
  const { ticket } = (await server.call('POST', '/api/v1/tickets', { token })).body.data
  return {
    ...person,
    links,
    ticket,
    generations: [streaming.headers.get('x-stream-session-id') ?? '', id],
    socketClosed: socket.closed,
    ioClosed: new Promise(resolve => io.socket.once('disconnect', resolve)),
    streamEnded: streaming.text(),
  }
}

/** Everything that a session opens is shut within five seconds. */
async function expectShut(person: Awaited<ReturnType<typeof busy>>, since: number): Promise<void> {
  const [text, code, reason] = await Promise.all([person.streamEnded, person.socketClosed, person.ioClosed])
  expect(performance.now() - since).toBeLessThan(5500)
  expect(text).not.toContain('"status":"completed"')
  // The provider writes for nobody any more.
  await provider.waitFor(log => (log.at(-1)?.clientClosedAt ?? null) !== null)
  expect([code, reason]).toEqual([4401, 'io server disconnect'])
  const { token, ticket } = person
  for (const path of ['/api/v1/me', '/api/auth/me', '/auth/me', '/api/v1/users/me', '/api/user/me'])
    expect((await server.call('GET', path, { token })).status).toBe(401)
  expect(await upgradeStatus(`${server.url}/api/v1/socket?ticket=${ticket}`)).toBe(401)
  const headers = { authorization: `Bearer ${token}` }
  expect(await upgradeStatus(`${server.url}/api/v1/socket`, { headers })).toBe(401)
  await expect(openIo(server.url, { auth: { token } })).rejects.toThrow('Authentication error')
}

const generationsOf = ({ accountId }: Person) =>
  server.app.db
    .selectFrom('generations')
    .select(['id', 'status', 'hold_micro_credits as hold'])
    .where('account_id', '=', accountId)
    .execute()

describe('an account that is on every wire', () => {
  test('and is banned: wires are shut, work is cancelled, holds come back, links end with their hour', async () => {
    const person = await busy()
    const open = (await generationsOf(person)).filter(each => ['queued', 'running'].includes(each.status))
    expect(open.map(each => each.id)).toEqual(expect.arrayContaining(person.generations))
    const since = performance.now()
    const banned = await server.call('POST', `/api/v1/admin/accounts/${person.accountId}/ban`, {
      token: admin,
    })
    expect(banned.status).toBe(200)
    await expectShut(person, since)
    await vi.waitFor(
      async () => {
        const after = await generationsOf(person)
        const ended = after.filter(each => open.some(({ id }) => id === each.id))
        expect(ended.map(each => each.status)).toEqual(open.map(() => 'cancelled'))
      },
      { timeout: 5000, interval: 50 },
    )
    const { rows } = await server.app.db.executeQuery<{ held: number }>(
      (await import('kysely')).CompiledQuery.raw(
        `select coalesce(sum(amount_micro_credits), 0)::float8 as held from ledger_entries
         where account_id = $1 and kind in ('hold', 'release')`,
        [person.accountId],
      ),
    )
    expect(rows[0]?.held).toBe(0)
    const again = await server.call('POST', '/api/v1/sessions', {
      body: { email: person.email, password: testPassword },
    })
    expect([again.status, again.body.code]).toEqual([403, 'ACCOUNT_BANNED'])
    for (const { expiresAt } of person.links) expect(expiresAt - Date.now()).toBeLessThanOrEqual(3_600_000)
  }, 60_000)

  test('and is deleted: the same, and nothing is left, links included', async () => {
    const person = await busy()
    const since = performance.now()
    const body = { password: testPassword }
    expect((await server.call('DELETE', '/api/v1/me', { token: person.token, body })).status).toBe(200)
    await expectShut(person, since)
    expect(await generationsOf(person)).toEqual([])
    for (const { path } of person.links) expect((await server.call('GET', path)).status).toBe(404)
    const again = await server.call('POST', '/api/v1/sessions', {
      body: { email: person.email, password: testPassword },
    })
    expect([again.status, again.body.code]).toEqual([401, 'INVALID_CREDENTIALS'])
  }, 60_000)
})

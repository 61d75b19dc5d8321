import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startApp, type TestApp, testPassword } from '../support/app.ts'

let server: TestApp

beforeAll(async () => {
  server = await startApp({ SANDBOX_DELAY_MS: '2', OTP_ECHO: 'true' })
})
afterAll(() => server[Symbol.asyncDispose]())

const mark = 'zebra-crossing'

/** Every table that belongs to an account, with how many rows of this account it has. */
async function rowsOf(accountId: string): Promise<Record<string, number>> {
  const { rows: tables } = await sql<{ name: string }>`
    select table_name as name from information_schema.columns
    where table_schema = 'public' and column_name = 'account_id' order by 1`.execute(server.app.db)
  const counts: Record<string, number> = {}
  for (const { name } of tables) {
    const { rows } = await sql<{ count: number }>`
      select count(*)::int as count from ${sql.table(name)} where account_id = ${accountId}`.execute(
      server.app.db,
    )
    counts[name] = rows[0]?.count ?? 0
  }
  return counts
}

/** Where a text occurs: in any column of any table, the queue's among them, and in any file of the data folder, names included. */
async function placesOf(text: string): Promise<string[]> {
  const { rows: tables } = await sql<{ name: string }>`
    select table_schema || '.' || table_name as name from information_schema.tables
    where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`.execute(
    server.app.db,
  )
  const places: string[] = []
  for (const { name } of tables) {
    const { rows } = await sql`
      select 1 from ${sql.table(name)} as t where position(lower(${text}) in lower(t::text)) > 0 limit 1`.execute(
      server.app.db,
    )
    if (rows.length > 0) places.push(`table ${name}`)
  }
  const folder = join(server.app.dataDir, 'files')
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (path.toLowerCase().includes(text)) places.push(path)
    else if (entry.isFile() && (await readFile(path, 'utf8')).toLowerCase().includes(text)) places.push(path)
  }
  return places
}

/** Somebody who has one of everything, and an answer that is being written right now. */
async function live() {
  const person = await server.signUp(`${mark}@example.com`)
  const { token } = person
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await server.call(method, `/api/v1${path}`, {
      token,
      ...(body === undefined ? {} : { body }),
    })
    expect([path, answer.status < 300]).toEqual([path, true])
    return answer.body.data
  }
  const message = `Create a React button component called ${mark}`
  const made = await call('POST', '/generations', { message, stream: false })
  const { conversationId } = made.generation
  const { messages } = await call('GET', `/conversations/${conversationId}`)
  const artifact = messages.flatMap((one: { artifacts: { id: string }[] }) => one.artifacts)[0]
  await call('POST', `/artifacts/${artifact.id}/preview`)
  for (const wish of [{ packageId: 'small' }, { plan: 'pro' }]) {
    const { url } = await call('POST', '/billing/checkout', wish)
    const card = new URLSearchParams({ number: '4242424242424242', expiry: '12 / 34', cvc: '123' })
    await fetch(url.replace('localhost', '127.0.0.1'), { method: 'POST', body: card, redirect: 'manual' })
  }
  await call('PATCH', '/me', { name: mark, username: mark })
  const { otp } = await call('POST', '/codes', { purpose: 'verification' })
  await call('POST', '/codes/verify', { email: person.email, purpose: 'verification', code: otp })
  await call('POST', '/codes', { purpose: 'password-reset', email: person.email })
  const { key } = await call('POST', '/keys', { provider: 'gemini', name: mark, apiKey: 'a-key-of-nobody' })
  await server.app.keys.prefer(person.accountId, 'byok')
  await server.app.keys.noteUse(key.id, { inputTokens: 1, outputTokens: 1, error: null })
  const body = { title: mark, type: 'Page', body: mark }
  await call('POST', '/library', body)
  const written = await call('POST', '/content/jobs', { prompt: mark, contentType: 'email' })
  await call('POST', `/content/jobs/${written.job.id}/cancel`)
  await call('POST', '/content/jobs', {
    prompt: mark,
    contentType: 'email',
    scheduledFor: new Date(Date.now() + 3_600_000).toISOString(),
  })
  const { plugin } = await call('POST', '/plugins', { name: mark })
  await call('POST', `/plugins/${plugin.id}/messages`, { message: `Show ${mark} on orders`, stream: false })
  const { plugins } = server.app
  const told = { sender: 'plugin_generator', content: mark } as const
  await plugins.addClientMessage(person.accountId, plugin.id, told)
  const running = await call('POST', '/generations', {
    message: `Write a long blog post about ${mark}`,
    background: true,
  })
  return { ...person, generationId: running.generation.id as string }
}

test('an erased account leaves no row, no file and nothing running', async () => {
  const person = await live()
  const stranger = await server.signUp()
  const before = await rowsOf(person.accountId)
  // Whoever adds a table of accounts' things gives this person one of it, above.
  expect(Object.entries(before).filter(([, count]) => count === 0)).toEqual([])
  expect(await placesOf(mark)).not.toEqual([])
  expect(await placesOf(person.accountId)).not.toEqual([])

  const erased = await server.call('DELETE', '/api/v1/me', {
    token: person.token,
    body: { password: testPassword },
  })
  expect(erased.status).toBe(200)

  expect(Object.values(await rowsOf(person.accountId)).filter(count => count > 0)).toEqual([])
  // What was running when it happened may have written its last words after the answer: nothing may come back.
  await vi.waitFor(
    async () => {
      expect(await placesOf(mark)).toEqual([])
      expect(await placesOf(person.accountId)).toEqual([])
      // The queue's own short diary may still name the job, which points to nobody any more.
      const places = await placesOf(person.generationId)
      expect(places.filter(place => place !== 'table bullmq.event')).toEqual([])
    },
    { timeout: 5000, interval: 250 },
  )
  expect((await server.call('GET', '/api/v1/me', { token: person.token })).status).toBe(401)
  expect((await server.call('GET', '/api/v1/me', { token: stranger.token })).status).toBe(200)
  expect((await server.signUp(person.email)).accountId).not.toBe(person.accountId)
})

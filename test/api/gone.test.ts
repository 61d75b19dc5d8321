import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type ScriptedProvider, startProvider } from '../provider/index.ts'
import { startApp, type TestApp } from '../support/app.ts'

let provider: ScriptedProvider
let server: TestApp

beforeAll(async () => {
  provider = await startProvider()
  server = await startApp({
    OPENAI_API_KEY: 'a-key-of-nobody',
    OPENAI_BASE_URL: provider.baseUrls.openai,
    DEFAULT_MODEL: 'openai/ok',
    ALLOW_ANY_MODEL: 'true',
  })
  // Storing a question waits where it says so.
  await sql`create function hinder() returns trigger language plpgsql as $$
    begin
      if new.content like 'slowly%' then perform pg_advisory_xact_lock(42); end if;
      return new;
    end $$`.execute(server.app.db)
  await sql`create trigger hinder before insert on messages for each row execute function hinder()`.execute(
    server.app.db,
  )
})
beforeEach(() => provider.clear())
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await provider.close()
})

/** Calls, and leaves while the question waits for the disk. */
async function leaveEarly(path: string, token: string, body: object): Promise<void> {
  await server.app.db.connection().execute(async db => {
    await sql`select pg_advisory_lock(42)`.execute(db)
    try {
      const leaving = new AbortController()
      const answer = fetch(server.url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: leaving.signal,
      })
      const waiting = sql`select from pg_locks where locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database())`
      await expect.poll(async () => (await waiting.execute(db)).rows.length).toBe(1)
      leaving.abort()
      await expect(answer).rejects.toThrow()
      // The server has heard of it when it has answered somebody who came later.
      await server.call('GET', '/api/v1/me', { token })
    } finally {
      await sql`select pg_advisory_unlock(42)`.execute(db)
    }
  })
}

const statusOf = async (accountId: string) => {
  const rows = await server.app.db
    .selectFrom('generations')
    .select('status')
    .where('account_id', '=', accountId)
    .execute()
  return rows.map(({ status }) => status)
}

test.each([true, false])(
  'a client that leaves before it is told anything still stops its answer, streamed: %s',
  async stream => {
    const { token, accountId } = await server.signUp()
    await provider.script({ intervalMs: 100, tokens: 1000 })
    const body = { message: 'slowly', stream, onDisconnect: 'cancel' }
    await leaveEarly('/api/v1/generations', token, body)
    await expect.poll(() => statusOf(accountId)).toEqual(['cancelled'])
  },
)

test('a client that leaves a turn of a plugin before it is told anything stops it too', async () => {
  const { token, accountId } = await server.signUp()
  const { body } = await server.call('POST', '/api/v1/plugins', { token, body: { name: 'Gift wrapping' } })
  await provider.script({ intervalMs: 100, tokens: 1000 })
  const asked = { message: 'slowly', stream: false, onDisconnect: 'cancel' }
  await leaveEarly(`/api/v1/plugins/${body.data.plugin.id}/messages`, token, asked)
  await expect.poll(() => statusOf(accountId)).toEqual(['cancelled'])
})

test('an answer whose client leaves early goes on unless the client asked otherwise', async () => {
  const { token, accountId } = await server.signUp()
  await leaveEarly('/api/v1/generations', token, { message: 'slowly' })
  await expect.poll(() => statusOf(accountId)).toEqual(['completed'])
})

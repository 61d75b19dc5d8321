import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ScriptedProvider } from '../provider/index.ts'
import type { TestApp } from '../support/app.ts'
import { startScripted } from '../support/scripted.ts'
import { hinderQuestions, waitingQuestions, whileStoring } from '../support/slow-questions.ts'

let provider: ScriptedProvider
let server: TestApp

beforeAll(async () => {
  ;({ server, provider } = await startScripted())
  await hinderQuestions(server.app.db)
})
beforeEach(() => provider.clear())
afterAll(() => server[Symbol.asyncDispose]())

/** Calls, and leaves while the question waits for the disk. */
function leaveEarly(path: string, token: string, body: object): Promise<void> {
  const { db } = server.app
  return whileStoring(db, async () => {
    const leaving = new AbortController()
    const answer = fetch(server.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: leaving.signal,
    })
    await expect.poll(() => waitingQuestions(db)).toBe(1)
    leaving.abort()
    await expect(answer).rejects.toThrow()
    // The server has heard of it when it has answered somebody who came later.
    await server.call('GET', '/api/v1/me', { token })
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

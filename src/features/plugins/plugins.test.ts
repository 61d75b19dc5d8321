import { CompiledQuery } from 'kysely'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { ScriptedProvider } from '../../../test/provider/index.ts'
import type { TestApp } from '../../../test/support/app.ts'
import { startScripted } from '../../../test/support/scripted.ts'

let provider: ScriptedProvider
let server: TestApp

beforeAll(async () => {
  ;({ server, provider } = await startScripted())
})
afterAll(() => server[Symbol.asyncDispose]())

const good =
  "Done.\n\n```php\n<?php\n/**\n * Plugin Name: Gift\n * Version: 1.0.0\n */\ndefined( 'ABSPATH' ) || exit;\n```\n"
const bad = 'Done.\n\n```php\n<?php\n/** Plugin Name: Gift */\nfunction ( {\n```\n'

async function begin() {
  const { token, accountId } = await server.signUp()
  const made = await server.call('POST', '/api/v1/plugins', { token, body: { name: 'Gift wrapping' } })
  expect(made.status).toBe(201)
  const path = `/api/v1/plugins/${made.body.data.plugin.id}`
  const call = (method: string, rest: string, body?: unknown) =>
    server.call(method, path + rest, { token, ...(body === undefined ? {} : { body }) })
  return { token, accountId, call }
}

test('a bad answer is repaired, the plugin is finalized and packed', async () => {
  const { call } = await begin()
  await provider.script({ text: bad }, { text: good }, { text: good })
  const drafted = await call('POST', '/messages', { message: 'Gift wrapping, please', stream: false })
  expect(drafted.body.data.turn).toMatchObject({ outcome: 'passed', repairs: 1, version: 2 })
  const final = await call('POST', '/finalize', { stream: false })
  expect(final.body.data).toMatchObject({ isFinal: true, turn: { outcome: 'passed', version: 3 } })
  expect((await call('GET', '')).body.data.plugin).toMatchObject({ status: 'final', finalVersion: 3 })
  const zip = await call('GET', '/zip')
  expect([zip.status, zip.headers.get('content-type')]).toEqual([200, 'application/zip'])
  const { messages } = (await call('GET', '/messages')).body.data
  expect(messages.map((one: { origin: string }) => one.origin)).toEqual([
    'person',
    'model',
    'checks',
    'model',
    'person',
    'model',
  ])
})

test('a model that is never right stops after two repairs; nothing is final, and nothing is paid', async () => {
  const { call, accountId } = await begin()
  const before = await server.app.billing.balance(accountId)
  await provider.script({ text: bad }, { text: bad }, { text: bad })
  const drafted = await call('POST', '/messages', { message: 'Gift wrapping, please', stream: false })
  expect(drafted.body.data.turn).toMatchObject({ outcome: 'errors', repairs: 2, version: 3 })
  expect((await call('GET', '/zip')).body.code).toBe('NOT_FINAL')
  const refunds = () =>
    server.app.db
      .selectFrom('ledger_entries')
      .select('amount_micro_credits as amount')
      .where('account_id', '=', accountId)
      .where('kind', '=', 'refund')
      .execute()
  await vi.waitFor(async () => expect(await refunds()).toHaveLength(3), { timeout: 10_000, interval: 50 })
  expect(await server.app.billing.balance(accountId)).toBe(before)
  await server.app.plugins.tidy()
  expect(await server.app.billing.balance(accountId)).toBe(before)
})

test('code of a client is never told to the model as its own words', async () => {
  const { call } = await begin()
  await provider.clear()
  const code = '<?php\n/** Plugin Name: Gift */\n// zebra-of-a-client\n'
  expect((await call('POST', '/versions', { code })).body.data.version.origin).toBe('client')
  await provider.script({ text: good })
  await call('POST', '/messages', { message: 'Change it', stream: false })
  const [request] = await provider.requests()
  const body = request?.body as { messages: { role: string; content: string }[] } | undefined
  const messages = body?.messages ?? []
  const holding = messages.filter(message => message.content.includes('zebra-of-a-client'))
  expect(holding.map(message => message.role)).toEqual(['user'])
})

test('a plugin is no chat: its conversation is not in that list, and takes no message from there', async () => {
  const { token, call } = await begin()
  await provider.script({ text: good })
  await call('POST', '/messages', { message: 'Gift wrapping, please', stream: false })
  const { rows } = await server.app.db.executeQuery<{ id: string }>(
    CompiledQuery.raw(`select id from conversations where kind = 'plugin' order by created_at desc limit 1`),
  )
  const list = await server.call('GET', '/api/v1/conversations', { token })
  expect(list.body.data.conversations).toEqual([])
  const { statistics } = (await server.call('GET', '/api/v1/me/statistics', { token })).body.data
  expect(statistics).toMatchObject({ conversations: 0, plugins: 1 })
  const body = { message: 'Hello', conversationId: rows[0]?.id }
  expect((await server.call('POST', '/api/v1/generations', { token, body })).status).toBe(404)
})

test('a repair for which the answer still holds the credits begins when that is settled', async () => {
  const site = await startScripted({ SIGNUP_CREDITS: '20' })
  await using poor = site.server
  const { token, accountId } = await poor.signUp()
  const { plugin } = (await poor.call('POST', '/api/v1/plugins', { token, body: { name: 'Gift' } })).body.data
  await site.provider.script({ text: bad }, { text: good })
  const body = { message: 'Gift wrapping, please', stream: false }
  const drafted = await poor.call('POST', `/api/v1/plugins/${plugin.id}/messages`, { token, body })
  expect(drafted.body.data.turn).toMatchObject({ outcome: 'passed', repairs: 1, version: 2 })
  const holds = await poor.app.db
    .selectFrom('ledger_entries')
    .select('amount_micro_credits as amount')
    .where('account_id', '=', accountId)
    .where('kind', '=', 'hold')
    .execute()
  // So that this test cannot pass without what it is about: both at once would have been too much.
  expect(holds.reduce((sum, { amount }) => sum - Number(amount), 0)).toBeGreaterThan(20_000_000)
})

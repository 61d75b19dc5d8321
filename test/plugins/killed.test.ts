import { afterAll, beforeAll, expect, test } from 'vitest'
import { audit, embeddedIn, query } from '../faults/audit.ts'
import type { Report } from '../faults/report.ts'
import { type ScriptedProvider, startProvider } from '../provider/index.ts'
import { testPassword } from '../support/app.ts'
import { makeTestFolder, removeTestFolder } from '../support/folder.ts'
import { type ServerProcess, startProcess } from '../support/process.ts'
import type { Json } from '../support/sockets.ts'
import { answerWith, codeWithErrors, mendedCode } from './answers.ts'

let provider: ScriptedProvider
let server: ServerProcess
let folder: string

beforeAll(async () => {
  provider = await startProvider()
  folder = await makeTestFolder('plugins-killed')
  server = await start()
}, 90_000)
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await provider?.close()
  await removeTestFolder(folder)
})

function start(): Promise<ServerProcess> {
  const env = {
    OPENAI_API_KEY: 'a-key-of-nobody',
    OPENAI_BASE_URL: provider.baseUrls.openai,
    DEFAULT_MODEL: 'openai/ok',
    ALLOW_ANY_MODEL: 'true',
    SIGNUP_CREDITS: '1000',
  }
  return startProcess({ dataDir: folder, env, ...(server ? { port: Number(new URL(server.url).port) } : {}) })
}

let token = ''

async function call(method: string, path: string, body?: object): Promise<Json> {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const answer = (await response.json()) as Json
  if (!response.ok)
    throw new Error(`${method} ${path} answered ${response.status}: ${JSON.stringify(answer)}`)
  return answer.data
}

/** Kills the server in the middle of its nth request to the provider, once so much of the answer is stored, and starts it again. */
async function killDuring(request: number, path: string): Promise<void> {
  await provider.waitFor(all => (all[request - 1]?.tokensSent ?? 0) > 3, 20_000)
  await expect
    .poll(async () => (await call('GET', `${path}/messages`)).messages.at(-1).content, { timeout: 20_000 })
    .toMatch(/\w/)
  await server.kill('SIGKILL')
  server = await start()
}

const ended = (path: string) =>
  expect.poll(async () => (await call('GET', path)).plugin.openTurn, { timeout: 60_000 }).toBeNull()

test('a turn whose server is killed ends once, costs once, and the session goes on', {
  timeout: 240_000,
}, async () => {
  const email = `killed-${Date.now()}@example.com`
  token = (await call('POST', '/accounts', { email, password: testPassword })).accessToken
  const { plugin } = await call('POST', '/plugins', { name: 'Gift wrapping' })
  const path = `/plugins/${plugin.id}`

  // In the answer.
  await provider.script({ text: answerWith(mendedCode), intervalMs: 200 })
  call('POST', `${path}/messages`, { message: 'Gift wrapping, please', stream: false }).catch(() => {})
  await killDuring(1, path)
  await ended(path)
  const first = (await call('GET', `${path}/messages`)).messages
  expect(first).toMatchObject([
    { origin: 'person' },
    { origin: 'model', status: 'interrupted', version: null },
  ])
  expect((await call('GET', path)).plugin).toMatchObject({ status: 'empty', openTurn: null })

  // In a repair, whose draft with its errors stays.
  await provider.clear()
  await provider.script(
    { text: answerWith(codeWithErrors) },
    { text: answerWith(mendedCode), intervalMs: 200 },
  )
  call('POST', `${path}/messages`, { message: 'Again', stream: false }).catch(() => {})
  await killDuring(2, path)
  await ended(path)
  expect((await call('GET', path)).plugin).toMatchObject({
    status: 'draft',
    finalVersion: null,
    latestVersion: { version: 1, errors: 2 },
  })

  // It goes on, with exactly one run more.
  await provider.clear()
  await provider.script({ text: answerWith(mendedCode) })
  const finished = await call('POST', `${path}/finalize`, { stream: false })
  expect(finished).toMatchObject({ isFinal: true, turn: { outcome: 'passed', repairs: 0, version: 2 } })
  expect(await provider.requests()).toHaveLength(1)
  const { messages } = await call('GET', `${path}/messages`)
  expect(messages.map(({ origin, status }: Json) => `${origin} ${status}`)).toEqual([
    'person null',
    'model interrupted',
    'person null',
    'model completed',
    'checks null',
    'model interrupted',
    'person null',
    'model completed',
  ])
  const stored = embeddedIn(folder)
  const runs = await query(
    stored,
    `select generation_id, string_agg(kind, ' ' order by kind) as kinds from ledger_entries
     where generation_id is not null group by 1`,
  )
  expect(runs.map(({ kinds }) => kinds)).toEqual(Array.from({ length: 4 }, () => 'hold release settle'))
  const turns = await query(stored, 'select outcome, version from plugin_turns order by created_at')
  expect(turns).toEqual([
    { outcome: 'failed', version: null },
    { outcome: 'failed', version: null },
    { outcome: 'passed', version: 2 },
  ])
  const broken: string[] = []
  await audit(stored, { fail: (text: string) => void broken.push(text), count() {} } as unknown as Report)
  expect(broken).toEqual([])
})

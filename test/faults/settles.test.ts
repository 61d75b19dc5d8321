import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type ScriptedProvider, startProvider } from '../provider/index.ts'
import { makeTestFolder, removeTestFolder } from '../support/folder.ts'
import { freePort } from '../support/ports.ts'
import { type ServerProcess, startProcess } from '../support/process.ts'
import { embeddedIn, query } from './audit.ts'
import { call, type Person, request, signUp } from './client.ts'

let folder: string
let provider: ScriptedProvider
let server: ServerProcess
let start: () => Promise<ServerProcess>

beforeAll(async () => {
  folder = await makeTestFolder('settles')
  provider = await startProvider()
  const port = await freePort()
  const env = {
    OPENAI_BASE_URL: provider.baseUrls.openai,
    OPENAI_API_KEY: 'a-key-of-nobody',
    ALLOW_ANY_MODEL: 'true',
    SIGNUP_CREDITS: '100',
    RATE_LIMIT_MAX_REQUESTS: '100000',
  }
  start = () => startProcess({ dataDir: folder, port, env })
  server = await start()
}, 90_000)
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await provider?.[Symbol.asyncDispose]()
  await removeTestFolder(folder)
})

const credit = 1_000_000
/** Tokens of exactly four characters, which is what a token counts as where the provider does not count. */
const said = `abcd${' abc'.repeat(1199)}`
/** Micro-credits for a token of a model that nobody knows: 3 and 15 USD for a million. */
const price = { input: 300, output: 1500 }

/** Asks for an answer that breaks after n tokens, and waits until these have been said. */
async function ask(n: number, fault: 'stall-middle' | 'cut-fin') {
  const person = await signUp(server.url)
  const before = (await provider.requests()).length
  const faultAfter = n === 0 && fault === 'cut-fin' ? -1 : n
  // What is cut before its first word is tried again, which must come to the same.
  const times = faultAfter < 0 ? 4 : 1
  await provider.script(
    ...Array.from({ length: times }, () => ({ text: said, usage: false as const, fault, faultAfter })),
  )
  const body = { message: 'Hello', model: 'openai/any', maxOutputTokens: 4096, onDisconnect: 'continue' }
  const response = await request(server.url, { path: '/generations', person, body })
  const id = response.headers.get('x-generation-id') ?? (await idOf(person))
  void response.body?.cancel().catch(() => {})
  const log = await provider.waitFor(
    all => (all[before]?.tokensSent ?? -1) >= Math.max(0, faultAfter),
    20_000,
  )
  return { person, id, n, tokensSent: log[before]?.tokensSent }
}

async function idOf(person: Person): Promise<string> {
  const [row] = await rows<{ id: string }>('select id from generations where account_id = $1', [
    person.accountId,
  ])
  return row?.id ?? ''
}

const rows = <Row extends Record<string, unknown>>(text: string, values: unknown[]) =>
  query<Row>(embeddedIn(folder), text, values)

/** What is in the database of a run that has ended: its money, and in which transaction each of it was written. */
async function settled({ id, person }: { id: string; person: Person }) {
  const ended = await vi.waitFor(
    async () => {
      const [row] = await rows<{
        status: string
        xmin: string
        input: number
        output: number
        cost: number
        hold: number
      }>(
        `select status, xmin::text, input_tokens as input, output_tokens as output, cost_micro_credits::float8 as cost,
           hold_micro_credits::float8 as hold from generations where id = $1 and status not in ('queued', 'running')`,
        [id],
      )
      if (!row) throw new Error('it has not ended')
      return row
    },
    { timeout: 60_000, interval: 100 },
  )
  const entries = await rows<{ kind: string; amount: number; xmin: string }>(
    `select kind, amount_micro_credits::float8 as amount, xmin::text from ledger_entries where generation_id = $1 order by seq`,
    [id],
  )
  const of = (kind: string) => entries.filter(entry => entry.kind === kind)
  const [hold] = of('hold')
  expect(of('release').map(entry => entry.amount)).toEqual([-(hold?.amount ?? 0)])
  // The release, the charge and the change of state are one transaction.
  const ends = [...of('release'), ...of('settle')].map(entry => entry.xmin)
  expect(new Set(ends)).toEqual(new Set([ends[0]]))
  const { credits } = (await call(server.url, { path: '/entitlements', person })).entitlements
  const charge = Math.abs(of('settle')[0]?.amount ?? 0)
  expect(credits).toEqual({ balanceMicroCredits: 100 * credit - charge, heldMicroCredits: 0 })
  return { ...ended, charge, isOneTransaction: ended.xmin === ends[0], settles: of('settle').length }
}

/** Waits until so many tokens are in the database, which they are about once a second. */
async function kept({ id, n }: { id: string; n: number }): Promise<void> {
  await vi.waitFor(
    async () => {
      const found = await rows(
        `select 1 from generations g join messages m on m.id = g.reply_id
         where g.id = $1 and g.status = 'running' and length(m.content) = $2`,
        [id, n * 4],
      )
      expect([n, found.length]).toEqual([n, 1])
    },
    { timeout: 60_000, interval: 100 },
  )
}

const counts = [0, 1, 37, 999]

test('M12: a server that is killed after n tokens charges n, as the provider said them', {
  timeout: 180_000,
}, async () => {
  const asked = []
  for (const n of counts) asked.push(await ask(n, 'stall-middle'))
  expect(asked.map(one => one.tokensSent)).toEqual(counts)
  // What is not kept when a server dies is not charged.
  for (const one of asked) await kept(one)
  await server.kill('SIGKILL')
  server = await start()
  for (const { n, ...one } of asked)
    expect([n, await settled(one)]).toMatchObject([
      n,
      { status: 'interrupted', charge: n * price.output, cost: n * price.output, isOneTransaction: true },
    ])
})

test.each(counts)(
  'M12: an answer that its person stops after %i tokens costs those',
  { timeout: 90_000 },
  async n => {
    const one = await ask(n, 'stall-middle')
    await kept(one)
    await call(server.url, { path: `/generations/${one.id}/cancel`, person: one.person, body: {} })
    const end = await settled(one)
    expect(one.tokensSent).toBe(n)
    expect(end).toMatchObject({ status: 'cancelled', isOneTransaction: true, settles: n === 0 ? 0 : 1 })
    expect(end.output ?? 0).toBe(n)
    expect(end.charge).toBe(n === 0 ? 0 : end.input * price.input + n * price.output)
  },
)

test.each(counts)('M12: an answer that is cut after %i tokens costs those', { timeout: 90_000 }, async n => {
  const one = await ask(n, 'cut-fin')
  const end = await settled(one)
  expect(one.tokensSent).toBe(n)
  expect(end).toMatchObject({ status: n === 0 ? 'failed' : 'interrupted', isOneTransaction: true })
  expect(end.output ?? 0).toBe(n)
  expect(end.charge).toBe(n === 0 ? 0 : end.input * price.input + n * price.output)
})

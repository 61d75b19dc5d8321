import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ScriptedProvider, startProvider } from '../provider/index.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { openIo, openSocket } from '../support/sockets.ts'

let provider: ScriptedProvider
let servers: TestApp[]

beforeAll(async () => {
  provider = await startProvider()
  const env = {
    OPENAI_BASE_URL: provider.baseUrls.openai,
    OPENAI_API_KEY: 'a-key-of-nobody',
    ALLOW_ANY_MODEL: 'true',
    // It takes the question and says nothing, so that what is held stays held.
    DEFAULT_MODEL: 'openai/stall',
    SIGNUP_CREDITS: '0',
    JWT_SECRET: 'one secret for both of the servers',
    WORKER_CONCURRENCY: '50',
    CONTENT_DELAY_MS: '0',
  }
  const first = await startApp(env)
  servers = [first, await startApp({ ...env, DATABASE_URL: first.databaseUrl })]
  for (const server of servers) await server.app.work()
}, 60_000)
afterAll(async () => {
  for (const server of (servers ?? []).toReversed()) await server[Symbol.asyncDispose]()
  await provider?.[Symbol.asyncDispose]()
})

type Person = Awaited<ReturnType<TestApp['signUp']>>
/** Asks by some route: accepted, or the code of the refusal. */
type Route = (server: TestApp, person: Person, chatroomId: string) => Promise<string>

const accepted = 'accepted'

/** Begins a stream and leaves it when it has begun. */
async function stream(server: TestApp, { token }: Person, path: string, body: object): Promise<string> {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) return ((await response.json()) as { code: string }).code
  await response.body?.cancel()
  return accepted
}

async function queue(server: TestApp, { token }: Person, path: string, body: object): Promise<string> {
  const answer = await server.call('POST', path, { token, body })
  return answer.status < 300 ? accepted : answer.body.code
}

const message = 'Hello'
const chats: Record<string, Route> = {
  'POST /api/chat/send': (server, person) =>
    stream(server, person, '/api/chat/send', { message, stream: true }),
  'POST /api/v1/generations': (server, person) => stream(server, person, '/api/v1/generations', { message }),
  'POST /api/chatroom/:id/message': (server, person, id) =>
    queue(server, person, `/api/chatroom/${id}/message`, { content: message }),
  WebSocket: async (server, { token }) => {
    const socket = await openSocket(`${server.url}/api/v1/socket`, {
      headers: { authorization: `Bearer ${token}` },
    })
    const told = await socket.ask({ type: 'start', message })
    socket.webSocket.close()
    return told.type === 'started' ? accepted : told.code
  },
  'Socket.IO': async (server, { token }) => {
    const io = await openIo(server.url, { auth: { token } })
    const told = await io.ask('start', { message })
    io.close()
    return told.success ? accepted : told.code
  },
}
const content: Route = (server, person) =>
  queue(server, person, '/generate-content', { prompt: message, contentType: 'blog-post' })

const holdOf = 8192 * 1500

/** Somebody with so many micro-credits, and a chatroom. */
async function spender(balance: number) {
  const [server] = servers as [TestApp]
  const person = await server.signUp()
  const room = await server.call('POST', '/api/chatroom', { token: person.token, body: { name: 'Room' } })
  const { buying, db } = { buying: server.app.buying, db: server.app.db }
  const { enterCredits } = await import('../../src/features/billing/store.ts')
  const grant = { kind: 'grant', reference: null, note: 'for a test', actorId: null } as const
  await enterCredits(db, { accountId: person.accountId, amountMicroCredits: balance, ...grant })
  const ledger = () =>
    db
      .selectFrom('ledger_entries')
      .select(['kind', 'amount_micro_credits as amount', 'balance_micro_credits as balance'])
      .where('account_id', '=', person.accountId)
      .orderBy('seq')
      .execute()
  return {
    person,
    roomId: String(room.body.chatroom.id),
    ledger,
    left: () => buying.balance(person.accountId),
  }
}

async function submitAll(routes: readonly Route[], parallel: number, of: { person: Person; roomId: string }) {
  return Promise.all(
    Array.from({ length: parallel }, (_, at) =>
      (routes[at % routes.length] as Route)(servers[at % servers.length] as TestApp, of.person, of.roomId),
    ),
  )
}

test('M01: fifty submits at once over every wire of chats and two servers: three that can be paid, no more', {
  timeout: 120_000,
}, async () => {
  const balance = Math.floor(holdOf * 3.5)
  const who = await spender(balance)
  await provider.clear()
  const answers = await submitAll(Object.values(chats), 50, who)
  expect(answers.toSorted()).toEqual([...Array(47).fill('INSUFFICIENT_CREDITS'), ...Array(3).fill(accepted)])
  const entries = await who.ledger()
  const holds = entries.filter(entry => entry.kind === 'hold')
  expect(holds).toHaveLength(3)
  expect(Math.min(...entries.map(entry => entry.balance))).toBeGreaterThanOrEqual(0)
  expect(await who.left()).toBe(balance + holds.reduce((sum, hold) => sum + hold.amount, 0))
  await provider.waitFor(all => all.length === 3, 20_000)
  await new Promise(resolve => setTimeout(resolve, 300))
  expect(await provider.requests()).toHaveLength(3)
})

test('M01: with content jobs among them, which hold less, nothing is overspent and nothing is refused that could be paid', {
  timeout: 120_000,
}, async () => {
  const balance = Math.floor(holdOf * 3.2)
  const who = await spender(balance)
  const answers = await submitAll([...Object.values(chats), content, content], 56, who)
  expect(new Set(answers)).toEqual(new Set([accepted, 'INSUFFICIENT_CREDITS']))
  const entries = await who.ledger()
  const holds = entries.filter(entry => entry.kind === 'hold').map(entry => -entry.amount)
  expect(holds).toHaveLength(answers.filter(answer => answer === accepted).length)
  expect(Math.min(...entries.map(entry => entry.balance))).toBeGreaterThanOrEqual(0)
  const left = await who.left()
  expect(left).toBe(balance - holds.reduce((sum, hold) => sum + hold, 0))
  // The cheapest of what was asked does not fit any more.
  expect(left).toBeLessThan(4096 * 1500 + 1_000_000)
})

import { createHmac, randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { BenchDatabase } from './database.ts'
import type { Target } from './load.ts'
import { startServer, startWorker } from './processes.ts'

/** What stands between the client and the provider. */
export const rowNames = ['direct', 'proxy', 'floor', 'promise', 'baseline', 'atelier'] as const
export type RowName = (typeof rowNames)[number]

/** One thing under test: how to ask it, and which process to watch. */
export interface Row {
  name: RowName
  label: string
  /** Null where there is no server of its own. */
  pid: number | null
  target(say: string, options: { stream: boolean }): Target
  /** Takes its stored conversations back to where they began. */
  rewind(): Promise<void>
  stop(): Promise<void>
}

export interface Stage {
  database: BenchDatabase
  providerPort: number
  dataDir: string
  /** A folder with another version of Atelier, to compare with; it shares the data of this one. */
  baseline: string | undefined
  /** Flags for the node of Atelier's server. */
  nodeFlags: readonly string[]
  accounts: number
}

export const messagesEach = 20

/** The same twenty messages for everybody; Atelier's seed writes such ones. */
const conversation = Array.from({ length: messagesEach }, (_, index) =>
  index % 2 === 0
    ? { role: 'user', content: `Question ${index / 2 + 1}: what comes next?` }
    : { role: 'assistant', content: 'Something, and then something else.' },
)

/** What `npm start` tells node: a young generation that stays small, which costs nothing and keeps open streams cheap. */
export const startFlags = ['--max-semi-space-size=16']

const chatMarks = { stream: { firstMark: '"content":"', endMark: 'data: [DONE]' }, whole: '"content":"' }
const question = (say: string) => `Please write some words. ${say}`
/** The folder of this version of Atelier. */
export const project = fileURLToPath(new URL('..', import.meta.url))

/** Everything that can be started, by name. `start` makes a new process each time; what it needs is prepared once. */
export async function prepareRows(
  names: readonly RowName[],
  stage: Stage,
): Promise<Map<RowName, () => Promise<Row>>> {
  const starters = new Map<RowName, () => Promise<Row>>()
  if (names.includes('direct'))
    starters.set('direct', async () => plainRow('direct', stage.providerPort, null))
  if (names.includes('proxy')) starters.set('proxy', () => startProxy(stage))
  if (names.includes('floor') || names.includes('promise')) {
    const accounts = await stage.database.fillFloor(stage.accounts, conversation)
    const secret = randomBytes(32).toString('hex')
    const tokens = accounts.map(account => ({ ...account, token: tokenFor(account.accountId, secret) }))
    const begin = (name: 'floor' | 'promise') => () => startFloor(stage, name, { secret, callers: tokens })
    if (names.includes('floor')) starters.set('floor', begin('floor'))
    if (names.includes('promise')) starters.set('promise', begin('promise'))
  }
  if (names.includes('atelier')) {
    const seeded = await seedAtelier(stage)
    const { baseline } = stage
    if (baseline) starters.set('baseline', () => startAtelier(stage, seeded, baseline))
    starters.set('atelier', () => startAtelier(stage, seeded, project))
  }
  return starters
}

/** Speaks the provider's own wire with the whole conversation in the body. */
function plainRow(
  name: 'direct' | 'proxy',
  port: number,
  worker: { pid: number; stop(): Promise<void> } | null,
): Row {
  return {
    name,
    label: name === 'direct' ? 'nothing (the provider directly)' : 'bare node:http proxy',
    pid: worker?.pid ?? null,
    target(say, { stream }) {
      const messages = [...conversation, { role: 'user', content: question(say) }]
      const body = JSON.stringify({ model: 'bench', messages, stream })
      const marks = stream ? chatMarks.stream : { firstMark: chatMarks.whole, endMark: chatMarks.whole }
      return { port, path: '/v1/chat/completions', requests: [requestOf(body)], ...marks }
    },
    rewind: async () => {},
    stop: async () => worker?.stop(),
  }
}

async function startProxy(stage: Stage): Promise<Row> {
  const { worker, hello } = await startWorker<{ port: number }>('./servers/bare-proxy.ts', {
    OPENAI_BASE_URL: `http://127.0.0.1:${stage.providerPort}/v1`,
  })
  return plainRow('proxy', hello.port, worker)
}

/** A seeded account that asks. */
export interface Caller {
  token: string
  conversationId: string
}

async function startFloor(
  stage: Stage,
  name: 'floor' | 'promise',
  { secret, callers }: { secret: string; callers: readonly Caller[] },
): Promise<Row> {
  const { worker, hello } = await startWorker<{ port: number }>('./servers/floor.ts', {
    OPENAI_BASE_URL: `http://127.0.0.1:${stage.providerPort}/v1`,
    FLOOR_DATABASE_URL: stage.database.floorUrl,
    FLOOR_SECRET: secret,
    FLOOR_PROMISE: String(name === 'promise'),
  })
  return {
    name,
    label: name === 'floor' ? 'a hand-tuned app (the floor)' : 'the floor, question stored first',
    pid: worker.pid,
    target(say, { stream }) {
      const requests = requestsOf(callers, { message: question(say), stream })
      const marks = stream ? chatMarks.stream : { firstMark: '"reply":"', endMark: '"reply":"' }
      return { port: hello.port, path: '/chat', requests, ...marks }
    },
    rewind: () => stage.database.rewind('floor', messagesEach),
    stop: () => worker.stop(),
  }
}

async function startAtelier(stage: Stage, callers: readonly Caller[], folder: string): Promise<Row> {
  const server = await startServer([...startFlags, ...stage.nodeFlags, 'src/main.ts', 'serve'], {
    cwd: folder,
    env: atelierEnvironment(stage),
    awaited: /http:\/\/localhost:(\d+)\/api\/v1/,
  })
  return {
    name: folder === project ? 'atelier' : 'baseline',
    label: folder === project ? 'Atelier' : 'Atelier, baseline',
    pid: server.pid,
    target(say, { stream }) {
      const requests = requestsOf(callers, { message: question(say), stream })
      const marks = stream
        ? { firstMark: '"type":"text-delta"', endMark: '"status":"completed"' }
        : { firstMark: '"status":"completed"', endMark: '"status":"completed"' }
      return { port: Number(server.found), path: '/api/v1/generations', requests, ...marks }
    },
    rewind: () => stage.database.rewind('atelier', messagesEach),
    stop: () => server.stop(),
  }
}

/** What every server of Atelier under test is told. */
export function atelierEnvironment(stage: Pick<Stage, 'dataDir' | 'providerPort'>): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '',
    NODE_ENV: 'development',
    PORT: '0',
    DATA_DIR: stage.dataDir,
    LOG_LEVEL: 'warn',
    OPENAI_BASE_URL: `http://127.0.0.1:${stage.providerPort}/v1`,
    OPENAI_API_KEY: 'x',
    DEFAULT_MODEL: 'openai/bench',
    ALLOW_ANY_MODEL: 'true',
    RATE_LIMIT_MAX_REQUESTS: '1000000000',
    BASIC_DAILY_MESSAGE_LIMIT: '1000000000',
    PRO_DAILY_MESSAGE_LIMIT: '1000000000',
    SIGNUP_CREDITS: '1000000000',
  }
}

/** Fills the database of a data folder; its Postgres may run already. */
export async function seedAtelier(
  stage: Pick<Stage, 'dataDir' | 'providerPort' | 'accounts'>,
): Promise<Caller[]> {
  const seeding = await startServer(
    [
      'src/main.ts',
      'seed',
      '--accounts',
      String(stage.accounts),
      '--messages',
      String(messagesEach),
      '--json',
    ],
    { cwd: project, env: atelierEnvironment(stage), awaited: /^(\[\{.*\}\])\s*$/ },
  )
  await seeding.ended
  return JSON.parse(seeding.found) as Caller[]
}

function requestsOf(
  callers: readonly Caller[],
  body: { message: string; stream: boolean },
): Target['requests'] {
  return callers.map(({ token, conversationId }) => {
    const { headers, body: text } = requestOf(JSON.stringify({ ...body, conversationId }))
    return { headers: { ...headers, authorization: `Bearer ${token}` }, body: text }
  })
}

/** A request with this JSON. */
export function requestOf(body: string): Target['requests'][number] {
  return {
    headers: { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) },
    body,
  }
}

function tokenFor(accountId: string, secret: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: accountId, exp: Math.floor(Date.now() / 1000) + 3600 })}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

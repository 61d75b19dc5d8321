import { pino } from 'pino'
import { type AccountsDeps, createAccounts } from '../../src/features/accounts/index.ts'
import { accountRoutes } from '../../src/features/accounts/routes.ts'
import { createWebSessions } from '../../src/features/accounts/web-sessions.ts'
import { createMemoryCache } from '../../src/platform/cache/memory.ts'
import type { Database } from '../../src/platform/database/index.ts'
import type { Letter } from '../../src/platform/mail/index.ts'
import type { ShortMessage } from '../../src/platform/sms/index.ts'
import { createServer, type Server } from '../../src/transport/server.ts'
import { createTestDatabase } from '../support/database.ts'

/** Cheap on purpose: these tests are about rules, not about hashing. */
export const cheapHash = { memoryCost: 64, timeCost: 1 }
export const secret = 'a test secret that is long enough for everybody'
export const password = 'correct horse battery staple'

/** Letters and messages that were sent, and the newest code among them. */
export function createOutbox() {
  const letters: Letter[] = []
  const messages: ShortMessage[] = []
  const texts = (to: string) => [
    ...letters.filter(letter => letter.to === to).map(letter => letter.text),
    ...messages.filter(message => message.to === to).map(message => message.text),
  ]
  return {
    letters,
    messages,
    texts,
    /** The newest code that was sent to the address. */
    code(to: string): string {
      const code = texts(to)
        .map(text => /\b(\d{6})\b/.exec(text)?.[1])
        .filter(Boolean)
        .at(-1)
      if (!code) throw new Error(`no code was sent to ${to}`)
      return code
    },
    mail: {
      isDelivering: true,
      send: async (letter: Letter) => void letters.push(letter),
      close: async () => {},
    },
    sms: {
      isDelivering: true,
      send: async (message: ShortMessage) => void messages.push(message),
      close: async () => {},
    },
  }
}

/** A clock that only moves when told. */
export function createClock(start = Date.now()) {
  let time = start
  return {
    now: () => time,
    advance(ms: number): void {
      time += ms
    },
  }
}

export type TestDeps = Partial<Omit<AccountsDeps, 'settings'>> & {
  settings?: Partial<AccountsDeps['settings']>
  trustProxy?: string
  secureCookies?: boolean
  /** Adds to the server before the routes of accounts. */
  extend?: (server: Server) => void
  database?: { db: Database }
}

/** Accounts behind a real server on a database of their own; everything goes away with it. */
export async function createTestAccounts(overrides: TestDeps = {}) {
  const { settings, trustProxy, secureCookies, extend, database: given, ...rest } = overrides
  const outbox = createOutbox()
  const clock = createClock()
  const own = given ? null : await createTestDatabase()
  const db = given?.db ?? own?.db
  if (!db) throw new Error('no database')
  const failures: unknown[] = []
  const deps: AccountsDeps = {
    db,
    cache: createMemoryCache(),
    mail: outbox.mail,
    sms: outbox.sms,
    secrets: [secret],
    accessLifetimeSeconds: 900,
    settings: {
      publicUrl: 'https://atelier.example',
      signupVerification: 'optional',
      refuseCommonPasswords: false,
      echoCodes: false,
      ...settings,
    },
    passwordCost: cheapHash,
    report: error => void failures.push(error),
    now: clock.now,
    ...rest,
  }
  const accounts = createAccounts(deps)
  const web = createWebSessions(accounts, { isSecure: secureCookies ?? false, maxAgeSeconds: 604_800 })
  const server = await createServer({
    logger: pino({ level: 'silent' }),
    authenticator: web.authenticator,
    corsOrigins: [],
    trustProxy,
  })
  await server.register(
    async api => {
      extend?.(api)
      await api.register(accountRoutes(accounts, web))
    },
    { prefix: '/api/v1' },
  )
  await server.ready()
  return {
    accounts,
    deps,
    db,
    server,
    outbox,
    clock,
    failures,
    call: caller(server),
    async close() {
      await server.close()
      await accounts.close()
      await own?.close()
    },
    async [Symbol.asyncDispose]() {
      await this.close()
    },
  }
}

let people = 0

/** Signs somebody new up and gives what their client would hold. */
export async function signUpSomebody(site: TestAccounts, email = `person${++people}@example.com`) {
  const answer = await site.call('POST', '/accounts', { email, password })
  if (answer.status !== 201) throw new Error(`signing up answered ${answer.status}: ${answer.text}`)
  const { account, accessToken, refreshToken } = answer.body.data
  return {
    id: account.id as string,
    email,
    token: accessToken as string,
    refreshToken: refreshToken as string,
  }
}

/** Signs in and gives the tokens. */
export async function signIn(site: TestAccounts, email: string, options: Call = {}) {
  const answer = await site.call('POST', '/sessions', { email, password }, options)
  if (answer.status !== 201) throw new Error(`signing in answered ${answer.status}: ${answer.text}`)
  return {
    token: answer.body.data.accessToken as string,
    refreshToken: answer.body.data.refreshToken as string,
  }
}

/** Asks for a code and reads it where it arrived. */
export async function codeFor(
  site: TestAccounts,
  email: string,
  purpose: string,
  options: Call = {},
): Promise<string> {
  const answer = await site.call('POST', '/codes', { email, purpose }, options)
  if (answer.status !== 202) throw new Error(`asking for a code answered ${answer.status}: ${answer.text}`)
  await site.accounts.idle()
  return site.outbox.code(email)
}

/** A code that is surely not this one. */
export function otherCode(code: string): string {
  return code === '000000' ? '000001' : '000000'
}

export type TestAccounts = Awaited<ReturnType<typeof createTestAccounts>>

export interface Call {
  token?: string | undefined
  cookies?: Record<string, string>
  headers?: Record<string, string>
  ip?: string
}

export interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as clients do, without types
  body: any
  text: string
  headers: Record<string, string | string[] | number | undefined>
  cookies: Record<string, string>
}

function caller(server: Server) {
  return async function call(
    method: string,
    path: string,
    body?: unknown,
    options: Call = {},
  ): Promise<Answer> {
    const response = await server.inject({
      method: method as 'GET',
      url: `/api/v1${path}`,
      ...(body === undefined ? {} : { payload: body as object }),
      ...(options.ip ? { remoteAddress: options.ip } : {}),
      ...(options.cookies ? { cookies: options.cookies } : {}),
      headers: {
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
        ...options.headers,
      },
    })
    return {
      status: response.statusCode,
      body: response.body ? safeJson(response.body) : null,
      text: response.body,
      headers: response.headers,
      cookies: Object.fromEntries(response.cookies.map(cookie => [cookie.name, cookie.value])),
    }
  }
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

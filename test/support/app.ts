import { pino } from 'pino'
import { type App, createApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { createTestDatabase } from './database.ts'
import { makeTestFolder, removeTestFolder } from './folder.ts'

/** The whole product in this process, on a database of its own, listening on a free port of 127.0.0.1. */
export interface TestApp extends AsyncDisposable {
  app: App
  url: string
  /** With it (and `app.dataDir`) a second one, or the same after a restart, has the same data. */
  databaseUrl: string
  /** Signs up a new account and gives its access token. */
  signUp(email?: string): Promise<{ token: string; accountId: string; email: string }>
  /** Calls the API: JSON in, status and JSON out. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
}

export interface CallOptions {
  token?: string
  body?: unknown
  headers?: Record<string, string>
}

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape
  body: any
  text: string
}

export const testPassword = 'correct horse battery'
let count = 0

/** Starts the product; `env` is what the operator would set. With `heard` every line of its log is handed over. */
export async function startApp(
  env: Record<string, string> = {},
  heard?: (line: string) => void,
): Promise<TestApp> {
  const database = await createTestDatabase()
  const dataDir = await makeTestFolder('app')
  const config = loadConfig({
    NODE_ENV: 'test',
    PORT: '0',
    HOST: '127.0.0.1',
    DATABASE_URL: database.url,
    DATA_DIR: dataDir,
    SANDBOX_DELAY_MS: '0',
    SIGNUP_CREDITS: '1000000',
    BASIC_DAILY_MESSAGE_LIMIT: '1000000',
    RATE_LIMIT_MAX_REQUESTS: '1000000',
    LOG_LEVEL: 'silent',
    ...env,
  })
  const logger = heard ? pino({ level: 'trace' }, { write: heard }) : pino({ level: config.logLevel })
  const app = await createApp({ config, logger, built: Promise.resolve(null) })
  await app.listen()
  const url = app.url.replace('localhost', '127.0.0.1')

  async function call(
    method: string,
    path: string,
    { token, body, headers = {} }: CallOptions = {},
  ): Promise<Answer> {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? JSON.parse(text) : null,
      text,
    }
  }

  return {
    app,
    url,
    databaseUrl: database.url,
    call,
    async signUp(email = `person-${++count}-${Date.now()}@example.com`) {
      const answer = await call('POST', '/api/v1/accounts', { body: { email, password: testPassword } })
      if (answer.status !== 201) throw new Error(`sign-up answered ${answer.status}: ${answer.text}`)
      return { token: answer.body.data.accessToken, accountId: answer.body.data.account.id, email }
    },
    async [Symbol.asyncDispose]() {
      await app.close()
      await database.close()
      await removeTestFolder(dataDir)
    },
  }
}

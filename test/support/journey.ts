import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject } from 'vitest'
import { type ScriptedProvider, startProvider } from '../provider/index.ts'
import { openBrowser, type TestBrowser } from './browser.ts'
import { makeTestFolder, removeTestFolder } from './folder.ts'
import { type ServerProcess, startProcess } from './process.ts'

/** Describes what people do in a real browser; skipped where there is none. */
export const describeJourney = describe.skipIf(!inject('machine').chromium)

/** A browser, and the server as an operator starts it, on a folder of its own; both last as long as the describe block. */
export interface Journey {
  readonly browser: TestBrowser
  readonly server: ServerProcess
  /** Throws when the journey was opened without one. */
  readonly provider: ScriptedProvider
  /** A person's own browser on a page of the server. */
  open(path?: string): Promise<{ page: Page; context: BrowserContext; problems: string[] }>
  /** The same server on the same folder and port, once more; the one that runs must have ended. */
  restart(): Promise<void>
}

type Environment = Record<string, string>

/**
 * Opens a journey in a describe block, and closes it behind the last of its tests. An environment that asks for the
 * scripted provider gets one.
 */
export function openJourney(
  name: string,
  environment: Environment | ((provider: ScriptedProvider) => Environment) = {},
): Journey {
  const stack = new AsyncDisposableStack()
  let browser: TestBrowser
  let server: ServerProcess
  let provider: ScriptedProvider | undefined
  let restart: (port?: number) => Promise<void>

  beforeAll(async () => {
    const folder = await makeTestFolder(name)
    stack.defer(() => removeTestFolder(folder))
    if (typeof environment === 'function') provider = stack.use(await startProvider())
    const env =
      typeof environment === 'function' && provider ? environment(provider) : (environment as Environment)
    restart = async port => {
      server = await startProcess({ dataDir: folder, env, ...(port === undefined ? {} : { port }) })
    }
    await restart()
    stack.defer(() => server[Symbol.asyncDispose]())
    browser = stack.use(await openBrowser())
  }, 90_000)
  afterAll(() => stack.disposeAsync())

  return {
    get browser() {
      return browser
    },
    get server() {
      return server
    },
    get provider() {
      if (!provider) throw new Error('this journey has no provider')
      return provider
    },
    open: (path = '') => browser.open(server.url + path),
    restart: () => restart(Number(new URL(server.url).port)),
  }
}

let people = 0

export interface Person {
  email: string
  password: string
}

/** Signs a new person up on the page that is open, and waits until they are inside. */
export async function signUp(
  page: Page,
  options: Partial<Person> & { code?: (email: string) => Promise<string> } = {},
): Promise<Person> {
  const { email = `journey-${++people}-${Date.now()}@example.com`, password = 'correct horse battery' } =
    options
  await page
    .getByRole('link', { name: /sign up|create an account/i })
    .first()
    .click()
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: /sign up|create account/i }).click()
  if (options.code) {
    await page.getByLabel('Code').fill(await options.code(email))
    await page.getByRole('button', { name: 'Confirm', exact: true }).click()
  }
  await isInside(page)
  return { email, password }
}

/** Waits until the page is that of somebody who is signed in. */
export const isInside = (page: Page) => page.getByRole('textbox', { name: 'Message' }).waitFor()

/** Writes a message and sends it. */
export async function send(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text)
  await page.getByRole('button', { name: 'Send' }).click()
}

/** The newest answer. */
export const answer = (page: Page) => page.getByRole('article', { name: 'Answer' }).last()

/** Waits until the newest answer has ended. */
export const isDone = (page: Page) =>
  expect.poll(() => answer(page).getAttribute('aria-busy'), { timeout: 30_000 }).not.toBe('true')

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { openBrowser } from '../support/browser.ts'

/** A page of another origin, as a client of a published API is: a server of its own that serves one empty page. */
export async function openOtherOrigin() {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' })
    response.end('<!doctype html><title>A client</title>')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    /** What the operator puts into CORS_ORIGINS. */
    origin,
    /** Opens the page in a browser of its own. */
    async open(): Promise<{ page: Page; problems: string[] } & AsyncDisposable> {
      const browser = await openBrowser()
      const { page, problems } = await browser.open(origin)
      return { page, problems, [Symbol.asyncDispose]: () => browser[Symbol.asyncDispose]() }
    },
    async [Symbol.asyncDispose](): Promise<void> {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

export interface PageCall {
  method?: string
  body?: unknown
  headers?: Record<string, string>
}

// biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape
export type PageAnswer = { status: number; body: any; headers: Record<string, string> }

/** Calls the API from inside the page, with its cookies, as a browser's fetch does. */
export function callFrom(page: Page, url: string, path: string, call: PageCall = {}): Promise<PageAnswer> {
  return page.evaluate(
    async ([address, { method = 'GET', body, headers = {} }]) => {
      const response = await fetch(address, {
        method,
        credentials: 'include',
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      const isJson = response.headers.get('content-type')?.includes('json') ?? false
      return {
        status: response.status,
        body: isJson ? JSON.parse(text) : text,
        headers: Object.fromEntries(response.headers.entries()),
      }
    },
    [url + path, call] as const,
  )
}

import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { SandboxPayments } from '../sandbox.ts'
import { checkoutPage, fontPath, overPage, pagePolicy, portalPage, unknownPage } from './pages.ts'

interface PageRequest {
  params: unknown
  body: unknown
}

interface PageReply {
  code(status: number): PageReply
  headers(values: Record<string, string>): PageReply
  redirect(url: string, status: number): unknown
  send(body: string | Buffer): unknown
}

type Handler = (request: PageRequest, reply: PageReply) => Promise<unknown>

interface Options {
  config: { auth: 'none' }
  schema: { hide: true }
  bodyLimit: number
}

/** The part of an HTTP server that is used here, so that the platform knows no transport. */
interface RouteHost {
  addContentTypeParser(
    type: string,
    options: { parseAs: 'string' },
    parse: (request: unknown, body: string, done: (error: null, form: unknown) => void) => void,
  ): unknown
  get(path: string, options: Options, handler: Handler): unknown
  post(path: string, options: Options, handler: Handler): unknown
}

const options: Options = { config: { auth: 'none' }, schema: { hide: true }, bodyLimit: 8192 }

/** The sandbox's checkout and portal; who knows a page's id, which cannot be guessed, may use it. */
export function sandboxRoutes(sandbox: SandboxPayments) {
  return async (server: RouteHost) => {
    // A scope of its own: nobody else here takes forms.
    server.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string' },
      (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body))),
    )
    font(server)
    checkout(server, sandbox)
    portal(server, sandbox)
  }
}

function font(server: RouteHost): void {
  const find = createRequire(import.meta.url).resolve
  server.get(fontPath, options, async (_request, reply) => {
    const bytes = await readFile(find('@fontsource-variable/geist/files/geist-latin-wght-normal.woff2'))
    return reply
      .code(200)
      .headers({ 'content-type': 'font/woff2', 'cache-control': 'public, max-age=86400' })
      .send(bytes)
  })
}

function checkout(server: RouteHost, sandbox: SandboxPayments): void {
  server.get('/sandbox/checkout/:id', options, async (request, reply) => {
    const session = await sandbox.session(idIn(request))
    if (!session) return show(reply, 404, unknownPage())
    const html = session.status === 'open' ? checkoutPage(session) : overPage(session)
    return show(reply, 200, html, String(session.success_url))
  })
  server.post('/sandbox/checkout/:id', options, async (request, reply) => {
    const id = idIn(request)
    const session = await sandbox.session(id)
    if (!session) return show(reply, 404, unknownPage())
    const card = { number: field(request, 'number'), expiry: field(request, 'expiry') }
    const outcome = await sandbox.pay(id, { ...card, cvc: field(request, 'cvc') })
    const target = String(session.success_url)
    if (outcome.kind === 'paid') return reply.headers(headers(target)).redirect(outcome.url, 303)
    if (outcome.kind === 'refused')
      return show(reply, 402, checkoutPage(session, { message: outcome.message, card }), target)
    return show(reply, 409, overPage(session), target)
  })
}

function portal(server: RouteHost, sandbox: SandboxPayments): void {
  server.get('/sandbox/portal/:id', options, async (request, reply) => {
    const found = await sandbox.portalPage(idIn(request))
    return found ? show(reply, 200, portalPage(found)) : show(reply, 404, unknownPage())
  })
  server.post('/sandbox/portal/:id', options, async (request, reply) => {
    await sandbox.manage(idIn(request), field(request, 'deed'))
    return reply.headers(headers()).redirect(`/sandbox/portal/${encodeURIComponent(idIn(request))}`, 303)
  })
}

function show(reply: PageReply, status: number, html: string, ...targets: readonly string[]): unknown {
  return reply
    .code(status)
    .headers(headers(...targets))
    .send(html)
}

function headers(...targets: readonly string[]): Record<string, string> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': pagePolicy(...targets),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  }
}

function idIn(request: PageRequest): string {
  return (request.params as { id: string }).id
}

function field(request: PageRequest, name: string): string {
  const { body } = request
  const value =
    typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined
  return typeof value === 'string' ? value : ''
}

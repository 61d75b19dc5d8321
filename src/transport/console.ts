import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import serveFiles from '@fastify/static'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from './server.ts'

const consolePolicy = (previewOrigin: string | undefined) =>
  [
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    `frame-src 'self'${previewOrigin ? ` ${previewOrigin}` : ''}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')

const headersOfPages = (previewOrigin: string | undefined) => ({
  'content-security-policy': consolePolicy(previewOrigin),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
})

/** Addresses of the console that are paths of a published API as well; who asks for a page gets the page. */
const sharedPaths = ['/content', '/content/:id']

/** The built console: its files, and its one page for every page address. */
export type Console = Awaited<ReturnType<typeof openConsole>>

/**
 * Opens the console in `directory`: its files as they are, and its index page for every other page address, so that a
 * reload works anywhere. Without a directory the index page says that there is none.
 */
export async function openConsole(directory: string | null, previewOrigin?: string) {
  const headers = headersOfPages(previewOrigin)
  const page = directory === null ? null : await readFile(join(directory, 'index.html'), 'utf8')
  const sendPage = (reply: FastifyReply) =>
    reply
      .headers({ ...headers, 'cache-control': 'no-cache' })
      .type('text/html; charset=utf-8')
      .send(page ?? notBuilt)
  return {
    /** Answers a path that has no route, when it is the address of a page; null otherwise. */
    fallback: (request: FastifyRequest, reply: FastifyReply): FastifyReply | null =>
      isPageAddress(request) ? sendPage(reply) : null,
    async routes(server: Server): Promise<void> {
      if (directory !== null) await serveDirectory(server, directory, headers)
      for (const path of sharedPaths) {
        const page = {
          config: { auth: 'none' },
          schema: { hide: true },
          constraints: { asked: 'page' },
        } as const
        server.get(path, page, (_request, reply) => sendPage(reply))
      }
      server.get('/', { config: { auth: 'none' }, schema: { hide: true } }, (request, reply) =>
        wantsPage(request) ? sendPage(reply) : reply.send({ status: 'OK' }),
      )
    },
  }
}

const notBuilt =
  '<!doctype html><title>Atelier</title><p>The console is not built yet: run <code>npm start</code>.'

async function serveDirectory(
  server: Server,
  directory: string,
  headers: Record<string, string>,
): Promise<void> {
  await server.register(async scope => {
    scope.addHook('onRoute', route => {
      route.config = { ...route.config, auth: 'none' }
      route.schema = { ...route.schema, hide: true }
    })
    // Browsers ask for it where no page of ours names the icon, such as beside the answer of a call.
    scope.get('/favicon.ico', (_request, reply) => reply.redirect('/favicon.svg', 301))
    await scope.register(serveFiles, {
      root: directory,
      prefix: '/',
      wildcard: false,
      index: false,
      cacheControl: false,
      preCompressed: true,
      setHeaders: (reply, path) => {
        const isHashed = path.includes(`${directory}/assets/`)
        reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache')
        for (const [name, value] of Object.entries(headers)) reply.header(name, value)
      },
    })
  })
}

function wantsPage(request: FastifyRequest): boolean {
  return (request.headers.accept ?? '').includes('text/html')
}

/** Addresses of the console's own pages: asked for by a browser as a page, outside the API, without a file name. */
function isPageAddress(request: FastifyRequest): boolean {
  const path = request.url.split('?')[0] ?? '/'
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  return isRead && wantsPage(request) && !path.startsWith('/api/') && !/\.[a-z0-9]+$/i.test(path)
}

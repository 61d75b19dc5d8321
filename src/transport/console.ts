import { access } from 'node:fs/promises'
import { join } from 'node:path'
import serveFiles from '@fastify/static'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { sendRouteNotFound } from './errors.ts'
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

/**
 * Serves the built console: files of `directory` as they are, and its index page for every other page address, so that
 * a reload works anywhere. Without a built console the index page says how to build it.
 */
export async function serveConsole(server: Server, directory: string, previewOrigin?: string): Promise<void> {
  const headers = headersOfPages(previewOrigin)
  const isBuilt = await access(join(directory, 'index.html')).then(
    () => true,
    () => false,
  )
  if (isBuilt) {
    await server.register(async scope => {
      scope.addHook('onRoute', route => {
        route.config = { ...route.config, auth: 'none' }
        route.schema = { ...route.schema, hide: true }
      })
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
  const sendPage = (reply: FastifyReply) =>
    isBuilt
      ? reply.sendFile('index.html', directory)
      : reply
          .headers(headers)
          .type('text/html')
          .send('<!doctype html><p>The console is not built: run <code>npm start</code>.')
  server.get('/', { config: { auth: 'none' }, schema: { hide: true } }, (request, reply) =>
    wantsPage(request) || !acceptsJson(request) ? sendPage(reply) : reply.send({ status: 'OK' }),
  )
  server.setNotFoundHandler((request, reply) =>
    isPageAddress(request) ? sendPage(reply) : sendRouteNotFound(request, reply),
  )
}

function wantsPage(request: FastifyRequest): boolean {
  return (request.headers.accept ?? '').includes('text/html')
}

function acceptsJson(request: FastifyRequest): boolean {
  return (request.headers.accept ?? '').includes('application/json')
}

/** Addresses of the console's own pages: asked for by a browser as a page, outside the API, without a file name. */
function isPageAddress(request: FastifyRequest): boolean {
  const path = request.url.split('?')[0] ?? '/'
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  return isRead && wantsPage(request) && !path.startsWith('/api/') && !/\.[a-z0-9]+$/i.test(path)
}

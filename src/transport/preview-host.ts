import type { IncomingMessage } from 'node:http'
import { sendRouteNotFound } from './errors.ts'
import type { Server } from './http.ts'

/** The only routes of the previews' own host: their pages, and the libraries that those load. */
const ofPreviews: ReadonlySet<string> = new Set(['/preview/*', '/vendor/*'])

/** Whether a Host header names the host of an origin. */
export function isHostOf(origin: string, host: string | undefined): boolean {
  const { protocol, host: own } = new URL(origin)
  const url = `${protocol}//${host ?? ''}`
  return URL.canParse(url) && new URL(url).host === own
}

/**
 * Serves previews on the host of their origin alone, and nothing else there: neither API nor console, so that code which
 * breaks out of its sandbox finds itself beside nothing of ours.
 */
export function keepPreviewsApart(server: Server, origin: string): void {
  server.addHook('onRequest', (request, reply, done) => {
    const route = request.routeOptions.url ?? ''
    const isTheirs = isHostOf(origin, request.host)
    const isAllowed = isTheirs ? ofPreviews.has(route) : route !== '/preview/*'
    if (isAllowed) done()
    else sendRouteNotFound(request, reply)
  })
}

/** Whether a socket is asked for on the previews' own host. */
export function isAskedOfPreviews(request: IncomingMessage, origin: string | undefined): boolean {
  return origin !== undefined && isHostOf(origin, request.headers.host)
}

import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../lib/errors.ts'
import type { Server } from './http.ts'

/** Who is calling: one session of one account. */
export interface Identity {
  accountId: string
  sessionId: string
  role: 'user' | 'admin'
}

/** What a route asks of its caller; a route that says nothing asks for a sign-in. */
export type AuthRule = 'required' | 'none' | 'optional' | 'admin'

/** How callers are recognised; handed in by whoever keeps the accounts. */
export interface Authenticator {
  /** The identity behind an access token. Throws AppError unauthenticated. */
  authenticate(token: string): Promise<Identity>
  /** The identity behind the request's cookies, or null when it has none; may renew them on the reply. */
  fromCookies?(request: FastifyRequest, reply: FastifyReply): Promise<Identity | null>
  /** Calls back once when a session has ended, a few seconds after it did at most; returns how to stop watching. */
  watchSession?(sessionId: string, onEnd: () => void): () => void
  /** Refuses a state-changing call that only a cookie vouches for. */
  checkCsrf?(request: FastifyRequest, identity: Identity): void
}

declare module 'fastify' {
  interface FastifyInstance {
    watchSession: NonNullable<Authenticator['watchSession']>
  }
  interface FastifyRequest {
    /** Who is calling; reading it on a route without sign-in is a bug and throws. */
    identity: Identity
    /** The caller where the route's rule is `optional`. */
    optionalIdentity: Identity | null
    authenticatedBy: 'bearer' | 'cookie' | null
  }
  interface FastifyContextConfig {
    auth?: AuthRule
    /** Whether the access token may also come as `?token=`: only where a published API promises it. */
    tokenInUrl?: true
  }
}

/** Checks the caller of every route before anything else of the route runs. Bearer beats cookie. */
export function guard(server: Server, authenticator: Authenticator): void {
  server.decorate('watchSession', authenticator.watchSession ?? (() => () => {}))
  server.decorateRequest('optionalIdentity', null)
  server.decorateRequest('authenticatedBy', null)
  server.decorateRequest('identity', {
    getter(this: FastifyRequest) {
      if (!this.optionalIdentity) throw new Error('identity read on a route that does not require sign-in')
      return this.optionalIdentity
    },
  })
  server.addHook('onRequest', async (request, reply) => {
    const rule = request.routeOptions.config.auth ?? 'required'
    if (rule === 'none' || request.is404) return
    const identity = await identify(authenticator, request, reply, rule)
    if (rule === 'admin' && identity?.role !== 'admin') {
      throw new AppError('forbidden', 'ADMIN_ONLY', 'This needs an administrator')
    }
  })
}

async function identify(
  authenticator: Authenticator,
  request: FastifyRequest,
  reply: FastifyReply,
  rule: AuthRule,
): Promise<Identity | null> {
  const token = bearerToken(request.headers.authorization) ?? urlToken(request)
  if (token !== null) {
    request.authenticatedBy = 'bearer'
    request.optionalIdentity = await authenticator.authenticate(token)
    return request.optionalIdentity
  }
  const identity = (await authenticator.fromCookies?.(request, reply)) ?? null
  if (identity) {
    request.authenticatedBy = 'cookie'
    request.optionalIdentity = identity
    if (!isSafe(request.method)) authenticator.checkCsrf?.(request, identity)
    return identity
  }
  if (rule === 'optional') return null
  throw new AppError('unauthenticated', 'AUTH_REQUIRED', 'Access denied. No token provided.')
}

/** The token of an `Authorization: Bearer …` header; null when the header is absent, '' when it has another form. */
export function bearerToken(header: string | undefined): string | null {
  if (header === undefined) return null
  return /^Bearer\s+(\S+)\s*$/i.exec(header)?.[1] ?? ''
}

/** The token of `?token=` on the routes that may have one there; null elsewhere and when it is absent. */
function urlToken(request: FastifyRequest): string | null {
  if (!request.routeOptions.config.tokenInUrl) return null
  const { token } = request.query as { token?: unknown }
  return typeof token === 'string' && token !== '' ? token : null
}

function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

/**
 * Aborted when the client of an answer that takes its time has gone, or its session has ended; already so for a client that
 * went before this is called.
 */
export function untilGone(request: FastifyRequest, reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  const leave = () => controller.abort(new Error('the client or its session is gone'))
  const unwatch = request.server.watchSession(request.identity.sessionId, leave)
  const close = () => {
    unwatch()
    if (!reply.raw.writableFinished) leave()
  }
  if (reply.raw.destroyed) close()
  else reply.raw.once('close', close)
  return controller.signal
}

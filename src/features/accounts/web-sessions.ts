import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../lib/errors.ts'
import type { Authenticator, Identity } from '../../transport/auth.ts'
import {
  type CookieSettings,
  type CookieTokens,
  clearSessionCookies,
  readSessionCookies,
  setSessionCookies,
} from '../../transport/cookies.ts'
import { checkCsrfToken, issueCsrfToken } from '../../transport/csrf.ts'
import type { Client } from './security-log.ts'
import type { SessionTokens } from './sessions.ts'

/** Whoever keeps the sessions that browsers hold. */
export interface SessionKeeper {
  authenticate(token: string): Promise<Identity>
  watchSession(sessionId: string, onEnd: () => void): () => void
  refresh(input: { refreshToken: string; client: Client }): Promise<SessionTokens>
  csrfKey: Buffer
}

export type WebSessions = ReturnType<typeof createWebSessions>

/** From where a request comes: the address that TRUST_PROXY lets us believe. */
export function clientOf(request: FastifyRequest): Client {
  return { ip: request.ip, userAgent: request.headers['user-agent'] ?? null }
}

/** Sessions as browsers hold them: cookies that renew themselves, and the CSRF token beside them. */
export function createWebSessions(accounts: SessionKeeper, cookies: CookieSettings) {
  const authenticator: Authenticator = {
    authenticate: accounts.authenticate,
    watchSession: accounts.watchSession,
    fromCookies: (request, reply) => identify(accounts, cookies, { request, reply }),
    checkCsrf: (request, identity) =>
      checkCsrfToken(request, { key: accounts.csrfKey, sessionId: identity.sessionId }),
  }
  return {
    authenticator,
    set: (reply: FastifyReply, tokens: CookieTokens) => setSessionCookies(reply, tokens, cookies),
    clear: (reply: FastifyReply) => clearSessionCookies(reply, cookies),
    /** A CSRF token for this session, or one for nobody that only gives early clients something to send. */
    csrfToken: (reply: FastifyReply, identity: Identity | null) =>
      issueCsrfToken(reply, { key: accounts.csrfKey, sessionId: identity?.sessionId ?? null, cookies }),
  }
}

/** Who the cookies vouch for; a good refresh cookie renews a missing or expired access cookie within the request. */
async function identify(
  accounts: SessionKeeper,
  cookies: CookieSettings,
  exchange: { request: FastifyRequest; reply: FastifyReply },
): Promise<Identity | null> {
  const { request, reply } = exchange
  const held = readSessionCookies(request)
  if (held.accessToken === undefined && held.refreshToken === undefined) return null
  try {
    if (held.accessToken !== undefined) return await accounts.authenticate(held.accessToken)
  } catch (error) {
    if (!isRefusal(error)) throw error
    if (held.refreshToken === undefined) return refuse(error, exchange)
  }
  try {
    const tokens = await accounts.refresh({
      refreshToken: held.refreshToken ?? '',
      client: clientOf(request),
    })
    setSessionCookies(reply, tokens, cookies)
    return await accounts.authenticate(tokens.accessToken)
  } catch (error) {
    if (!isRefusal(error)) throw error
    clearSessionCookies(reply, cookies)
    return refuse(error, exchange)
  }
}

/** Cookies that no longer hold: nobody where a sign-in is optional, a 401 elsewhere. */
function refuse(error: unknown, exchange: { request: FastifyRequest }): null {
  if (exchange.request.routeOptions.config.auth === 'optional') return null
  throw error
}

function isRefusal(error: unknown): boolean {
  return error instanceof AppError && error.kind === 'unauthenticated'
}

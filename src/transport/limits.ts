import type { FastifyRequest } from 'fastify'
import { AppError, type RateLimit } from '../lib/errors.ts'
import { networkOf } from '../lib/networks.ts'
import type { Limiter } from '../platform/cache/index.ts'
import type { Identity } from './auth.ts'
import { rateLimitHeaders } from './errors.ts'
import type { Server } from './server.ts'

/**
 * Counts every request of these routes, by account where it is signed in, else by network, and refuses with 429 beyond
 * the limit. Put it after the sign-in guard.
 */
export function limitRequests(server: Server, limiter: Limiter): void {
  server.addHook('onRequest', async (request, reply) => {
    const state = await limiter.consume(whose(request))
    reply.headers(rateLimitHeaders(state))
    if (!state.isAllowed) throw tooManyRequests(state)
  })
}

/** Counts what an account asks for on a socket as if it were a request. Throws AppError limited. */
export function countAsked(limiter: Limiter): (identity: Identity) => Promise<void> {
  return async ({ accountId }) => {
    const state = await limiter.consume(`account:${accountId}`)
    if (!state.isAllowed) throw tooManyRequests(state)
  }
}

/** The refusal of a call that came too often, with when to come back. */
export function tooManyRequests(state: RateLimit): AppError {
  return new AppError('limited', 'TOO_MANY_REQUESTS', 'Too many requests. Please try again later.', {
    retryAfterSeconds: Math.max(1, Math.ceil(state.resetMs / 1000)),
    rateLimit: state,
  })
}

function whose(request: FastifyRequest): string {
  const identity = request.optionalIdentity
  return identity ? `account:${identity.accountId}` : `network:${networkOf(request.ip)}`
}

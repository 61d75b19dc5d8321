import Type from 'typebox'
import { AppError } from '../lib/errors.ts'
import { hashToken, randomToken } from '../lib/seal.ts'
import type { Cache } from '../platform/cache/index.ts'
import type { Identity } from './auth.ts'
import { failures, ok, success } from './envelope.ts'
import { tooManyRequests } from './limits.ts'
import type { Server } from './server.ts'

export interface TicketsDeps {
  cache: Cache
  /** The identity behind a session's id. Throws AppError unauthenticated when the session has ended. */
  recognise(sessionId: string): Promise<Identity>
}

export type Tickets = ReturnType<typeof createTickets>

const lifetimeSeconds = 60
const perMinute = 120

/**
 * Tickets stand in for a token where only a URL can carry it, such as a browser's WebSocket: good for one connection of
 * one session within a minute. The cache knows their hashes only.
 */
export function createTickets({ cache, recognise }: TicketsDeps) {
  const limiter = cache.limiter({ name: 'tickets', points: perMinute, windowMs: 60_000 })
  return {
    /** A new ticket for the caller's session. Throws AppError limited after 120 in a minute. */
    async issue({ accountId, sessionId }: Identity): Promise<string> {
      const state = await limiter.consume(accountId)
      if (!state.isAllowed) throw tooManyRequests(state)
      const ticket = randomToken('ticket_')
      await cache.set(keyOf(ticket), sessionId, { ttlMs: lifetimeSeconds * 1000 })
      return ticket
    },
    /** The identity that a ticket stands for, once. Throws AppError unauthenticated. */
    async redeem(ticket: string): Promise<Identity> {
      const sessionId = await cache.take(keyOf(ticket))
      if (sessionId === null) {
        throw new AppError('unauthenticated', 'INVALID_TICKET', 'The ticket is unknown, used or too old')
      }
      return recognise(sessionId)
    },
  }
}

function keyOf(ticket: string): string {
  return `ticket:${hashToken(ticket).toString('base64url')}`
}

/** POST /tickets. */
export function ticketRoutes(tickets: Tickets) {
  const Ticket = Type.Object({
    ticket: Type.String(),
    expiresIn: Type.Integer({ description: 'Seconds.' }),
  })
  return async (server: Server) => {
    server.post(
      '/tickets',
      {
        schema: {
          tags: ['Sessions'],
          summary: 'Get a ticket for a socket',
          description:
            'For `?ticket=` of a socket URL, where browsers cannot send a header: good for one connection within a ' +
            'minute. It ends with the session.',
          response: { 201: success(Ticket), ...failures(401, 403, 429) },
        },
      },
      async (request, reply) => {
        const ticket = await tickets.issue(request.identity)
        reply.code(201).header('cache-control', 'no-store')
        return ok({ ticket, expiresIn: lifetimeSeconds })
      },
    )
  }
}

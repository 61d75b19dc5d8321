import type { IncomingMessage } from 'node:http'
import { AppError } from '../lib/errors.ts'
import { bearerToken, type Identity } from './auth.ts'
import { accessCookie } from './cookies.ts'
import type { Tickets } from './tickets.ts'

export interface HandshakesDeps {
  /** The identity behind an access token. Throws AppError unauthenticated. */
  authenticate(token: string): Promise<Identity>
  tickets: Tickets
  /** Calls back once when the session ends; returns how to stop watching. */
  watchSession(sessionId: string, onEnd: () => void): () => void
  /** Open sockets of one account in this process; 50 unless told. */
  maxPerAccount?: number
}

/** What a client shows beside its request, such as Socket.IO's `auth`. */
export interface ShownCredentials {
  token?: string | undefined
  ticket?: string | undefined
}

export type Handshakes = ReturnType<typeof createHandshakes>

/** Who opens a socket, how many of them there may be, and when they must end; the same for every wire. */
export function createHandshakes(deps: HandshakesDeps) {
  const maxPerAccount = deps.maxPerAccount ?? 50
  const openOf = new Map<string, number>()

  function release(accountId: string): void {
    const rest = (openOf.get(accountId) ?? 1) - 1
    if (rest > 0) openOf.set(accountId, rest)
    else openOf.delete(accountId)
  }

  return {
    /**
     * The identity behind a token shown or in the Authorization header, a ticket, or the session cookie, in this order.
     * A token in the URL is not looked at. Throws AppError unauthenticated.
     */
    async identify(request: IncomingMessage, shown: ShownCredentials = {}): Promise<Identity> {
      const token = shown.token ?? bearerToken(request.headers.authorization)
      if (token !== null) return deps.authenticate(token)
      const ticket = shown.ticket ?? ticketOf(request)
      if (ticket !== null) return deps.tickets.redeem(ticket)
      const cookie = accessCookieOf(request)
      if (cookie) return deps.authenticate(cookie)
      throw new AppError('unauthenticated', 'AUTH_REQUIRED', 'Access denied. No token provided.')
    },
    /**
     * Counts an open socket of the account and watches its session; returns what to call when the socket has closed.
     * Throws AppError limited when the account has too many.
     */
    admit({ accountId, sessionId }: Identity, onSessionEnd: () => void): () => void {
      const open = openOf.get(accountId) ?? 0
      if (open >= maxPerAccount) {
        throw new AppError(
          'limited',
          'TOO_MANY_SOCKETS',
          `An account may have ${maxPerAccount} open sockets`,
          {
            retryAfterSeconds: 10,
          },
        )
      }
      openOf.set(accountId, open + 1)
      const unwatch = deps.watchSession(sessionId, onSessionEnd)
      let isOpen = true
      return () => {
        if (!isOpen) return
        isOpen = false
        unwatch()
        release(accountId)
      }
    },
  }
}

function ticketOf(request: IncomingMessage): string | null {
  const query = (request.url ?? '').split('?')[1]
  return query === undefined ? null : new URLSearchParams(query).get('ticket')
}

/** The access token in the cookies; tokens need no decoding. */
function accessCookieOf(request: IncomingMessage): string | undefined {
  const start = `${accessCookie}=`
  const pairs = (request.headers.cookie ?? '').split(';').map(pair => pair.trim())
  return pairs.find(pair => pair.startsWith(start))?.slice(start.length)
}

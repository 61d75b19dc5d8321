import { randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../lib/errors.ts'
import { isEqualSecret, keyedHash } from '../lib/seal.ts'
import { type CookieSettings, cookieOptions, csrfCookie } from './cookies.ts'

/** A token for the `X-CSRF-Token` header, bound to the session; its twin goes into a cookie. */
export function issueCsrfToken(
  reply: FastifyReply,
  input: { key: Buffer; sessionId: string | null; cookies: CookieSettings },
): string {
  const nonce = randomBytes(16).toString('base64url')
  const token = `${nonce}.${macOf(input.key, input.sessionId ?? 'nobody', nonce)}`
  reply.setCookie(csrfCookie, token, cookieOptions(input.cookies))
  return token
}

/**
 * Refuses a state-changing call that only a cookie vouches for, unless its `X-CSRF-Token` is this session's and equals
 * the cookie's: another site can make the browser send cookies, but can neither read nor set these. Throws 403.
 */
export function checkCsrfToken(request: FastifyRequest, input: { key: Buffer; sessionId: string }): void {
  const header = request.headers['x-csrf-token']
  const cookie = request.cookies[csrfCookie]
  const isTwin = typeof header === 'string' && cookie !== undefined && isEqualSecret(header, cookie)
  if (isTwin) {
    const [nonce = '', mac = ''] = header.split('.')
    if (isEqualSecret(mac, macOf(input.key, input.sessionId, nonce))) return
  }
  throw new AppError('forbidden', 'INVALID_CSRF_TOKEN', 'Invalid CSRF token')
}

function macOf(key: Buffer, sessionId: string, nonce: string): string {
  return keyedHash(key, sessionId, nonce).toString('base64url')
}

import type { CookieSerializeOptions } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** The tokens that browsers keep as httpOnly cookies. */
export interface CookieTokens {
  accessToken: string
  refreshToken: string
}

export const accessCookie = 'accessToken'
export const refreshCookie = 'refreshToken'
export const csrfCookie = '_csrf'

/** How our cookies are set. `isSecure` keeps them off plain http. */
export interface CookieSettings {
  isSecure: boolean
  /** Whether pages of other sites that CORS_ORIGINS allows may send them too; browsers want https for that. */
  isCrossSite?: boolean
  /** How long browsers keep them. Both as long as the refresh token: an expired access cookie asks to be renewed. */
  maxAgeSeconds: number
}

/** Options of every cookie we set: unreadable for scripts, not sent by other sites' forms and fetches. */
export function cookieOptions(settings: CookieSettings): CookieSerializeOptions {
  return {
    path: '/',
    httpOnly: true,
    sameSite: settings.isSecure && settings.isCrossSite ? 'none' : 'lax',
    secure: settings.isSecure,
    maxAge: settings.maxAgeSeconds,
  }
}

/** Gives the browser its tokens. */
export function setSessionCookies(reply: FastifyReply, tokens: CookieTokens, settings: CookieSettings): void {
  const options = cookieOptions(settings)
  reply.setCookie(accessCookie, tokens.accessToken, options)
  reply.setCookie(refreshCookie, tokens.refreshToken, options)
}

/** Takes the browser's tokens away. */
export function clearSessionCookies(reply: FastifyReply, settings: CookieSettings): void {
  const options = cookieOptions({ ...settings, maxAgeSeconds: 0 })
  for (const name of [accessCookie, refreshCookie, csrfCookie]) {
    reply.setCookie(name, '', options)
  }
}

/** The tokens that came with a request's cookies. */
export function readSessionCookies(request: FastifyRequest): Partial<CookieTokens> {
  const { [accessCookie]: accessToken, [refreshCookie]: refreshToken } = request.cookies
  return { ...(accessToken ? { accessToken } : {}), ...(refreshToken ? { refreshToken } : {}) }
}

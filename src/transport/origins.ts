import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'

/** From which pages browsers may open sockets. */
export interface OriginRules {
  /** Our own address; asked each time, since a free port is known late. */
  publicUrl: () => string | undefined
  /** Exact origins besides our own. */
  corsOrigins: readonly string[]
}

/**
 * Whether the page that opens a socket is one of ours or of those allowed. Browsers always say where a page is from;
 * a program that says nothing passes, because nobody can make it send another person's cookies.
 */
export function isTrustedOrigin(request: IncomingMessage, rules: OriginRules): boolean {
  const { origin, host = '' } = request.headers
  if (origin === undefined || rules.corsOrigins.includes(origin)) return true
  const page = URL.canParse(origin) ? new URL(origin) : null
  if (page?.origin !== origin) return false
  const own = rules.publicUrl()
  const ours = own === undefined ? null : new URL(own)
  if (page.host === ours?.host) return page.protocol === ours.protocol
  if (page.host !== hostOf(page.protocol, host)) return false
  const isSecure = ours?.protocol === 'https:' || (request.socket as TLSSocket).encrypted === true
  return page.protocol === 'https:' || (page.protocol === 'http:' && !isSecure)
}

/** The Host header as a URL writes it: without the protocol's own port. */
function hostOf(protocol: string, host: string): string {
  const url = `${protocol}//${host}`
  return URL.canParse(url) ? new URL(url).host : ''
}

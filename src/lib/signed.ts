import { createHmac, timingSafeEqual } from 'node:crypto'
import { AppError } from './errors.ts'

/** What a signed token is for: a secret key, one purpose, and a clock that tests may turn. */
export interface Signer {
  key: string | Uint8Array
  purpose: string
  now?: () => number
}

/**
 * A URL-safe token that carries `payload` readably and holds until `expiresAt` (milliseconds). Whoever lacks the key can
 * neither make nor change one, and one made for another purpose does not pass.
 */
export function sign(signer: Signer, payload: unknown, expiresAt: number): string {
  const body = Buffer.from(JSON.stringify([Math.floor(expiresAt / 1000), payload])).toString('base64url')
  return `${body}.${mac(signer, body)}`
}

/** The payload of a token. Throws AppError: `missing` for one that we did not make for this purpose, `gone` for an old one. */
export function verify(signer: Signer, token: string): unknown {
  const dot = token.indexOf('.')
  const body = token.slice(0, Math.max(dot, 0))
  // Compared as text, so that there is one spelling of each token.
  const given = Buffer.from(token.slice(dot + 1))
  const expected = Buffer.from(mac(signer, body))
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new AppError('missing', 'LINK_UNKNOWN', 'This link does not exist')
  }
  const [expiresAt, payload] = JSON.parse(Buffer.from(body, 'base64url').toString()) as [number, unknown]
  if ((signer.now ?? Date.now)() >= expiresAt * 1000) {
    throw new AppError('gone', 'LINK_EXPIRED', 'This link has expired')
  }
  return payload
}

function mac(signer: Signer, body: string): string {
  return createHmac('sha256', signer.key).update(`${signer.purpose}\0${body}`).digest('base64url')
}

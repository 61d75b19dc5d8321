import { createHash } from 'node:crypto'
import { createSigner, createVerifier } from 'fast-jwt'
import { AppError } from '../../lib/errors.ts'
import { isId } from '../../lib/ids.ts'
import { deriveKey } from '../../lib/seal.ts'

/** What an access token says, once it is believed. Times are seconds since 1970. */
export interface AccessClaims {
  accountId: string
  sessionId: string
  issuedAt: number
  expiresAt: number
}

export interface AccessTokenOptions {
  /** The secret that signs, then retired ones whose tokens are still believed. */
  secrets: readonly [string, ...string[]]
  lifetimeSeconds: number
  issuer?: string
  now: () => number
}

const algorithm = 'HS256'
const audience = 'atelier-api'
const type = 'access'
const maxTokenLength = 2048
const leewaySeconds = 30

export type AccessTokens = ReturnType<typeof createAccessTokens>

/**
 * Signs and checks access tokens. Algorithm, key and type come from here alone: a token must begin with exactly the
 * header that one of our keys writes. `verify` throws 401 TOKEN_EXPIRED or INVALID_TOKEN.
 */
export function createAccessTokens(options: AccessTokenOptions) {
  const issuer = options.issuer ?? 'atelier'
  const [signing, ...retired] = options.secrets.map(secret => createKey(secret)) as [Key, ...Key[]]
  const keys = new Map([...retired, signing].map(key => [key.header, key]))

  return {
    lifetimeSeconds: options.lifetimeSeconds,
    sign(
      identity: { accountId: string; sessionId: string },
      lifetimeSeconds = options.lifetimeSeconds,
    ): string {
      const issuedAt = Math.floor(options.now() / 1000)
      return signing.sign({
        iss: issuer,
        aud: audience,
        typ: type,
        sub: identity.accountId,
        sid: identity.sessionId,
        iat: issuedAt,
        exp: issuedAt + lifetimeSeconds,
      })
    },
    verify(token: string): AccessClaims {
      const key =
        token.length <= maxTokenLength ? keys.get(token.slice(0, token.indexOf('.') + 1)) : undefined
      if (!key) throw invalidToken()
      let payload: unknown
      try {
        payload = key.verify(token)
      } catch (cause) {
        throw invalidToken(cause)
      }
      return readClaims(payload, { issuer, nowSeconds: options.now() / 1000 })
    },
  }
}

interface Key {
  /** The encoded header with its dot, the same for every token of this key. */
  header: string
  sign(payload: Record<string, unknown>): string
  verify(token: string): unknown
}

function createKey(secret: string): Key {
  const key = deriveKey(secret, 'access-token')
  const id = createHash('sha256').update(key).digest('base64url').slice(0, 8)
  const sign = createSigner({
    key,
    algorithm,
    header: { alg: algorithm, typ: 'at+jwt', kid: id },
  })
  // Claims are checked below, by our clock and with our strictness.
  const verify = createVerifier({
    key,
    algorithms: [algorithm],
    ignoreExpiration: true,
    ignoreNotBefore: true,
  })
  const sample = sign({})
  return { header: sample.slice(0, sample.indexOf('.') + 1), sign, verify }
}

function readClaims(payload: unknown, expected: { issuer: string; nowSeconds: number }): AccessClaims {
  const { nowSeconds } = expected
  const claims = (typeof payload === 'object' && payload !== null ? payload : {}) as Record<string, unknown>
  const { iss, aud, typ, sub, sid, iat, exp, nbf } = claims
  const isOurs = iss === expected.issuer && aud === audience && typ === type
  const isWhole = typeof sub === 'string' && isId(sub) && typeof sid === 'string' && isId(sid)
  if (!isOurs || !isWhole || !isTime(iat) || !isTime(exp) || (nbf !== undefined && !isTime(nbf)))
    throw invalidToken()
  if (iat > nowSeconds + leewaySeconds || (nbf !== undefined && nbf > nowSeconds + leewaySeconds))
    throw invalidToken()
  if (exp <= nowSeconds) throw new AppError('unauthenticated', 'TOKEN_EXPIRED', 'Token expired.')
  return { accountId: sub, sessionId: sid, issuedAt: iat, expiresAt: exp }
}

const farFuture = 10_000_000_000

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value < farFuture
}

/** The answer to a token that is not ours, whatever is wrong with it. */
export function invalidToken(cause?: unknown): AppError {
  return new AppError(
    'unauthenticated',
    'INVALID_TOKEN',
    'Invalid token.',
    cause === undefined ? {} : { cause },
  )
}

import { AppError } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import { networkOf } from '../../lib/networks.ts'
import { hashToken, keyedHash, randomToken } from '../../lib/seal.ts'
import type { Database } from '../../platform/database/index.ts'
import type { Parts } from './parts.ts'
import { type Client, noteSecurityEvent } from './security-log.ts'
import {
  endSessions,
  findChildToken,
  insertRefreshToken,
  insertSession,
  lockRefreshToken,
  markRefreshTokenUsed,
  type RefreshTokenRow,
  touchSession,
} from './store-sessions.ts'

/** What a client holds after signing in. `expiresIn` is the access token's life in seconds. */
export interface SessionTokens {
  accountId: string
  sessionId: string
  accessToken: string
  refreshToken: string
  expiresIn: number
}

/** What the caller of a sign-in wants of its session. */
export interface SessionWish {
  /** By which the person recognises the device; made from the user agent when absent. */
  name?: string | undefined
  /** For clients that know only one token; the configured lifetime when absent. */
  accessLifetimeSeconds?: number | undefined
}

const day = 24 * 60 * 60 * 1000
/** How long a refresh token can be used, counted from its own making. */
export const refreshLifetimeMs = 7 * day
/** However often it is renewed, a session ends after this. */
const sessionMaxMs = 90 * day
/** How long an exchanged token still gives the same child, for clients that lost the answer. */
const graceMs = 10_000
const refreshPrefix = 'atr_'

/** Starts a session inside the caller's transaction: one sign-in on one device, with its first tokens. */
export async function startSession(
  parts: Parts,
  db: Database,
  input: { accountId: string; client: Client; wish?: SessionWish | undefined },
): Promise<SessionTokens> {
  const now = new Date(parts.now())
  const sessionId = newId()
  const lifetimeSeconds = input.wish?.accessLifetimeSeconds ?? parts.tokens.lifetimeSeconds
  await insertSession(db, {
    id: sessionId,
    accountId: input.accountId,
    name: input.wish?.name?.trim() || deviceName(input.client.userAgent),
    userAgent: input.client.userAgent?.slice(0, 400) ?? null,
    ip: input.client.ip,
    network: networkOf(input.client.ip),
    now,
    expiresAt: sessionExpiry(lifetimeSeconds, now, now),
  })
  const refreshToken = randomToken(refreshPrefix)
  const expiresAt = new Date(now.getTime() + refreshLifetimeMs)
  await insertRefreshToken(db, {
    id: newId(),
    sessionId,
    parentId: null,
    hash: hashToken(refreshToken),
    now,
    expiresAt,
  })
  return tokensOf(parts, { accountId: input.accountId, sessionId, refreshToken, lifetimeSeconds })
}

/** Starts a session without asking for any proof, for the operator's own tools. */
export function openSession(
  parts: Parts,
  input: { accountId: string; client: Client; wish?: SessionWish | undefined },
): Promise<SessionTokens> {
  return parts.db.transaction().execute(db => startSession(parts, db, input))
}

type Verdict = { tokens: SessionTokens } | { reused: RefreshTokenRow } | { refused: true }

/**
 * Exchanges a refresh token for its one child. Asked again within ten seconds (in parallel, or because the answer was
 * lost) it gives the same child, until that child is used; any other second use ends the session. Throws 401.
 */
export async function refreshSession(
  parts: Parts,
  input: { refreshToken: string; client: Client },
): Promise<SessionTokens> {
  const now = new Date(parts.now())
  const verdict = await parts.db.transaction().execute(async db => {
    const token = await lockRefreshToken(db, hashToken(input.refreshToken), now)
    const outcome = await judge(parts, db, { token, presented: input.refreshToken, now })
    if ('reused' in outcome) await endReused(db, outcome.reused, { client: input.client, now })
    return outcome
  })
  if ('tokens' in verdict) return verdict.tokens
  if ('reused' in verdict) await parts.presence.end([verdict.reused.sessionId])
  await parts.limits.wrongRefresh(input.client)
  throw new AppError(
    'unauthenticated',
    'INVALID_REFRESH_TOKEN',
    'This session has ended. Please sign in again.',
  )
}

async function judge(
  parts: Parts,
  db: Database,
  input: { token: RefreshTokenRow | null; presented: string; now: Date },
): Promise<Verdict> {
  const { token, presented, now } = input
  if (!token?.isSessionLive || token.status === 'banned') return { refused: true }
  if (token.usedAt === null) {
    return token.expiresAt > now
      ? { tokens: await exchange(parts, db, { token, presented, now }) }
      : { refused: true }
  }
  const child = await findChildToken(db, token.id)
  const isWithinGrace = now.getTime() - token.usedAt.getTime() <= graceMs
  if (!child || child.usedAt !== null || !isWithinGrace) return { reused: token }
  return { tokens: tokensOf(parts, { ...token, refreshToken: childToken(parts, presented, child.id) }) }
}

async function exchange(
  parts: Parts,
  db: Database,
  input: { token: RefreshTokenRow; presented: string; now: Date },
): Promise<SessionTokens> {
  const { token, presented, now } = input
  const id = newId()
  const refreshToken = childToken(parts, presented, id)
  const sessionEnd = sessionExpiry(parts.tokens.lifetimeSeconds, token.sessionStartedAt, now)
  const expiresAt = new Date(Math.min(now.getTime() + refreshLifetimeMs, sessionEnd.getTime()))
  await insertRefreshToken(db, {
    id,
    sessionId: token.sessionId,
    parentId: token.id,
    hash: hashToken(refreshToken),
    now,
    expiresAt,
  })
  await markRefreshTokenUsed(db, token.id, now)
  await touchSession(db, token.sessionId, { now, expiresAt: sessionEnd })
  return tokensOf(parts, { ...token, refreshToken })
}

async function endReused(
  db: Database,
  token: RefreshTokenRow,
  at: { client: Client; now: Date },
): Promise<void> {
  const { accountId, sessionId } = token
  await endSessions(db, { accountId, id: sessionId, reason: 'refresh-reuse', now: at.now })
  await noteSecurityEvent(db, at.now, {
    kind: 'refresh-token-reused',
    accountId,
    sessionId,
    client: at.client,
  })
}

/** The child follows from its parent's secret, so that only who holds the parent can be told it again. */
function childToken(parts: Parts, parentToken: string, childId: string): string {
  return refreshPrefix + keyedHash(parts.keys.refresh, parentToken, childId).toString('base64url')
}

function tokensOf(
  parts: Parts,
  input: { accountId: string; sessionId: string; refreshToken: string; lifetimeSeconds?: number },
): SessionTokens {
  const { accountId, sessionId, refreshToken } = input
  const expiresIn = input.lifetimeSeconds ?? parts.tokens.lifetimeSeconds
  const accessToken = parts.tokens.sign({ accountId, sessionId }, expiresIn)
  return { accountId, sessionId, accessToken, refreshToken, expiresIn }
}

/** A session lasts as long as its longest token, renewed at most until its own end. */
function sessionExpiry(lifetimeSeconds: number, startedAt: Date, now: Date): Date {
  const life = Math.max(refreshLifetimeMs, lifetimeSeconds * 1000)
  const latest = startedAt.getTime() + Math.max(sessionMaxMs, lifetimeSeconds * 1000)
  return new Date(Math.min(now.getTime() + life, latest))
}

const browsers: readonly [RegExp, string][] = [
  [/Edg\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/Firefox\//, 'Firefox'],
  [/Chrome\//, 'Chrome'],
  [/Safari\//, 'Safari'],
  [/^curl\//, 'curl'],
]
const systems: readonly [RegExp, string][] = [
  [/iPhone|iPad/, 'iOS'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux/, 'Linux'],
]

/** A name that a person recognises a device by, such as "Firefox on Linux". */
export function deviceName(userAgent: string | null): string {
  if (!userAgent) return 'Unknown device'
  const browser = browsers.find(([pattern]) => pattern.test(userAgent))?.[1]
  const system = systems.find(([pattern]) => pattern.test(userAgent))?.[1]
  if (browser && system) return `${browser} on ${system}`
  return browser ?? system ?? 'Unknown device'
}

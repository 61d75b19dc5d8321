import { AppError } from '../../lib/errors.ts'
import type { Cache } from '../../platform/cache/index.ts'
import type { Database } from '../../platform/database/index.ts'
import type { Role } from './store.ts'
import { findLiveAmong, findLiveSession, type SessionState } from './store-sessions.ts'
import { type AccessClaims, type AccessTokens, invalidToken } from './tokens.ts'

/** Who is calling: one live session of one account. */
export interface AccountIdentity {
  accountId: string
  sessionId: string
  role: Role
}

export interface PresenceDeps {
  db: Database
  cache: Cache
  tokens: AccessTokens
  now: () => number
  /** How long a session's state is believed without asking the database again. */
  freshMs?: number
}

interface Remembered {
  identity: AccountIdentity | null
  /** When the database last vouched for it. */
  checkedAt: number
  /** An ended session never comes back. */
  isEnded: boolean
  /** Counts what made earlier answers of the database worthless. */
  version: number
  pending: Promise<void> | null
}

type Note = { sessions: readonly string[] } | { changed: string }

const maxTokens = 20_000
const channel = 'accounts'

export type Presence = ReturnType<typeof createPresence>

/**
 * Knows which sessions are live. A token seen before costs no signature check and no query for `freshMs`; what ends here
 * is refused here at once, in other processes as soon as the cache's message or the next query tells them.
 */
export function createPresence(deps: PresenceDeps) {
  const freshMs = deps.freshMs ?? 4000
  const claimsOf = new Map<string, AccessClaims>()
  const sessions = new Map<string, Remembered>()
  const watchers = new Map<string, Set<() => void>>()

  const recall = (sessionId: string) => remember(sessions, sessionId)

  function endHere(ids: readonly string[]): void {
    for (const id of ids) {
      Object.assign(recall(id), { isEnded: true, identity: null })
      const listeners = watchers.get(id)
      watchers.delete(id)
      for (const listener of listeners ?? []) listener()
    }
  }

  function doubt(accountId: string): void {
    for (const state of sessions.values()) {
      if (state.identity?.accountId === accountId)
        Object.assign(state, { checkedAt: 0, version: state.version + 1 })
    }
  }

  async function authenticate(token: string): Promise<AccountIdentity> {
    const claims = claimsOf.get(token) ?? learn(deps.tokens, claimsOf, token)
    if (claims.expiresAt * 1000 <= deps.now()) {
      claimsOf.delete(token)
      throw new AppError('unauthenticated', 'TOKEN_EXPIRED', 'Token expired.')
    }
    const state = recall(claims.sessionId)
    if (!state.isEnded && deps.now() - state.checkedAt >= freshMs)
      await refresh(deps, state, claims.sessionId)
    const { identity } = state
    if (state.isEnded || !identity) throw sessionEnded()
    if (identity.accountId !== claims.accountId) throw invalidToken()
    return identity
  }

  async function recognise(sessionId: string): Promise<AccountIdentity> {
    const state = recall(sessionId)
    if (!state.isEnded && deps.now() - state.checkedAt >= freshMs) await refresh(deps, state, sessionId)
    if (state.isEnded || !state.identity) throw sessionEnded()
    return state.identity
  }

  const hear = (message: string) => {
    const note = JSON.parse(message) as Note
    if ('sessions' in note) endHere(note.sessions)
    else doubt(note.changed)
  }
  const subscription = deps.cache.subscribe(channel, hear)
  const timer = setInterval(() => void checkWatched(deps, watchers, endHere).catch(() => undefined), freshMs)
  timer.unref()

  return {
    authenticate,
    /** Whose session this is, for what stands in for a token. Throws AppError unauthenticated when it has ended. */
    recognise,
    /** Refuses these sessions from now on, here and in every other process. Call it after the database knows. */
    async end(ids: readonly string[]): Promise<void> {
      if (ids.length === 0) return
      endHere(ids)
      await deps.cache.publish(channel, JSON.stringify({ sessions: ids }))
    },
    /** Makes every process read the account's role and status again. */
    async changed(accountId: string): Promise<void> {
      doubt(accountId)
      await deps.cache.publish(channel, JSON.stringify({ changed: accountId }))
    },
    /** Calls back once when the session ends, at most about five seconds after it did; returns how to stop watching. */
    watch(sessionId: string, onEnd: () => void): () => void {
      const listeners = watchers.get(sessionId) ?? new Set()
      watchers.set(sessionId, listeners.add(onEnd))
      return () => {
        listeners.delete(onEnd)
        if (listeners.size === 0 && watchers.get(sessionId) === listeners) watchers.delete(sessionId)
      }
    },
    async close(): Promise<void> {
      clearInterval(timer)
      await (await subscription)()
    },
  }
}

function remember(sessions: Map<string, Remembered>, id: string): Remembered {
  const known = sessions.get(id)
  if (known) return known
  const state: Remembered = { identity: null, checkedAt: 0, isEnded: false, version: 0, pending: null }
  sessions.set(id, state)
  dropOldest(sessions)
  return state
}

function learn(tokens: AccessTokens, claimsOf: Map<string, AccessClaims>, token: string): AccessClaims {
  const claims = tokens.verify(token)
  claimsOf.set(token, claims)
  dropOldest(claimsOf)
  return claims
}

function dropOldest(map: Map<string, unknown>): void {
  if (map.size <= maxTokens) return
  const oldest = map.keys().next()
  if (!oldest.done) map.delete(oldest.value)
}

/** Asks the database once for all who wait; an answer from before a change is not believed. */
async function refresh(deps: PresenceDeps, state: Remembered, sessionId: string): Promise<void> {
  state.pending ??= (async () => {
    const { version } = state
    const askedAt = deps.now()
    const found = await findLiveSession(deps.db, sessionId, new Date(askedAt))
    state.identity = found && found.status !== 'banned' ? identityOf(found) : null
    if (state.version === version) state.checkedAt = askedAt
  })().finally(() => {
    state.pending = null
  })
  await state.pending
}

function identityOf(state: SessionState): AccountIdentity {
  return { accountId: state.accountId, sessionId: state.sessionId, role: state.role }
}

async function checkWatched(
  deps: PresenceDeps,
  watchers: ReadonlyMap<string, unknown>,
  endHere: (ids: readonly string[]) => void,
): Promise<void> {
  const ids = [...watchers.keys()]
  if (ids.length === 0) return
  const live = await findLiveAmong(deps.db, ids, new Date(deps.now()))
  endHere(ids.filter(id => !live.has(id)))
}

function sessionEnded(): AppError {
  return new AppError('unauthenticated', 'SESSION_ENDED', 'This session has ended. Please sign in again.')
}

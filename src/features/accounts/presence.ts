import { AppError } from '../../lib/errors.ts'
import type { Cache } from '../../platform/cache/index.ts'
import type { Database } from '../../platform/database/index.ts'
import type { Role } from './store.ts'
import { findLiveSessions, type SessionState } from './store-sessions.ts'
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
  usedAt: number
  /** An ended session never comes back. */
  isEnded: boolean
  /** Counts what made earlier answers of the database worthless. */
  version: number
  pending: Promise<void> | null
}

type Note = { sessions: readonly string[] } | { changed: string }

const maxRemembered = 20_000
/** Whoever was here within this time finds an answer: these sessions are asked for again before theirs is too old. */
const usedLatelyMs = 5 * 60_000
const channel = 'accounts'

/**
 * Knows which sessions are live. A token seen before costs no signature check and no query for `freshMs`; what ends here
 * is refused here at once, in other processes as soon as the cache's message or the next query tells them.
 */
export class Presence {
  readonly #deps: PresenceDeps
  readonly #freshMs: number
  readonly #claims = new Map<string, AccessClaims>()
  readonly #sessions = new Map<string, Remembered>()
  readonly #watchers = new Map<string, Set<() => void>>()
  readonly #subscription: Promise<() => Promise<void>>
  readonly #timer: NodeJS.Timeout

  constructor(deps: PresenceDeps) {
    this.#deps = deps
    this.#freshMs = deps.freshMs ?? 4000
    this.#subscription = deps.cache.subscribe(channel, message => this.#hear(message))
    this.#timer = setInterval(() => void this.#checkKnown().catch(() => undefined), this.#freshMs / 2)
    this.#timer.unref()
  }

  /** The identity behind an access token. Throws AppError unauthenticated. */
  async authenticate(token: string): Promise<AccountIdentity> {
    const claims = this.#claims.get(token) ?? this.#learn(token)
    if (claims.expiresAt * 1000 <= this.#deps.now()) {
      this.#claims.delete(token)
      throw new AppError('unauthenticated', 'TOKEN_EXPIRED', 'Token expired.')
    }
    const identity = await this.recognise(claims.sessionId)
    if (identity.accountId !== claims.accountId) throw invalidToken()
    return identity
  }

  /** Whose session this is, for what stands in for a token. Throws AppError unauthenticated when it has ended. */
  async recognise(sessionId: string): Promise<AccountIdentity> {
    const state = this.#recall(sessionId)
    state.usedAt = this.#deps.now()
    const isStale = state.usedAt - state.checkedAt >= this.#freshMs
    if (isStale && !state.isEnded) await this.#refresh(state, sessionId)
    if (state.isEnded || !state.identity) {
      throw new AppError('unauthenticated', 'SESSION_ENDED', 'This session has ended. Please sign in again.')
    }
    return state.identity
  }

  /** Refuses these sessions from now on, here and in every other process. Call it after the database knows. */
  async end(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    this.#endHere(ids)
    await this.#deps.cache.publish(channel, JSON.stringify({ sessions: ids }))
  }

  /** Makes every process read the account's role and status again. */
  async changed(accountId: string): Promise<void> {
    this.#doubt(accountId)
    await this.#deps.cache.publish(channel, JSON.stringify({ changed: accountId }))
  }

  /** Calls back once when the session ends, at most about five seconds after it did; returns how to stop watching. */
  watch(sessionId: string, onEnd: () => void): () => void {
    const listeners = this.#watchers.get(sessionId) ?? new Set()
    this.#watchers.set(sessionId, listeners.add(onEnd))
    if (this.#sessions.get(sessionId)?.isEnded) queueMicrotask(() => this.#endHere([sessionId]))
    return () => {
      listeners.delete(onEnd)
      if (listeners.size === 0 && this.#watchers.get(sessionId) === listeners)
        this.#watchers.delete(sessionId)
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    const unsubscribe = await this.#subscription
    await unsubscribe()
  }

  #hear(message: string): void {
    const note = JSON.parse(message) as Note
    if ('sessions' in note) this.#endHere(note.sessions)
    else this.#doubt(note.changed)
  }

  #endHere(ids: readonly string[]): void {
    for (const id of ids) {
      Object.assign(this.#recall(id), { isEnded: true, identity: null })
      const listeners = this.#watchers.get(id)
      this.#watchers.delete(id)
      for (const listener of listeners ?? []) listener()
    }
  }

  #doubt(accountId: string): void {
    for (const state of this.#sessions.values()) {
      if (state.identity?.accountId !== accountId) continue
      state.checkedAt = 0
      state.version++
    }
  }

  #recall(id: string): Remembered {
    const known = this.#sessions.get(id)
    if (known) return known
    const fresh = { identity: null, checkedAt: 0, usedAt: 0, isEnded: false, version: 0, pending: null }
    const state: Remembered = fresh
    this.#sessions.set(id, state)
    dropOldest(this.#sessions)
    return state
  }

  #learn(token: string): AccessClaims {
    const claims = this.#deps.tokens.verify(token)
    this.#claims.set(token, claims)
    dropOldest(this.#claims)
    return claims
  }

  /** Asks the database once for all who wait; an answer from before a change is not believed for long. */
  async #refresh(state: Remembered, sessionId: string): Promise<void> {
    state.pending ??= this.#ask(state, sessionId).finally(() => {
      state.pending = null
    })
    await state.pending
  }

  async #ask(state: Remembered, sessionId: string): Promise<void> {
    await this.#askAll(new Map([[sessionId, state]]))
  }

  /** Asks for many in one statement; gives those that are live. */
  async #askAll(states: ReadonlyMap<string, Remembered>): Promise<Set<string>> {
    const asked = [...states].map(([id, state]) => ({ id, state, version: state.version }))
    const askedAt = this.#deps.now()
    const ids = asked.map(({ id }) => id)
    const found = await findLiveSessions(this.#deps.db, ids, new Date(askedAt))
    const live = new Set<string>()
    for (const { id, state, version } of asked) {
      if (state.isEnded) continue
      const now = found.get(id)
      state.identity = now && now.status !== 'banned' ? identityOf(now) : null
      if (state.identity) live.add(id)
      if (state.version === version) state.checkedAt = askedAt
    }
    return live
  }

  /** Asks again for the sessions that are watched, which end when they are not live, and for those that were used lately. */
  async #checkKnown(): Promise<void> {
    const since = this.#deps.now() - usedLatelyMs
    const watched = [...this.#watchers.keys()]
    const states = new Map(watched.map(id => [id, this.#recall(id)]))
    for (const [id, state] of this.#sessions)
      if (state.identity && state.usedAt > since) states.set(id, state)
    if (states.size === 0) return
    const live = await this.#askAll(states)
    this.#endHere(watched.filter(id => !live.has(id)))
  }
}

function dropOldest(map: Map<string, unknown>): void {
  if (map.size <= maxRemembered) return
  const oldest = map.keys().next()
  if (!oldest.done) map.delete(oldest.value)
}

function identityOf(state: SessionState): AccountIdentity {
  return { accountId: state.accountId, sessionId: state.sessionId, role: state.role }
}

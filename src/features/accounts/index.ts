import { setImmediate as nextTurn } from 'node:timers/promises'
import { AppError } from '../../lib/errors.ts'
import { deriveKey } from '../../lib/seal.ts'
import type { Cache } from '../../platform/cache/index.ts'
import type { Database } from '../../platform/database/index.ts'
import type { Mail } from '../../platform/mail/index.ts'
import type { Sms } from '../../platform/sms/index.ts'
import { banAccount, readSecurityEvents, searchAccounts, setRoleByEmail, unbanAccount } from './admin.ts'
import { requestCode, verifyCode } from './codes.ts'
import { listDevices, nameDevice, revokeDevice, revokeOtherDevices } from './devices.ts'
import { eraseAccount, eraseOwnAccount } from './erasure.ts'
import { type Erase, Erasures } from './erasures.ts'
import { createLimits, defaultLimits, type LimitSettings } from './limits.ts'
import type { AccountSettings, Begin, Closing, Parts } from './parts.ts'
import { createPasswords, type PasswordCost } from './passwords.ts'
import { confirmSignUp, refuseTaken, verifySignUp } from './pending.ts'
import { Presence } from './presence.ts'
import { changeAddress, changePlan, putOnPlan, readAccount, updateProfile } from './profile.ts'
import { changePassword, forgotPassword, resetPassword } from './recovery.ts'
import { noteSecurityEvent, type SecurityEventInput } from './security-log.ts'
import { openSession, refreshSession } from './sessions.ts'
import { signIn, signInByCode, signOut } from './sign-in.ts'
import { addAccount, signUp } from './sign-up.ts'
import { tidyAccounts } from './tidy.ts'
import { createAccessTokens } from './tokens.ts'

export type { SignUp } from './candidate.ts'
export type { Erase } from './erasures.ts'
export type { LimitSettings } from './limits.ts'
export type { AccountSettings, Begin, Closing } from './parts.ts'
export type { PasswordPolicy } from './passwords.ts'
export type { AwaitingCode } from './pending.ts'
export type { AccountIdentity } from './presence.ts'
export type { Client, SecurityEventInput } from './security-log.ts'
export type { SessionTokens, SessionWish } from './sessions.ts'
export type { SignedInAccount } from './view.ts'
export { clientOf, type WebSessions } from './web-sessions.ts'

export interface AccountsDeps {
  db: Database
  cache: Cache
  mail: Mail
  sms: Sms
  /** The secret that signs, then retired ones whose access tokens are still believed. */
  secrets: readonly [string, ...string[]]
  accessLifetimeSeconds: number
  settings: AccountSettings
  /** Told of work that failed after its answer. */
  report: (error: unknown, what: string) => void
  limits?: Partial<LimitSettings>
  passwordCost?: PasswordCost
  now?: () => number
}

/** Counts of an account for its statistics, by name. */
export type Statistics = (accountId: string) => Promise<Record<string, number>>

export type Accounts = ReturnType<typeof createAccounts>

/** Who people are: signing up and in, sessions, codes, passwords, profiles. */
export function createAccounts(deps: AccountsDeps) {
  const background = createBackground(deps.report)
  const parts = createParts(deps, background.start)
  const statistics: Statistics[] = []

  return {
    signUp: bind(parts, signUp),
    verifySignUp: bind(parts, verifySignUp),
    confirmSignUp: bind(parts, confirmSignUp),
    refuseTaken: bind(parts, refuseTaken),
    addAccount: bind(parts, addAccount),
    signIn: bind(parts, signIn),
    signInByCode: bind(parts, signInByCode),
    signOut: bind(parts, signOut),
    openSession: bind(parts, openSession),
    refresh: bind(parts, refreshSession),
    requestCode: bind(parts, requestCode),
    verifyCode: bind(parts, verifyCode),
    forgotPassword: bind(parts, forgotPassword),
    resetPassword: bind(parts, resetPassword),
    changePassword: bind(parts, changePassword),

    read: bind(parts, readAccount),
    update: bind(parts, updateProfile),
    changeAddress: bind(parts, changeAddress),
    changePlan: bind(parts, changePlan),
    putOnPlan: bind(parts, putOnPlan),
    /** Every process hears that an account is on another plan. */
    planChanged: (accountId: string) => parts.presence.changed(accountId),
    statistics: (accountId: string) => collect(statistics, accountId),
    onStatistics: (counts: Statistics) => void statistics.push(counts),

    listSessions: bind(parts, listDevices),
    nameSession: bind(parts, nameDevice),
    revokeSession: bind(parts, revokeDevice),
    revokeOtherSessions: bind(parts, revokeOtherDevices),

    eraseOwn: bind(parts, eraseOwnAccount),
    onBegin: (begin: Begin) => void parts.beginnings.push(begin),
    onBan: (stop: Closing) => void parts.closings.push(stop),
    erase: bind(parts, eraseAccount),
    onErase: (name: string, erase: Erase) => parts.erasures.add(name, erase),
    tidy: bind(parts, tidyAccounts),

    search: bind(parts, searchAccounts),
    ban: bind(parts, banAccount),
    unban: bind(parts, unbanAccount),
    setRole: bind(parts, setRoleByEmail),
    securityEvents: bind(parts, readSecurityEvents),
    noteSecurityEvent: (event: SecurityEventInput, db: Database = parts.db) =>
      noteSecurityEvent(db, new Date(parts.now()), event),

    /** The live session behind an access token; throws 401. Cheap to ask again for the same token. */
    authenticate: (token: string) => parts.presence.authenticate(token),
    /** The identity behind a session's id. Throws AppError unauthenticated when the session has ended. */
    recognise: (sessionId: string) => parts.presence.recognise(sessionId),
    /** Calls back when a session has ended, at most about five seconds after it did; for sockets and streams. */
    watchSession: (sessionId: string, onEnd: () => void) => parts.presence.watch(sessionId, onEnd),
    csrfKey: parts.keys.csrf,

    /** Resolves when everything that answers did not wait for is done. */
    idle: background.idle,
    async close() {
      await background.idle()
      await parts.presence.close()
    },
  }
}

function bind<Args extends unknown[], Result>(
  parts: Parts,
  operation: (parts: Parts, ...args: Args) => Result,
) {
  return (...args: Args) => operation(parts, ...args)
}

async function collect(sources: readonly Statistics[], accountId: string): Promise<Record<string, number>> {
  const counts = await Promise.all(sources.map(source => source(accountId)))
  return Object.assign({}, ...counts) as Record<string, number>
}

function createParts(deps: AccountsDeps, later: Parts['later']): Parts {
  const { db, cache, mail, sms, settings } = deps
  const now = deps.now ?? Date.now
  const [secret] = deps.secrets
  const tokens = createAccessTokens({
    secrets: deps.secrets,
    lifetimeSeconds: deps.accessLifetimeSeconds,
    now,
  })
  return {
    db,
    cache,
    mail,
    sms,
    settings,
    now,
    tokens,
    passwords: createPasswords(deps.passwordCost ? { cost: deps.passwordCost } : {}),
    presence: new Presence({ db, cache, tokens, now }),
    erasures: new Erasures(deps.report),
    beginnings: [],
    closings: [],
    limits: createLimits(cache, { ...defaultLimits, ...deps.limits }),
    keys: {
      refresh: deriveKey(secret, 'refresh-token'),
      codes: deriveKey(secret, 'one-time-code'),
      standIns: deriveKey(secret, 'stand-in-id'),
      csrf: deriveKey(secret, 'csrf-token'),
    },
    later,
  }
}

/** Work that answers do not wait for, but closing does. */
function createBackground(report: (error: unknown, what: string) => void) {
  const running = new Set<Promise<void>>()
  return {
    start(work: () => Promise<void>): void {
      // In a turn of its own: the answer goes out first, whatever the work is.
      const task = nextTurn()
        .then(work)
        .catch(error => report(error, error instanceof AppError ? error.code : 'background work of accounts'))
        .finally(() => running.delete(task))
      running.add(task)
    },
    async idle(): Promise<void> {
      while (running.size > 0) await Promise.all(running)
    },
  }
}

import { AppError, missing } from '../../lib/errors.ts'
import { deriveKey } from '../../lib/seal.ts'
import type { Cache } from '../../platform/cache/index.ts'
import type { Database } from '../../platform/database/index.ts'
import type { Mail } from '../../platform/mail/index.ts'
import type { Sms } from '../../platform/sms/index.ts'
import { sendCode, verifyCode } from './codes.ts'
import { createLimits, defaultLimits, type LimitSettings } from './limits.ts'
import type { AccountSettings, Parts } from './parts.ts'
import { createPasswords, type PasswordCost } from './passwords.ts'
import { createPresence } from './presence.ts'
import type { Client } from './security-log.ts'
import { refreshSession } from './sessions.ts'
import { signIn, signInByCode, signOut } from './sign-in.ts'
import { signUp, verifySignUp } from './sign-up.ts'
import { findAccount } from './store.ts'
import { createAccessTokens } from './tokens.ts'
import { viewAccount } from './view.ts'

export type { AccountSettings } from './parts.ts'
export type { Client } from './security-log.ts'
export type { SessionTokens } from './sessions.ts'
export type { AwaitingCode, SignedInAccount, SignUp } from './sign-up.ts'

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

export type Accounts = ReturnType<typeof createAccounts>

/** Who people are: signing up and in, sessions, codes, passwords, profiles. */
export function createAccounts(deps: AccountsDeps) {
  const background = createBackground(deps.report)
  const parts = createParts(deps, background.start)

  return {
    signUp: (input: Parameters<typeof signUp>[1], client: Client) => signUp(parts, input, client),
    verifySignUp: (input: Parameters<typeof verifySignUp>[1], client: Client) =>
      verifySignUp(parts, input, client),
    signIn: (input: Parameters<typeof signIn>[1], client: Client) => signIn(parts, input, client),
    signInByCode: (input: Parameters<typeof signInByCode>[1], client: Client) =>
      signInByCode(parts, input, client),
    signOut: (identity: Parameters<typeof signOut>[1], client: Client) => signOut(parts, identity, client),
    refresh: (input: Parameters<typeof refreshSession>[1]) => refreshSession(parts, input),

    sendCode: (input: Parameters<typeof sendCode>[1]) => sendCode(parts, input),
    verifyCode: (input: Parameters<typeof verifyCode>[1]) => verifyCode(parts, input),

    async read(accountId: string) {
      const account = await findAccount(parts.db, accountId)
      if (!account) throw missing('Account')
      return viewAccount(account)
    },

    authenticate: parts.presence.authenticate,
    /** Calls back when a session has ended, at most about five seconds after it did; for sockets and streams. */
    watchSession: parts.presence.watch,
    csrfKey: parts.keys.csrf,

    async close() {
      await background.idle()
      await parts.presence.close()
    },
    /** Resolves when everything that answers did not wait for is done. */
    idle: background.idle,
  }
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
    presence: createPresence({ db, cache, tokens, now }),
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
      const task = work()
        .catch(error => report(error, error instanceof AppError ? error.code : 'background work of accounts'))
        .finally(() => running.delete(task))
      running.add(task)
    },
    async idle(): Promise<void> {
      while (running.size > 0) await Promise.all(running)
    },
  }
}

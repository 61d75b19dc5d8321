import type { Cache } from '../../platform/cache/index.ts'
import type { Database } from '../../platform/database/index.ts'
import type { Mail } from '../../platform/mail/index.ts'
import type { Sms } from '../../platform/sms/index.ts'
import type { Erasures } from './erasures.ts'
import type { Limits } from './limits.ts'
import type { Passwords } from './passwords.ts'
import type { Presence } from './presence.ts'
import type { AccessTokens } from './tokens.ts'

/** Begins what a feature keeps of a new account, in the transaction that makes it usable. May be called again. */
export type Begin = (db: Database, accountId: string) => Promise<void>

/** Stops what a feature does for an account that has been closed; what it keeps stays. May be called again. */
export type Closing = (accountId: string) => Promise<void>

/** What the operator decides about accounts. */
export interface AccountSettings {
  /** Where people reach us; the only origin that a link in a letter ever has. */
  publicUrl: string
  /** Whether an address must be proven before its account can be used. */
  signupVerification: 'required' | 'optional'
  refuseCommonPasswords: boolean
  /** Puts one-time codes into answers; never in production. */
  echoCodes: boolean
}

/** What every rule of this feature stands on. */
export interface Parts {
  db: Database
  cache: Cache
  mail: Mail
  sms: Sms
  now: () => number
  settings: AccountSettings
  tokens: AccessTokens
  passwords: Passwords
  presence: Presence
  limits: Limits
  erasures: Erasures
  /** Called in the transaction that makes an account usable; later features begin what they keep of it there. */
  beginnings: Begin[]
  /** Stops what later features do for an account that has been closed. */
  closings: Closing[]
  /** Keys for what is derived or hashed, one for each purpose. */
  keys: { refresh: Buffer; codes: Buffer; standIns: Buffer; csrf: Buffer }
  /** Starts work that the answer must not wait for; failures are logged, closing waits for it. */
  later: (work: () => Promise<void>) => void
}

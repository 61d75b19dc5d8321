import type { Cache, Limiter } from '../../platform/cache/index.ts'
import type { Database } from '../../platform/database/index.ts'
import type { Models } from '../../platform/models/index.ts'
import type { Accounts } from '../accounts/index.ts'
import type { ActiveKeys } from './active.ts'
import type { Keyring } from './sealing.ts'

export interface KeysDeps {
  db: Database
  cache: Cache
  models: Models
  accounts: Pick<Accounts, 'noteSecurityEvent'>
  /** The secret that seals, then retired ones that still open. */
  secrets: readonly [string, ...string[]]
  creationsPerHour: number
  /** Told of keys that cannot be opened. */
  report: (error: unknown, what: string) => void
  now?: () => number
}

/** What every rule of this feature stands on. */
export interface Parts extends Omit<KeysDeps, 'now' | 'secrets' | 'cache' | 'creationsPerHour'> {
  now: () => Date
  keyring: Keyring
  active: ActiveKeys
  creations: Limiter
  trials: Limiter
}

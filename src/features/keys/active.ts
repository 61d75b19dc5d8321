import type { Cache } from '../../platform/cache/index.ts'
import type { Database } from '../../platform/database/index.ts'
import { type ActiveKey, listActive } from './store.ts'

/** What active keys mean for the catalogue: which providers answer with them, and models that only their owner knows. */
export function ownKeysOf(active: readonly ActiveKey[]) {
  return {
    ownKeysFor: active.map(({ provider }) => provider as string),
    ownModels: active.flatMap(({ provider, models }) => models.map(name => `${provider}/${name}`)),
  }
}

const channel = 'keys:changed'
const freshMs = 4000
const mostAccounts = 10_000

export type ActiveKeys = ReturnType<typeof createActiveKeys>

/**
 * Which active keys accounts have, asked with every generation and so remembered for four seconds: a change counts at once
 * here and where processes hear each other, elsewhere when that time is over.
 */
export function createActiveKeys({ db, cache, now }: { db: Database; cache: Cache; now: () => number }) {
  const remembered = new Map<string, { until: number; keys: Promise<readonly ActiveKey[]> }>()
  const forget = (accountId: string) => void remembered.delete(accountId)
  const listening = cache.subscribe(channel, forget)
  listening.catch(() => {})

  function of(accountId: string): Promise<readonly ActiveKey[]> {
    const known = remembered.get(accountId)
    if (known && known.until > now()) return known.keys
    if (remembered.size >= mostAccounts) remembered.clear()
    const keys = listActive(db, accountId)
    remembered.set(accountId, { until: now() + freshMs, keys })
    keys.catch(() => forget(accountId))
    return keys
  }

  return {
    of,
    async changed(accountId: string): Promise<void> {
      forget(accountId)
      await cache.publish(channel, accountId)
    },
    close: async () => await (await listening.catch(() => null))?.(),
  }
}

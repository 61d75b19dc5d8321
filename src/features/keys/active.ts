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

/** Whoever asked within this time finds an answer: these accounts are asked for again before theirs is too old. */
const usedLatelyMs = 5 * 60_000

interface Remembered {
  until: number
  usedAt: number
  keys: Promise<readonly ActiveKey[]>
}

export type ActiveKeys = ReturnType<typeof createActiveKeys>

/**
 * Which active keys accounts have, asked with every generation and so remembered for four seconds: a change counts at once
 * here and where processes hear each other, elsewhere when that time is over.
 */
export function createActiveKeys({ db, cache, now }: { db: Database; cache: Cache; now: () => number }) {
  const remembered = new Map<string, Remembered>()
  const forget = (accountId: string) => void remembered.delete(accountId)
  const listening = cache.subscribe(channel, forget)
  listening.catch(() => {})
  const timer = setInterval(() => void askAgain().catch(() => {}), freshMs / 2)
  timer.unref()

  function of(accountId: string): Promise<readonly ActiveKey[]> {
    const usedAt = now()
    const known = remembered.get(accountId)
    if (known && known.until > usedAt) {
      known.usedAt = usedAt
      return known.keys
    }
    if (remembered.size >= mostAccounts) remembered.clear()
    const keys = listActive(db, [accountId]).then(found => found.get(accountId) ?? [])
    remembered.set(accountId, { until: usedAt + freshMs, usedAt, keys })
    keys.catch(() => forget(accountId))
    return keys
  }

  async function askAgain(): Promise<void> {
    const askedAt = now()
    const used = [...remembered].filter(([, { usedAt }]) => usedAt > askedAt - usedLatelyMs)
    if (used.length === 0) return
    const ids = used.map(([accountId]) => accountId)
    const found = await listActive(db, ids)
    for (const [accountId, entry] of used) {
      // One that changed meanwhile has been forgotten, and is not brought back.
      entry.keys = Promise.resolve(found.get(accountId) ?? [])
      entry.until = askedAt + freshMs
    }
  }

  return {
    of,
    async changed(accountId: string): Promise<void> {
      forget(accountId)
      await cache.publish(channel, accountId)
    },
    async close() {
      clearInterval(timer)
      await (await listening.catch(() => null))?.()
    },
  }
}

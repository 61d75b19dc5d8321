import { expect, test, vi } from 'vitest'
import { insertAccount } from '../../../test/support/accounts.ts'
import { createTestDatabase } from '../../../test/support/database.ts'
import { newId } from '../../lib/ids.ts'
import { createMemoryCache } from '../../platform/cache/memory.ts'
import { Presence } from './presence.ts'
import { insertSession } from './store-sessions.ts'
import type { AccessTokens } from './tokens.ts'

test('sessions in use are asked for again before their time is over, and follow what other processes do', async () => {
  await using database = await createTestDatabase()
  const { db, pool } = database
  const accountId = await insertAccount(db)
  const [used, watched] = [newId(), newId()]
  const expiresAt = new Date(Date.now() + 3_600_000)
  for (const id of [used, watched]) {
    const of = { name: 'x', userAgent: null, ip: null, network: null, now: new Date(), expiresAt }
    await insertSession(db, { id, accountId, ...of })
  }
  // The clock stands still: nothing is ever too old, so whoever asks gets what is remembered.
  const now = Date.now()
  const tokens = {} as AccessTokens
  const presence = new Presence({ db, cache: createMemoryCache(), tokens, now: () => now, freshMs: 100 })
  try {
    expect(await presence.recognise(used)).toMatchObject({ accountId, role: 'user' })
    await pool.query(`update accounts set role = 'admin'`)
    await vi.waitFor(async () => expect((await presence.recognise(used)).role).toBe('admin'), 5000)
    const ended = vi.fn()
    presence.watch(watched, ended)
    await pool.query("update sessions set ended_at = now(), end_reason = 'logout'")
    await vi.waitFor(() => expect(ended).toHaveBeenCalledOnce(), 5000)
    await vi.waitFor(() => expect(presence.recognise(used)).rejects.toThrow('has ended'), 5000)
    await expect(presence.recognise(watched)).rejects.toThrow('has ended')
  } finally {
    await presence.close()
  }
})

import { expect, test } from 'vitest'
import { insertAccount } from '../../../test/support/accounts.ts'
import { createTestDatabase } from '../../../test/support/database.ts'
import { openEngine } from '../../../test/support/engine.ts'

test('a run that goes while it is open gives back what it holds', async () => {
  await using database = await createTestDatabase()
  await using engine = await openEngine(database, { delayMs: 50 })
  const accountId = await insertAccount(database.db)
  const balance = async () =>
    (await database.pool.query('select micro_credits from balances')).rows[0].micro_credits
  const before = await balance()
  const { conversationId } = await engine.generations.start({ accountId, kind: 'chat', message: 'Hello' })
  expect(await balance()).toBeLessThan(before)
  await database.pool.query('delete from conversations where id = $1', [conversationId])
  expect(await balance()).toBe(before)
  const { rows } = await database.pool.query('select count from daily_messages')
  expect(rows).toEqual([{ count: 0 }])
})

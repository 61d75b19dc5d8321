import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ScriptedProvider, startProvider } from '../../../test/provider/index.ts'
import { insertAccount } from '../../../test/support/accounts.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { openEngine } from '../../../test/support/engine.ts'
import { createSharedLogs } from './shared-logs.ts'

let database: TestDatabase
let provider: ScriptedProvider
let accountId: string

beforeAll(async () => {
  database = await createTestDatabase()
  provider = await startProvider()
  accountId = await insertAccount(database.db)
})
afterAll(async () => {
  await provider.close()
  await database.close()
})

test('readers of an answer that has ended share one copy, and it is nobody else’s', async () => {
  await using engine = await openEngine(database, { provider })
  const { generation } = await engine.generations.start({ accountId, kind: 'chat', message: 'x' })
  await engine.generations.wait(accountId, generation.id)
  const logs = createSharedLogs(database.db)
  const together = await Promise.all([1, 2, 3].map(() => logs.read(accountId, generation.id)))
  const later = await logs.read(accountId, generation.id)
  expect(later?.content).toMatch(/\w/)
  for (const log of together) expect(log).toBe(later)
  expect(await logs.read(await insertAccount(database.db), generation.id)).toBeNull()
  await database.db.deleteFrom('conversations').where('account_id', '=', accountId).execute()
  expect(await logs.read(accountId, generation.id)).toBeNull()
  expect(later?.status).toBe('completed')
})

test('an answer that is being written is read anew each time', async () => {
  await using engine = await openEngine(database, { provider })
  await provider.script('slow')
  const { generation, replyId } = await engine.generations.start({ accountId, kind: 'chat', message: 'x' })
  const logs = createSharedLogs(database.db)
  const write = (content: string) =>
    database.db.updateTable('messages').set({ content }).where('id', '=', replyId).execute()
  await write('one')
  const first = await logs.read(accountId, generation.id)
  await write('one two')
  expect((await logs.read(accountId, generation.id))?.content).not.toBe(first?.content)
  await engine.generations.cancel(accountId, generation.id)
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ScriptedProvider, startProvider } from '../../../test/provider/index.ts'
import { insertAccount } from '../../../test/support/accounts.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { openEngine } from '../../../test/support/engine.ts'
import { claimJob } from './store-jobs.ts'

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

const change = (id: string, fields: object) =>
  database.db.updateTable('generations').set(fields).where('id', '=', id).execute()
const write = (id: string, content: string) =>
  database.db.updateTable('messages').set({ content }).where('id', '=', id).execute()
const textOf = async (id: string) =>
  (await database.db.selectFrom('messages').select('content').where('id', '=', id).executeTakeFirstOrThrow())
    .content

test('a run that another process has taken over writes nothing more, and lets the provider go', async () => {
  await using engine = await openEngine(database, { provider })
  await provider.script({ intervalMs: 20, tokens: 2000 })
  const { generation, replyId } = await engine.generations.start({ accountId, kind: 'chat', message: 'x' })
  await provider.waitFor(log => (log[0]?.tokensSent ?? 0) > 3)
  await change(generation.id, { attempts: 2, runner: 'elsewhere/1/x' })
  await write(replyId, 'by the other')
  const [request] = await provider.waitFor(log => log[0]?.clientClosedAt !== null, 10_000)
  expect(request?.finishedAt).toBeNull()
  expect(await textOf(replyId)).toBe('by the other')
  expect((await engine.generations.read(accountId, generation.id)).status).toBe('running')
})

test('a further attempt of a job begins with an empty reply, a first one leaves it as it is', async () => {
  await using engine = await openEngine(database, { provider })
  const asked = { accountId, kind: 'chat', message: 'x', asJob: true }
  const { generation, replyId } = await engine.generations.start(asked)
  const dead = 'here/1/x'
  await change(generation.id, { status: 'running', attempts: 1, runner: dead })
  await write(replyId, 'what the dead one said')
  const claim = { id: generation.id, runner: 'there/2/y', prefix: '' }
  expect(await claimJob(database.db, { ...claim, deadRunner: 'another/3/z' })).toBeNull()
  expect(await textOf(replyId)).toBe('what the dead one said')
  expect(await claimJob(database.db, { ...claim, deadRunner: dead })).toMatchObject({ attempts: 2 })
  expect(await textOf(replyId)).toBe('')
})

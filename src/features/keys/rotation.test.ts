import { afterAll, beforeAll, expect, test } from 'vitest'
import { insertAccount } from '../../../test/support/accounts.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { createMemoryCache } from '../../platform/cache/memory.ts'
import type { Models } from '../../platform/models/index.ts'
import { createKeys, type Keys } from './index.ts'

let database: TestDatabase
let accountId: string
const opened: { close(): Promise<void> }[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  accountId = await insertAccount(database.db)
})
afterAll(async () => {
  await Promise.all(opened.map(each => each.close()))
  await database?.close()
})

const first = 'the first master key, of 32 characters or more'
const second = 'the second master key, of 32 characters or more'
const third = 'the third master key, of 32 characters or more'

/** The feature as one process has it that was told these secrets. */
function keysUnder(...secrets: [string, ...string[]]): Keys {
  const cache = createMemoryCache()
  const keys = createKeys({
    db: database.db,
    cache,
    models: {} as Models,
    accounts: { noteSecurityEvent: async () => {} },
    secrets,
    creationsPerHour: 10_000,
    report: () => {},
  })
  opened.push(keys, cache)
  return keys
}

const secretOf = (index: number) => `sk-rotation-${String(index).padStart(4, '0')}`

async function fill(keys: Keys, count: number, offset = 0): Promise<string[]> {
  await database.db.deleteFrom('provider_keys').execute()
  const ids: string[] = []
  for (let index = 0; index < count; index++) {
    const body = { provider: 'openai', apiKey: secretOf(index + offset), name: `key ${index}` } as const
    ids.push((await keys.create({ accountId }, body)).id)
    // Beyond the fifty that one account may have.
    if (index % 40 === 39) accountId = await insertAccount(database.db)
  }
  return ids
}

const owners = async () =>
  new Map(
    (await database.db.selectFrom('provider_keys').select(['id', 'account_id']).execute()).map(row => [
      row.id,
      row.account_id,
    ]),
  )

test('the master key is rotated while servers read, write and add; repeated it has nothing to do', async () => {
  const ids = await fill(keysUnder(first), 120)
  const accountOf = await owners()
  const server = keysUnder(second, first)
  const old = keysUnder(first, second)
  let isOver = false
  let reads = 0
  const reading = (async () => {
    while (!isOver) {
      const index = reads % ids.length
      const id = ids[index] ?? ''
      const reader = reads % 2 === 0 ? server : old
      if (index !== 5) expect((await reader.open(id, accountOf.get(id) ?? ''))?.apiKey).toBe(secretOf(index))
      reads += 1
    }
  })()
  const changed = { accountId: accountOf.get(ids[5] ?? '') ?? '' }
  const [rotation] = await Promise.all([
    server.rotate({ batchSize: 7 }),
    server.update(changed, ids[5] ?? '', { apiKey: 'sk-put-in-place-meanwhile' }),
    server.create({ accountId }, { provider: 'gemini', apiKey: 'sk-added-meanwhile' }),
  ])
  isOver = true
  await reading
  expect(reads).toBeGreaterThan(0)
  expect(rotation.unreadable).toBe(0)
  expect(rotation.rewrapped).toBeGreaterThanOrEqual(119)
  expect(await server.rotate()).toMatchObject({ rewrapped: 0, unreadable: 0, current: 121 })
  const alone = keysUnder(second)
  for (const [index, id] of ids.entries()) {
    const apiKey = index === 5 ? 'sk-put-in-place-meanwhile' : secretOf(index)
    expect((await alone.open(id, accountOf.get(id) ?? ''))?.apiKey).toBe(apiKey)
  }
  const one = ids[0] ?? ''
  await expect(keysUnder(first).open(one, accountOf.get(one) ?? '')).rejects.toMatchObject({
    code: 'KEY_UNREADABLE',
  })
})

test('a rotation that is interrupted keeps what it has done, and goes on when repeated', async () => {
  const ids = await fill(keysUnder(second), 30)
  const accountOf = await owners()
  const server = keysUnder(third, second)
  const interrupted = server.rotate({
    batchSize: 10,
    onBatch: () => {
      throw new Error('pulled the plug')
    },
  })
  await expect(interrupted).rejects.toThrow('pulled the plug')
  for (const [index, id] of ids.entries())
    expect((await server.open(id, accountOf.get(id) ?? ''))?.apiKey).toBe(secretOf(index))
  expect(await server.rotate({ batchSize: 10 })).toMatchObject({ rewrapped: 20, unreadable: 0, current: 30 })
})

test('keys under a master key that was not given are counted and left as they are', async () => {
  const ids = await fill(keysUnder(first), 3)
  const accountOf = await owners()
  const forgetful = keysUnder(third)
  expect(await forgetful.rotate()).toMatchObject({ rewrapped: 0, unreadable: 3, current: 0 })
  expect(await keysUnder(third, first).rotate()).toMatchObject({ rewrapped: 3, unreadable: 0, current: 3 })
  const [id = ''] = ids
  expect((await forgetful.open(id, accountOf.get(id) ?? ''))?.apiKey).toBe(secretOf(0))
})

test('two rotations at once do the work once', async () => {
  await fill(keysUnder(first), 40)
  const results = await Promise.all([
    keysUnder(second, first).rotate({ batchSize: 5 }),
    keysUnder(second, first).rotate({ batchSize: 5 }),
  ])
  expect(results.reduce((sum, { rewrapped }) => sum + rewrapped, 0)).toBe(40)
})

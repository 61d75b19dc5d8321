import { afterAll, describe } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { queueContract } from './contract.ts'
import { createPostgresQueue } from './postgres.ts'

describe('the queue in Postgres', () => {
  let database: TestDatabase
  afterAll(() => database.close())

  queueContract(async () => {
    database = await createTestDatabase()
    return { open: options => createPostgresQueue({ source: database.url, ...options }) }
  })
})

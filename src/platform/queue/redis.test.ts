import { afterAll, describe, inject } from 'vitest'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { queueContract } from './contract.ts'
import { createRedisQueue } from './redis.ts'

describe.skipIf(!inject('machine').redis)('the queue in Redis', () => {
  let redis: TestRedis
  afterAll(() => redis.close())

  queueContract(async () => {
    redis = await startRedis()
    return { open: options => createRedisQueue({ url: redis.url, ...options }) }
  })
})

import { once } from 'node:events'
import { expect, inject, test } from 'vitest'
import { startRedis } from '../../../test/support/redis.ts'
import { createRedis } from './index.ts'

test.skipIf(!inject('machine').redis)(
  'a connection that is closed while it subscribes again leaves nothing that nobody heeds',
  async () => {
    const server = await startRedis()
    const unheeded: unknown[] = []
    const note = (reason: unknown) => void unheeded.push(reason)
    process.on('unhandledRejection', note)
    try {
      const redis = createRedis({ url: server.url, name: 'test', temper: 'patient' })
      await redis.subscribe('news')
      redis.disconnect(true)
      await once(redis, 'ready')
      const again = redis.subscribe('more news')
      redis.stream.destroy()
      redis.disconnect()
      await expect(again).rejects.toThrow('Connection is closed')
      await new Promise(resolve => setTimeout(resolve, 50))
      expect(unheeded).toEqual([])
    } finally {
      process.off('unhandledRejection', note)
      await server.close()
    }
  },
)

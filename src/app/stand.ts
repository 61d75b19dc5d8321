import { join, resolve } from 'node:path'
import { createEsbuildBundler } from '../platform/bundler/esbuild.ts'
import { ensureVendor, vendorDirectory } from '../platform/bundler/vendor.ts'
import { createMemoryCache } from '../platform/cache/memory.ts'
import { createRedisCache } from '../platform/cache/redis.ts'
import { startEmbedded } from '../platform/database/embedded.ts'
import { openDatabase } from '../platform/database/index.ts'
import { migrate } from '../platform/database/migrate.ts'
import { createMemoryEventLogs } from '../platform/events/memory.ts'
import { createRedisEventLogs } from '../platform/events/redis.ts'
import { openDiskFiles } from '../platform/files/disk.ts'
import { createModels } from '../platform/models/catalogue.ts'
import { createPostgresQueue } from '../platform/queue/postgres.ts'
import { createRedisQueue } from '../platform/queue/redis.ts'
import { createRedis } from '../platform/redis/index.ts'
import { loadSecrets } from '../platform/secrets/index.ts'
import type { AppOptions, Hold } from './options.ts'

/** What we stand on. */
export async function standOn({ config, logger, built, signal }: AppOptions, hold: Hold) {
  const dataDir = resolve(config.dataDir)
  const address = { url: config.publicUrl ?? `http://localhost:${config.port}` }
  const secrets = await loadSecrets(dataDir, {
    jwt: config.jwtSecret,
    encryption: config.encryptionKey,
    retiredEncryption: config.retiredEncryptionKeys,
  })
  const source = config.databaseUrl ?? hold(await startEmbedded({ dataDir, logger })).connection
  for (const name of await migrate({ source })) logger.info({ name }, 'migrated')
  const database = hold(openDatabase({ source, maxConnections: 20 }))
  const { redisUrl } = config
  const report = (err: unknown) => logger.warn({ err }, 'Redis is away')
  const cache = hold(redisUrl ? createRedisCache({ url: redisUrl, report }) : createMemoryCache())
  const events = hold(redisUrl ? createRedisEventLogs({ url: redisUrl, report }) : createMemoryEventLogs())
  const queueOptions = { name: 'generations', log: logger }
  const queue = hold(
    redisUrl
      ? await createRedisQueue({ ...queueOptions, url: redisUrl })
      : await createPostgresQueue({ ...queueOptions, source }),
  )
  const fanOut = redisUrl ? createRedis({ url: redisUrl, name: 'socket.io', temper: 'patient' }) : null
  hold({ close: async () => fanOut?.disconnect() })
  const disk = { root: join(dataDir, 'files'), key: secrets.links, publicUrl: () => address.url }
  const files = hold(await openDiskFiles(disk))
  const { isProduction, allowPrivateAddresses } = config
  const models = hold(createModels({ settings: config.models, isProduction, allowPrivateAddresses }))
  const consoleDirectory = await (signal ? Promise.race([built, thrownBy(signal)]) : built)
  const vendor = await ensureVendor(vendorDirectory, join(dataDir, 'vendor'))
  const bundler = hold(createEsbuildBundler({ vendor }))
  return {
    dataDir,
    address,
    secrets,
    database,
    cache,
    events,
    queue,
    files,
    models,
    vendor,
    bundler,
    fanOut,
    consoleDirectory,
  }
}

export type Platform = Awaited<ReturnType<typeof standOn>>

/** Rejects with the signal's reason when it is aborted. */
function thrownBy(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

import { join, resolve } from 'node:path'
import type { Config } from '../config.ts'
import { createEsbuildBundler } from '../platform/bundler/esbuild.ts'
import { ensureVendor, vendorDirectory } from '../platform/bundler/vendor.ts'
import { createMemoryCache } from '../platform/cache/memory.ts'
import { createRedisCache } from '../platform/cache/redis.ts'
import { startEmbedded } from '../platform/database/embedded.ts'
import { type Database, openDatabase } from '../platform/database/index.ts'
import { migrate } from '../platform/database/migrate.ts'
import { createMemoryEventLogs } from '../platform/events/memory.ts'
import { createRedisEventLogs } from '../platform/events/redis.ts'
import { openDiskFiles } from '../platform/files/disk.ts'
import { createModels } from '../platform/models/catalogue.ts'
import type { Payments } from '../platform/payments/index.ts'
import { createNoPayments } from '../platform/payments/none.ts'
import {
  createSandboxPayments,
  type SandboxPayments,
  type SandboxPlan,
} from '../platform/payments/sandbox.ts'
import { createPostgresQueue } from '../platform/queue/postgres.ts'
import { createRedisQueue } from '../platform/queue/redis.ts'
import { createRedis } from '../platform/redis/index.ts'
import { loadSecrets } from '../platform/secrets/index.ts'
import type { AppOptions, Hold } from './options.ts'

/** What we stand on; `plans` are those that the sandbox of payments may change between. */
export async function standOn(
  { config, logger, built, signal }: AppOptions,
  hold: Hold,
  plans: readonly SandboxPlan[],
) {
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
  const place = { root: join(dataDir, 'files'), key: secrets.links, publicUrl: () => address.url }
  // Links to a bucket are answered by the bucket; links to the disk by us.
  const disk = config.s3 ? null : hold(await openDiskFiles(place))
  const files = disk ?? hold(await openBucket(config))
  const { isProduction, allowPrivateAddresses } = config
  const models = hold(createModels({ settings: config.models, isProduction, allowPrivateAddresses }))
  const sandbox = createSandbox(
    database.db,
    { config, logger },
    { secret: secrets.sandboxWebhooks, address, plans },
  )
  const payments = hold(await paymentsOf(config, sandbox))
  const consoleDirectory = await (signal ? Promise.race([built, thrownBy(signal)]) : built)
  const vendor = await ensureVendor(vendorDirectory, join(dataDir, 'vendor'))
  const bundler = hold(createEsbuildBundler({ vendor, cdn: config.previews.cdn }))
  return {
    dataDir,
    address,
    secrets,
    database,
    cache,
    events,
    queue,
    files,
    disk,
    models,
    payments,
    sandbox,
    vendor,
    bundler,
    fanOut,
    consoleDirectory,
  }
}

export type Platform = Awaited<ReturnType<typeof standOn>>

/** The sandbox of payments, where there is no Stripe; never in production, where it would give credits away. */
function createSandbox(
  db: Database,
  { config, logger }: Pick<AppOptions, 'config' | 'logger'>,
  { secret, address, plans }: { secret: string; address: { url: string }; plans: readonly SandboxPlan[] },
) {
  if (config.stripe.secretKey || config.isProduction) return null
  const report = (err: unknown) => logger.warn({ err }, 'the sandbox of payments could not tell an event')
  return createSandboxPayments({ db, secret, plans, publicUrl: () => address.url, report })
}

/** Large libraries are loaded only where they are used: they would make every start slower. */
async function paymentsOf({ stripe }: Config, sandbox: SandboxPayments | null): Promise<Payments> {
  const { secretKey } = stripe
  if (!secretKey) return sandbox ?? createNoPayments()
  const { createStripePayments } = await import('../platform/payments/stripe.ts')
  return createStripePayments({ ...stripe, secretKey })
}

async function openBucket({ s3 }: Config) {
  if (!s3) throw new Error('no bucket is configured')
  const { openS3Files } = await import('../platform/files/s3.ts')
  return openS3Files(s3)
}

/** Rejects with the signal's reason when it is aborted. */
function thrownBy(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

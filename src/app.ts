import { createFeatures } from './app/features.ts'
import { type AppOptions, drainMsOf, type Hold, patiently } from './app/options.ts'
import { reach } from './app/reach.ts'
import { standOn } from './app/stand.ts'
import type { Config } from './config.ts'
import { createCatalogue } from './features/billing/plans.ts'
import { workGenerations } from './features/generations/jobs.ts'
import type { Cache } from './platform/cache/index.ts'

export type { AppOptions } from './app/options.ts'

export type App = Awaited<ReturnType<typeof createApp>>

/** Builds the whole server from its configuration: what we stand on, what we do, how the world reaches us. */
export async function createApp(options: AppOptions) {
  const { config } = options
  // First, since a wrong file of plans ends the start before anything is opened.
  const catalogue = createCatalogue(config.plans)
  const stack = new AsyncDisposableStack()
  const hold: Hold = part => {
    stack.defer(() => patiently(part.close(), options.logger))
    return part
  }
  try {
    const platform = await standOn(options, hold, catalogue.plans)
    const features = await createFeatures({ ...platform, catalogue }, options, hold)
    const server = await reach(platform, features, options)
    options.signal?.throwIfAborted()
    stack.defer(() => patiently(server.close(), options.logger))
    // The last things opened are the first to close: running answers may end while their readers are still connected.
    stack.defer(() => patiently(features.generations.close(), options.logger, drainMsOf(config)))
    const opened = stack.move()
    const { address, dataDir, models, database } = platform
    return {
      ...features,
      server,
      db: database.db,
      dataDir,
      get url() {
        return address.url
      },
      modelLine: models.defaultModel.label,
      /** Begins to answer; with port 0 the address is known afterwards. */
      async listen(): Promise<string> {
        const bound = await server.listen({ port: config.port, host: config.host })
        if (!config.publicUrl) address.url = `http://localhost:${new URL(bound).port}`
        platform.sandbox?.start(`${bound.replace('[::]', '[::1]')}/api/v1/webhooks/stripe`)
        return address.url
      },
      /** Begins to do queued work; the worker is closed before everything else. */
      async work(): Promise<void> {
        const worker = await workGenerations(features.generations, platform.queue, {
          concurrency: config.workerConcurrency,
          limiters: providerLimiters(platform.cache, config),
        })
        const drainMs = drainMsOf(config)
        opened.defer(() => patiently(worker.close({ drainMs }), options.logger, drainMs))
      },
      close: () => opened.disposeAsync(),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

function providerLimiters(cache: Cache, config: Config) {
  const points = config.providerJobsPerMinute
  return { openrouter: cache.limiter({ name: 'provider:openrouter', points, windowMs: 60_000 }) }
}

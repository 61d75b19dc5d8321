import { createApp } from '../app.ts'
import type { Config } from '../config.ts'
import { createLogger } from './logger.ts'
import { exitNow, Stopped, stopSignal, untilAborted } from './signals.ts'

/** Does queued work without serving anything, until SIGINT or SIGTERM. */
export async function worker(config: Config): Promise<void> {
  const signal = stopSignal()
  const logger = createLogger(config)
  try {
    await using app = await createApp({
      config,
      logger,
      built: Promise.resolve(null),
      signal,
    })
    await app.work()
    process.stdout.write(`Atelier's worker is ready: ${config.workerConcurrency} jobs at once\n`)
    await untilAborted(signal)
    logger.info('stopping: running jobs may end first')
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
  }
  exitNow()
}

import { createApp } from '../app.ts'
import type { Config } from '../config.ts'
import { createLogger } from './logger.ts'
import { stopOnSignal } from './signals.ts'

/** Does queued work without serving anything, until SIGINT or SIGTERM. */
export async function worker(config: Config): Promise<void> {
  const logger = createLogger(config)
  const app = await createApp({ config, logger, built: Promise.resolve(), consoleDirectory: '' })
  const stop = stopOnSignal(async () => {
    logger.info('stopping: running jobs may end first')
    await app.close()
  })
  await app.work()
  process.stdout.write(`Atelier's worker is ready: ${config.workerConcurrency} jobs at once\n`)
  await stop
}

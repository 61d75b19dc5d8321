import { consoleDirectory } from '../../web/build.ts'
import { createApp } from '../app.ts'
import type { Config } from '../config.ts'
import { build } from './build.ts'
import { createLogger } from './logger.ts'
import { stopOnSignal } from './signals.ts'

/** Serves the console and the API until SIGINT or SIGTERM; a second signal stops at once. */
export async function serve(config: Config): Promise<void> {
  const startedAt = performance.now()
  const logger = createLogger(config)
  const building = build()
  building.catch(() => {})
  const app = await createApp({ config, logger, built: building, consoleDirectory })
  const stop = stopOnSignal(async () => {
    logger.info('stopping: running answers may end first')
    await app.close()
  })
  try {
    await app.listen()
    if (config.worker === 'inside') await app.work()
  } catch (error) {
    await app.close()
    throw explain(error, config)
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  process.stdout.write(
    [
      '',
      `  Atelier is ready in ${seconds} s`,
      '',
      `  Console   ${app.url}/`,
      `  API       ${app.url}/api/v1`,
      `  API page  ${app.url}/docs`,
      `  Data      ${app.dataDir}`,
      `  Model     ${app.modelLine}`,
      '',
      '',
    ].join('\n'),
  )
  await stop
}

function explain(error: unknown, config: Config): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EADDRINUSE')
    return plain(`PORT ${config.port} is in use. Stop what uses it, or set PORT to another number.`)
  if (code === 'EACCES')
    return plain(`PORT ${config.port} may not be used by this user. Set PORT to a number above 1024.`)
  return error
}

/** An error that is a message for the operator, without a stack. */
function plain(message: string): Error {
  const error = new Error(message)
  error.stack = message
  return error
}

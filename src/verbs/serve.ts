import { resolve } from 'node:path'
import { type App, createApp } from '../app.ts'
import type { Config } from '../config.ts'
import { build } from './build.ts'
import { createLogger } from './logger.ts'
import { exitNow, Stopped, stopSignal, untilAborted } from './signals.ts'

/** Serves the console and the API until SIGINT or SIGTERM; a second signal stops at once. */
export async function serve(config: Config): Promise<void> {
  const startedAt = performance.now()
  const signal = stopSignal()
  const logger = createLogger(config)
  const built = build()
  built.catch(() => {})
  try {
    await using app = await createApp({ config, logger, built, signal })
    await app.listen()
    if (config.worker === 'inside') await app.work()
    process.stdout.write(greeting(app, (performance.now() - startedAt) / 1000))
    await untilAborted(signal)
    logger.info('stopping: running answers may end first')
  } catch (error) {
    if (!(error instanceof Stopped)) throw explain(error, config)
  }
  exitNow()
}

function greeting(app: App, seconds: number): string {
  return [
    '',
    `  Atelier is ready in ${seconds.toFixed(1)} s`,
    '',
    `  Console   ${app.url}/`,
    `  API       ${app.url}/api/v1`,
    `  API page  ${app.url}/docs`,
    `  Data      ${app.dataDir}`,
    `  Model     ${app.modelLine}`,
    '',
    '',
  ].join('\n')
}

/** Errors of the operating system that are the operator's to mend, as one line; others as they are. */
function explain(error: unknown, config: Config): unknown {
  const { code, syscall, path } = error as NodeJS.ErrnoException
  if (syscall === 'listen' && code === 'EADDRINUSE')
    return plain(`PORT ${config.port} is in use. Stop what uses it, or set PORT to another number.`)
  if (syscall === 'listen' && code === 'EACCES')
    return plain(`PORT ${config.port} may not be used by this user. Set PORT to a number above 1024.`)
  if (syscall === 'listen' || syscall === 'getaddrinfo')
    return plain(
      `HOST ${config.host} is not an address of this machine. Set HOST to one that is, such as 127.0.0.1.`,
    )
  const isFolderTrouble = ['EACCES', 'EROFS', 'ENOTDIR', 'EEXIST', 'EPERM', 'ENOSPC'].includes(code ?? '')
  if (isFolderTrouble && path?.startsWith(resolve(config.dataDir)))
    return plain(
      `DATA_DIR ${config.dataDir} cannot be used (${code} at ${path}). Set it to a folder that this user may write.`,
    )
  return error
}

/** An error that is a message for the operator, without a stack. */
function plain(message: string): Error {
  const error = new Error(message)
  error.stack = message
  return error
}

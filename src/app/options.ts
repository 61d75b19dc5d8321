import type { Logger } from 'pino'
import type { Config } from '../config.ts'

export interface AppOptions {
  config: Config
  logger: Logger
  /** Resolves with the folder of the built console; null serves none. */
  built: Promise<string | null>
  /** Ends the building of the app early; what was opened is closed, and its reason is thrown. */
  signal?: AbortSignal
}

/** Keeps a part until the app closes; what was opened last is closed first. */
export type Hold = <Part extends { close(): Promise<void> }>(part: Part) => Part

const closingMs = 5000

/** Waits for a part to close, but not for ever: one that waits for a store that is gone must not keep the others open. */
export async function patiently(closing: PromiseLike<unknown>, logger: Logger, drainMs = 0): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>(resolve => {
    timer = setTimeout(() => {
      logger.warn('a part did not close in time and is left behind')
      resolve()
    }, closingMs + drainMs)
  })
  await Promise.race([closing, late]).finally(() => clearTimeout(timer))
}

/** How long running answers may go on when the server stops, in milliseconds. */
export function drainMsOf(config: Config): number {
  return config.isProduction ? 25_000 : 2000
}

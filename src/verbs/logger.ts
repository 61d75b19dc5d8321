import pino, { type Logger } from 'pino'
import type { Config } from '../config.ts'

/** What must never be read in a log. */
const secretPaths = [
  'req.headers.authorization',
  'req.headers.cookie',
  '*.password',
  '*.token',
  '*.accessToken',
  '*.refreshToken',
  '*.apiKey',
]

/** The log of a verb whose output is its answer: warnings only, on stderr. */
export function createQuietLogger(): Logger {
  return pino(
    { level: 'warn', redact: { paths: secretPaths, censor: '***' } },
    pino.destination({ fd: 2, sync: true }),
  )
}

/** The process's log: lines for people on a terminal, JSON elsewhere. */
export function createLogger(config: Config): Logger {
  const options = { level: config.logLevel, redact: { paths: secretPaths, censor: '***' } }
  if (!process.stdout.isTTY || config.isProduction) return pino(options)
  return pino({
    ...options,
    transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss' } },
  })
}

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

/** What is told of an error: never its other fields, which can be a whole database client with its keys. */
function describe(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { name, message, stack, cause } = error
  const { code } = error as NodeJS.ErrnoException
  return {
    type: name,
    message,
    ...(code ? { code } : {}),
    stack,
    ...(cause ? { cause: describe(cause) } : {}),
  }
}

const shared = { redact: { paths: secretPaths, censor: '***' }, serializers: { err: describe } }

/** The log of a verb whose output is its answer: warnings only, on stderr. */
export function createQuietLogger(): Logger {
  return pino({ level: 'warn', ...shared }, pino.destination({ fd: 2, sync: true }))
}

/** The process's log: lines for people on a terminal, JSON elsewhere. */
export function createLogger(config: Config): Logger {
  const options = { level: config.logLevel, ...shared }
  if (!process.stdout.isTTY || config.isProduction) return pino(options)
  return pino({
    ...options,
    transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss' } },
  })
}

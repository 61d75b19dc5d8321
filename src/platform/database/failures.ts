import { AppError } from '../../lib/errors.ts'

/** SQLSTATEs and system codes that say "the database cannot be used now", not "this statement is wrong". */
const unavailableCodes = new Set([
  '57P01', // stopped by an administrator
  '57P02', // another backend crashed
  '57P03', // still starting, or recovering
  '57P05', // idle for too long
  '57014', // longer than the statement timeout
  '25P03', // idle in a transaction for too long
  '25006', // a standby after a failover
  '58030', // input or output failed
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

/** Errors of the driver itself carry no code. */
const driverMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after)/

/** Whether the connection or the server failed, rather than the statement. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = sqlState(error)
  if (code === undefined) return driverMessages.test(error.message)
  return unavailableCodes.has(code) || code.startsWith('08') || code.startsWith('53')
}

/** Connection trouble as AppError unavailable DATABASE_UNAVAILABLE, to be tried again in a second; all else as it is. */
export function translate(error: unknown): unknown {
  return isUnavailable(error) ? databaseUnavailable(error) : error
}

/** Whether a statement was ended because it took too long; its connection is well, and can roll back. */
export function wasCancelled(error: unknown): boolean {
  return hasSqlState(error, '57014')
}

/** The one answer to everything that keeps the database from answering. */
export function databaseUnavailable(cause: unknown): AppError {
  return new AppError(
    'unavailable',
    'DATABASE_UNAVAILABLE',
    'The database is not available. Please try again.',
    {
      retryAfterSeconds: 1,
      cause,
    },
  )
}

/** Whether a row with the same key exists already; with a name, only that constraint or unique index counts. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return violates(error, '23505', constraint)
}

/** Whether the row that is pointed to does not exist (any more), or is still pointed to. */
export function isForeignKeyViolation(error: unknown, constraint?: string): boolean {
  return violates(error, '23503', constraint)
}

/** Whether a statement failed with this SQLSTATE, for example one that a function of ours raises. */
export function hasSqlState(error: unknown, code: string): boolean {
  return error instanceof Error && sqlState(error) === code
}

function violates(error: unknown, code: string, constraint?: string): boolean {
  if (!(error instanceof Error) || sqlState(error) !== code) return false
  return constraint === undefined || (error as { constraint?: string }).constraint === constraint
}

function sqlState(error: Error): string | undefined {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : undefined
}

/** What went wrong, from the caller's point of view. One table maps each kind to its HTTP status. */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'payment'
  | 'forbidden'
  | 'missing'
  | 'conflict'
  | 'gone'
  | 'too-large'
  | 'unsupported'
  | 'unprocessable'
  | 'limited'
  | 'internal'
  | 'upstream'
  | 'unavailable'
  | 'timeout'

const statuses: Record<ErrorKind, number> = {
  invalid: 400,
  unauthenticated: 401,
  payment: 402,
  forbidden: 403,
  missing: 404,
  conflict: 409,
  gone: 410,
  'too-large': 413,
  unsupported: 415,
  unprocessable: 422,
  limited: 429,
  internal: 500,
  upstream: 502,
  unavailable: 503,
  timeout: 504,
}

const retryable: ReadonlySet<ErrorKind> = new Set(['internal', 'upstream', 'unavailable', 'timeout'])

/** One field of the input that broke a rule; `field` is a dotted path, `message` names the rule. */
export interface FieldProblem {
  field: string
  message: string
}

/** How a limit stands: `resetMs` is how long until it begins anew. */
export interface RateLimit {
  limit: number
  remaining: number
  resetMs: number
}

export interface AppErrorOptions {
  details?: readonly FieldProblem[]
  /** How long the caller should wait before trying again, in seconds; becomes `Retry-After`. */
  retryAfterSeconds?: number
  /** The limit that was hit; becomes the `X-RateLimit-*` headers. */
  rateLimit?: RateLimit
  /** What else the answer tells, by name, beside the fields that every error has. */
  facts?: Readonly<Record<string, unknown>>
  cause?: unknown
}

/**
 * The only error that is told to the outside. `kind` decides status and retry, `code` is a stable UPPER_SNAKE name,
 * `message` is a sentence for a person. Anything else that is thrown is a bug: it is logged and told as INTERNAL.
 */
export class AppError extends Error {
  readonly kind: ErrorKind
  readonly code: string
  readonly details: readonly FieldProblem[]
  readonly retryAfterSeconds: number | undefined
  readonly rateLimit: RateLimit | undefined
  readonly facts: Readonly<Record<string, unknown>> | undefined

  constructor(kind: ErrorKind, code: string, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.kind = kind
    this.code = code
    this.details = options.details ?? []
    this.retryAfterSeconds = options.retryAfterSeconds
    this.rateLimit = options.rateLimit
    this.facts = options.facts
  }

  get status(): number {
    return statuses[this.kind]
  }

  get isRetryable(): boolean {
    return retryable.has(this.kind)
  }
}

/** A thrown value as the AppError that may be told; bugs become a neutral INTERNAL that carries them as cause. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown
  return new AppError('internal', 'INTERNAL', 'Something went wrong on our side. Please try again.', {
    cause: thrown,
  })
}

/** The answer for a thing that is absent or belongs to somebody else: the two must not be told apart. */
export function missing(noun: string): AppError {
  return new AppError('missing', 'NOT_FOUND', `${noun} not found`)
}

/** One field that broke one rule, as the 400 that names both. */
export function invalidField(field: string, message: string): AppError {
  return new AppError('invalid', 'VALIDATION_ERROR', `${field} ${message}`, { details: [{ field, message }] })
}

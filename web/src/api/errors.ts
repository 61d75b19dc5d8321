/** A call that did not succeed. `status` 0 means that the server could not be reached. `message` is for a person. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  /** The rule that each field broke, by field. */
  readonly fields: Readonly<Record<string, string>>
  readonly retryAfterSeconds: number | null

  constructor(status: number, code: string, message: string, more: ApiErrorDetails = {}) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.code = code
    this.fields = more.fields ?? {}
    this.retryAfterSeconds = more.retryAfterSeconds ?? null
  }

  get isOffline(): boolean {
    return this.status === 0
  }
}

interface ApiErrorDetails {
  fields?: Record<string, string>
  retryAfterSeconds?: number | null
}

interface ErrorBody {
  code?: unknown
  message?: unknown
  details?: unknown
  retryAfter?: unknown
}

const neutral: Record<number, string> = {
  401: 'Please log in again.',
  403: 'This is not allowed for your account.',
  404: 'This was not found. It may have been deleted.',
  413: 'This is too large to send.',
  429: 'Too many requests.',
  502: 'The server is being restarted or cannot be reached.',
  503: 'The server is busy. Please try again in a moment.',
  504: 'The server took too long to answer.',
}

/** The error for a fetch that threw: the network, not the server, said no. */
export function offlineError(): ApiError {
  return new ApiError(
    0,
    'OFFLINE',
    navigator.onLine === false
      ? 'You are offline. Check your connection and try again.'
      : 'The server cannot be reached. Check your connection and try again.',
  )
}

/** The error for an answer that is not 2xx, from its body where that is ours, else from its status. */
export async function errorFromResponse(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => null)) as ErrorBody | null
  const message =
    typeof body?.message === 'string'
      ? body.message
      : (neutral[response.status] ?? 'Something went wrong. Please try again.')
  return new ApiError(response.status, typeof body?.code === 'string' ? body.code : 'UNKNOWN', message, {
    fields: readFields(body?.details),
    retryAfterSeconds: readRetryAfter(response, body),
  })
}

function readFields(details: unknown): Record<string, string> {
  const fields: Record<string, string> = {}
  if (!Array.isArray(details)) return fields
  for (const detail of details as { field?: unknown; message?: unknown }[]) {
    if (typeof detail?.field !== 'string' || typeof detail.message !== 'string') continue
    const field = detail.field.replace(/^(body|query)[./]/, '')
    fields[field] ??= asSentence(detail.message)
  }
  return fields
}

function readRetryAfter(response: Response, body: ErrorBody | null): number | null {
  const value = body?.retryAfter ?? response.headers.get('retry-after')
  const seconds = Number(value)
  return value !== null && value !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds : null
}

/** The server names rules ("must be a number"), a field shows sentences ("This must be a number."). */
function asSentence(rule: string): string {
  const text = /^(is|are|must|has|have|can|cannot|may|should|needs|does|already)\b/.test(rule)
    ? `This ${rule}`
    : rule
  const start = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(start) ? start : `${start}.`
}

/** Any thrown value as one sentence for a person, with the wait when there is one. */
export function explain(thrown: unknown): string {
  if (!(thrown instanceof ApiError)) return 'Something went wrong in this page. Please try again.'
  const wait = thrown.retryAfterSeconds
  if (thrown.status !== 429 || !wait) return thrown.message
  return `${thrown.message.replace(/[.\s]+$/, '')}. Try again in ${formatWait(wait)}.`
}

/** 45 → "45 seconds", 90 → "2 minutes", 7200 → "2 hours". */
export function formatWait(seconds: number): string {
  const [amount, unit] =
    seconds < 60
      ? [Math.ceil(seconds), 'second']
      : seconds < 3600
        ? [Math.ceil(seconds / 60), 'minute']
        : [Math.ceil(seconds / 3600), 'hour']
  return `${amount} ${unit}${amount === 1 ? '' : 's'}`
}

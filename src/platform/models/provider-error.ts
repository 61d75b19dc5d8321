import { AppError } from '../../lib/errors.ts'

/** A failure as a provider told it, by status line or inside a stream. */
export interface ProviderFailure {
  /** The provider's name as people know it, e.g. `OpenRouter`. */
  label: string
  status: number
  /** The provider's own word for it, e.g. `insufficient_quota`, `INVALID_ARGUMENT`. */
  code?: string
  message?: string
  retryAfterSeconds?: number | undefined
  /** The key that was used: it is never shown, not even when the provider echoes it. */
  secret?: string | undefined
}

const contextPattern =
  /context[ _]length|context window|maximum context|prompt is too long|input is too long|too many (input )?tokens|token count .*exceeds|exceeds? the (maximum|model'?s|limit).{0,40}tokens|request_too_large/i
const filterPattern =
  /content_filter|content_policy|content management policy|moderation|flagged|safety system|PROHIBITED_CONTENT/i
const creditPattern =
  /insufficient_quota|credit balance is too low|billing_error|billing_not_active|insufficient (credits|balance|funds)/i
const keyPattern = /API_KEY_INVALID|api key not valid|invalid[_ ]api[_ ]key|api key expired/i

/** A provider's failure as the AppError that the port promises. */
export function providerError(failure: ProviderFailure): AppError {
  const { label, status, retryAfterSeconds } = failure
  const said = `${failure.code ?? ''} ${failure.message ?? ''}`
  const detail = shownMessage(failure)
  const options = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
  const tell = (sentence: string) => clip(detail ? `${sentence}: ${detail}` : `${sentence}.`)

  if (status === 402 || ((status === 429 || status === 400) && creditPattern.test(said))) {
    return new AppError(
      'unavailable',
      'PROVIDER_OUT_OF_CREDIT',
      tell(`The account at ${label} is out of credit`),
      options,
    )
  }
  if (status === 429) {
    return new AppError(
      'upstream',
      'PROVIDER_RATE_LIMITED',
      tell(`${label} is limiting our requests`),
      options,
    )
  }
  if (status >= 500 || status === 408 || status === 425) {
    return new AppError('upstream', 'PROVIDER_ERROR', tell(`${label} could not answer`), options)
  }
  if (status === 403 && filterPattern.test(said)) return filtered(label, detail)
  if (status === 401 || status === 403 || keyPattern.test(said)) {
    return new AppError('unavailable', 'PROVIDER_KEY_REFUSED', tell(`${label} refused the key`))
  }
  if (status === 413 || contextPattern.test(said)) {
    return new AppError(
      'unprocessable',
      'CONTEXT_TOO_LONG',
      tell('The conversation is too long for this model'),
    )
  }
  if (filterPattern.test(said)) return filtered(label, detail)
  return new AppError('unprocessable', 'PROVIDER_REFUSED', tell(`${label} refused the request`))
}

function filtered(label: string, detail: string): AppError {
  const sentence = `${label} blocked this content`
  return new AppError(
    'unprocessable',
    'CONTENT_FILTERED',
    clip(detail ? `${sentence}: ${detail}` : `${sentence}.`),
  )
}

/** The answer cannot be read: `what` says in a few words why. */
export function badResponse(label: string, what: string, cause?: unknown): AppError {
  return new AppError(
    'upstream',
    'PROVIDER_BAD_RESPONSE',
    `${label} sent an answer that cannot be read: ${what}.`,
    { cause },
  )
}

/** The connection broke after the answer had begun. */
export function cutShort(label: string, cause?: unknown): AppError {
  return new AppError(
    'upstream',
    'PROVIDER_CUT',
    `The connection to ${label} broke in the middle of the answer.`,
    { cause },
  )
}

/** No answer began: the address cannot be reached, or the connection broke before. */
export function unreachable(label: string, cause: unknown): AppError {
  return new AppError('upstream', 'PROVIDER_ERROR', `${label} cannot be reached.`, { cause })
}

const longestWaitSeconds = 86_400

/** `Retry-After` (seconds or an HTTP date) or `Retry-After-Ms` as whole seconds of at least 1; undefined when absent or nonsense. */
export function retryAfter(headers: Record<string, string | string[] | undefined>): number | undefined {
  const milliseconds = Number(headers['retry-after-ms'] ?? Number.NaN)
  if (Number.isFinite(milliseconds)) return wholeSeconds(milliseconds / 1000)
  const value = headers['retry-after']
  if (typeof value !== 'string') return undefined
  const seconds = /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000
  return Number.isFinite(seconds) ? wholeSeconds(seconds) : undefined
}

/** A wait as whole seconds, at least 1 and at most a day. */
export function wholeSeconds(seconds: number): number {
  return Math.min(longestWaitSeconds, Math.max(1, Math.ceil(seconds)))
}

/** The provider's own words, fit for a person: no markup, no keys, one line; empty when nothing is left. */
function shownMessage(failure: ProviderFailure): string {
  const { message = '', secret } = failure
  if (/<!doctype|<html|<body|<head/i.test(message)) return ''
  const named = secret ? message.split(secret).join('[key]') : message
  return named
    .slice(0, 2000)
    .replace(/<[^>]*>/g, ' ')
    .replace(/\b(sk-|sk_|AIza|gsk_|xai-|Bearer\s+)[^\s'",;]*/g, '[key]')
    .replace(/([?&]key=)[^\s&'"]*/g, '$1[key]')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
}

const longestMessage = 300

function clip(message: string): string {
  return message.length <= longestMessage ? message : `${message.slice(0, longestMessage - 1).trimEnd()}…`
}

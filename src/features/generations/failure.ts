import { AppError } from '../../lib/errors.ts'
import type { Generation } from './store.ts'

/** Refusals that are about the request or the caller's own key; the rest is the provider's own trouble. */
const refusals = new Set([
  ...['PROVIDER_REFUSED', 'CONTEXT_TOO_LONG', 'CONTENT_FILTERED'],
  ...['KEY_REFUSED', 'KEY_REMOVED', 'KEY_UNREADABLE'],
])
const keyTroubles = new Set(['PROVIDER_KEY_REFUSED', 'PROVIDER_OUT_OF_CREDIT'])

/** A generation that came to nothing, as the error of a caller who waited for it. */
export function failureOf({ error }: Generation): AppError {
  const { code = 'PROVIDER_ERROR', message = 'The model did not answer' } = error ?? {}
  const kind = refusals.has(code) ? 'unprocessable' : keyTroubles.has(code) ? 'unavailable' : 'upstream'
  return new AppError(kind, code, message)
}

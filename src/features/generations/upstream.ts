import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, toAppError } from '../../lib/errors.ts'
import type { ModelAdapter, ModelPart, ModelRequest } from '../../platform/models/index.ts'

/** How long a provider may take, in milliseconds. */
export interface Deadlines {
  firstTokenTimeoutMs: number
  silenceTimeoutMs: number
  totalTimeoutMs: number
}

export interface UpstreamOptions {
  adapter: ModelAdapter
  request: ModelRequest
  deadlines: Deadlines
  /** Aborted to stop; its reason is thrown. */
  signal: AbortSignal
  /** Attempts in all, 1 for none but the first. */
  maxAttempts: number
  /** What is said is not taken before; a model may be asked while this is open. */
  mayTake?: Promise<void>
  /** Gets what was said, as it comes. A function, because a generator between would cost as much as the rest. */
  take: (parts: readonly ModelPart[]) => void
  /** Told before each new attempt. */
  onRetry?: (error: AppError, attempt: number) => void
}

const firstDelayMs = 500
const longestDelayMs = 20_000

/**
 * Hands over what a provider says, from an attempt that works: up to three more attempts, jittered and after Retry-After,
 * but only while nothing has been received. Throws the last AppError, or the signal's reason.
 */
export async function upstream(options: UpstreamOptions): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    let hasSpoken = false
    let hasFinished = false
    try {
      await attemptOnce(options, parts => {
        hasSpoken ||= parts.some(part => part.type === 'text' || part.type === 'reasoning')
        hasFinished ||= parts.some(part => part.type === 'finish')
        options.take(parts)
      })
      if (!hasSpoken && !hasFinished)
        throw new AppError('upstream', 'PROVIDER_CUT', 'The model provider said nothing')
      return
    } catch (thrown) {
      options.signal.throwIfAborted()
      const error = toAppError(thrown)
      if (hasSpoken || !isWorthRetrying(error) || attempt >= options.maxAttempts) throw error
      const delayMs = delayBefore(attempt, error)
      if (delayMs > longestDelayMs) throw error
      options.onRetry?.(error, attempt + 1)
      await sleep(delayMs, undefined, { signal: options.signal }).catch(() => options.signal.throwIfAborted())
    }
  }
}

function isWorthRetrying(error: AppError): boolean {
  return error.kind === 'upstream' && error.code !== 'PROVIDER_DOWN'
}

function delayBefore(attempt: number, error: AppError): number {
  if (error.retryAfterSeconds !== undefined) return error.retryAfterSeconds * 1000
  return firstDelayMs * 2 ** (attempt - 1) * (0.5 + Math.random() / 2)
}

/** One attempt under its deadlines. */
async function attemptOnce(options: UpstreamOptions, take: UpstreamOptions['take']): Promise<void> {
  const { adapter, request, deadlines, signal, mayTake } = options
  const controller = new AbortController()
  const give = (what: string) => () =>
    controller.abort(new AppError('upstream', 'PROVIDER_TIMEOUT', `The model provider ${what}`))
  const stop = () => controller.abort(signal.reason)
  signal.throwIfAborted()
  signal.addEventListener('abort', stop, { once: true })
  const total = setTimeout(give('took too long to finish'), deadlines.totalTimeoutMs)
  let quiet = setTimeout(give('did not begin to answer in time'), deadlines.firstTokenTimeoutMs)
  let isFirst = true
  try {
    for await (const parts of adapter.stream(request, { signal: controller.signal })) {
      if (isFirst) {
        isFirst = false
        clearTimeout(quiet)
        await mayTake
        quiet = setTimeout(give('fell silent in the middle of its answer'), deadlines.silenceTimeoutMs)
      } else quiet.refresh()
      take(parts)
    }
  } finally {
    clearTimeout(total)
    clearTimeout(quiet)
    signal.removeEventListener('abort', stop)
  }
}

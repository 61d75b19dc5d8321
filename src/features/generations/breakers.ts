import { AppError } from '../../lib/errors.ts'

const failuresToOpen = 5
const windowMs = 30_000
const openMs = 15_000

/** Keeps requests from a provider that is down, so that fallbacks come at once and the provider can recover. */
export interface Breaker {
  /** Throws AppError upstream PROVIDER_DOWN while the provider is left alone. */
  check(): void
  succeeded(): void
  failed(error: AppError): void
}

export type Breakers = ReturnType<typeof createBreakers>

/** One breaker for each provider: five failures in 30 s open it for 15 s, then one request tries. */
export function createBreakers(now: () => number = Date.now) {
  const breakers = new Map<string, Breaker>()
  return {
    of(provider: string): Breaker {
      const known = breakers.get(provider)
      if (known) return known
      const fresh = createBreaker(provider, now)
      breakers.set(provider, fresh)
      return fresh
    },
  }
}

function createBreaker(provider: string, now: () => number): Breaker {
  let failures: number[] = []
  let openUntil = 0
  return {
    check() {
      if (openUntil === 0) return
      const waitMs = openUntil - now()
      if (waitMs > 0) {
        throw new AppError(
          'upstream',
          'PROVIDER_DOWN',
          `The model provider ${provider} does not answer at the moment`,
          {
            retryAfterSeconds: Math.ceil(waitMs / 1000),
          },
        )
      }
      // This request is the trial: others wait until it has shown how things are.
      openUntil = now() + openMs
    },
    succeeded() {
      failures = []
      openUntil = 0
    },
    failed(error) {
      if (!saysDown(error)) return
      const at = now()
      failures = [...failures.filter(time => time > at - windowMs), at]
      if (failures.length >= failuresToOpen) openUntil = at + openMs
    },
  }
}

/** Errors of one request, limits and our own waiting at the breaker say nothing about the provider's health. */
function saysDown(error: AppError): boolean {
  return error.kind === 'upstream' && error.code !== 'PROVIDER_RATE_LIMITED' && error.code !== 'PROVIDER_DOWN'
}

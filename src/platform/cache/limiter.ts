import { type RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible'
import type { Limiter, LimiterOptions, LimitState } from './index.ts'

/** The port's limiter over any store of rate-limiter-flexible. */
export function limiterOver(inner: RateLimiterAbstract, options: LimiterOptions): Limiter {
  return {
    async consume(key, points = 1) {
      try {
        return state(await inner.consume(key, points), true, options)
      } catch (refusal) {
        if (refusal instanceof RateLimiterRes) return state(refusal, false, options)
        throw refusal
      }
    },
    async peek(key) {
      const result = await inner.get(key)
      if (result === null)
        return { isAllowed: true, limit: options.points, remaining: options.points, resetMs: 0 }
      return state(result, result.remainingPoints > 0, options)
    },
    async giveBack(key, points = 1) {
      await inner.reward(key, points)
    },
    async reset(key) {
      await inner.delete(key)
    },
  }
}

function state(result: RateLimiterRes, isAllowed: boolean, options: LimiterOptions): LimitState {
  return {
    isAllowed,
    limit: options.points,
    remaining: Math.max(0, result.remainingPoints),
    resetMs: Math.max(0, result.msBeforeNext),
  }
}

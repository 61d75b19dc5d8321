import { AppError } from '../../lib/errors.ts'

/** How much one account may have under way. */
export interface TurnLimits {
  atOnce: number
  waiting: number
}

interface Line {
  running: number
  waiting: (() => void)[]
}

/**
 * Lets each account do a few builds at a time, the others in their order, so that nobody's bombs fill the queue for all.
 * Throws AppError limited BUILD_QUEUE when too many wait.
 */
export function createTurns(limits: TurnLimits) {
  const lines = new Map<string, Line>()

  async function enter(accountId: string): Promise<Line> {
    const line = lines.get(accountId) ?? { running: 0, waiting: [] }
    lines.set(accountId, line)
    if (line.running < limits.atOnce) {
      line.running++
      return line
    }
    if (line.waiting.length >= limits.waiting) {
      throw new AppError(
        'limited',
        'BUILD_QUEUE',
        'Too many of your builds are waiting. Please try again in a moment.',
        {
          retryAfterSeconds: 5,
        },
      )
    }
    // Whoever leaves hands over the place, so `running` stays as it is.
    await new Promise<void>(resolve => line.waiting.push(resolve))
    return line
  }

  return async function take<T>(accountId: string, work: () => Promise<T>): Promise<T> {
    const line = await enter(accountId)
    try {
      return await work()
    } finally {
      const next = line.waiting.shift()
      if (next) next()
      else if (--line.running === 0) lines.delete(accountId)
    }
  }
}

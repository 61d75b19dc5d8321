import { AppError } from '../../lib/errors.ts'
import { type Database, hasSqlState } from '../../platform/database/index.ts'
import type { EntitlementsView } from './schema.ts'
import { readStanding } from './store-usage.ts'

export interface EntitlementsDeps {
  db: Database
  /** Messages a day by plan; basic's are for a plan that is not among them. */
  dailyLimits: Readonly<Record<string, number>>
  /** Whether a provider key of the account pays for what it asks when it names no model. */
  paysByKey?: (accountId: string) => Promise<boolean>
  now: () => number
}

/** What the account may do now, and why not; null when it is gone. */
export async function readEntitlements(
  deps: EntitlementsDeps,
  accountId: string,
): Promise<EntitlementsView | null> {
  const standing = await readStanding(deps.db, accountId)
  if (!standing) return null
  const { balanceMicroCredits, heldMicroCredits, messagesToday } = standing
  const plan = Object.hasOwn(deps.dailyLimits, standing.plan) ? standing.plan : 'basic'
  const limit = deps.dailyLimits[plan] ?? 0
  const remaining = Math.max(0, limit - messagesToday)
  const resetsAt = new Date(nextDay(deps.now())).toISOString()
  const isFree = (await deps.paysByKey?.(accountId)) ?? false
  const reason = isFree
    ? null
    : remaining === 0
      ? { code: 'DAILY_LIMIT_REACHED', message: dayIsSpent(limit) }
      : balanceMicroCredits <= 0
        ? { code: 'INSUFFICIENT_CREDITS', message: creditsAreSpent }
        : null
  return {
    plan,
    payer: isFree ? 'key' : 'credits',
    canSend: reason === null,
    reason,
    credits: { balanceMicroCredits, heldMicroCredits },
    messages: { limit, used: messagesToday, remaining, resetsAt },
  }
}

/** The beginning of the next day (UTC), in milliseconds since 1970. */
function nextDay(now: number): number {
  const dayMs = 86_400_000
  return (Math.floor(now / dayMs) + 1) * dayMs
}

const creditsAreSpent = 'You have exhausted your credits. Buy credits or add your own provider key to go on.'

function dayIsSpent(limit: number): string {
  return `Daily message limit reached: your plan has ${limit} messages a day. It begins anew at 00:00 UTC.`
}

/**
 * Does what may be refused for lack of credits or messages, and explains such a refusal: 402 INSUFFICIENT_CREDITS or 429
 * DAILY_LIMIT_REACHED, with the account's entitlements beside it.
 */
export async function explaining<Result>(
  deps: EntitlementsDeps,
  accountId: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    const isBroke = hasSqlState(error, 'AT402')
    if (!isBroke && !hasSqlState(error, 'AT429')) throw error
    const entitlements = await readEntitlements(deps, accountId)
    throw isBroke ? tooExpensive(entitlements) : dayOver(deps, entitlements)
  }
}

function tooExpensive(entitlements: EntitlementsView | null): AppError {
  const balance = entitlements?.credits.balanceMicroCredits ?? 0
  const message =
    balance <= 0
      ? creditsAreSpent
      : 'Your credits do not cover the longest answer that this request allows. Ask for a shorter one (maxOutputTokens) or a cheaper model, or buy credits.'
  return new AppError('payment', 'INSUFFICIENT_CREDITS', message, { facts: { entitlements } })
}

function dayOver(deps: EntitlementsDeps, entitlements: EntitlementsView | null): AppError {
  const limit = entitlements?.messages.limit ?? 0
  const resetMs = nextDay(deps.now()) - deps.now()
  return new AppError('limited', 'DAILY_LIMIT_REACHED', dayIsSpent(limit), {
    retryAfterSeconds: Math.ceil(resetMs / 1000),
    rateLimit: { limit, remaining: 0, resetMs },
    facts: { entitlements },
  })
}

import { AppError, invalidField, missing } from '../../lib/errors.ts'
import { type Database, isForeignKeyViolation } from '../../platform/database/index.ts'
import { type EntitlementsDeps, explaining, readEntitlements } from './entitlements.ts'
import { enter, microCreditsPerCredit } from './ledger.ts'
import { newestEntryId, readBalance } from './store.ts'
import { listUsage, readCharge } from './store-usage.ts'

export {
  type HoldTerms,
  heldWith,
  holdAmount,
  holdTerms,
  holdValues,
  type Payment,
  settledWith,
  takenValues,
  takenWith,
} from './holds.ts'
export { enter, microCreditsPerCredit } from './ledger.ts'
export { type BillingPayments, createBillingPayments } from './payments.ts'
export { subscriptionNumber } from './subscriptions.ts'

export interface BillingDeps {
  db: Database
  /** Messages a day by plan. */
  dailyLimits: Readonly<Record<string, number>>
  /** Credits that a new account is given once. */
  signupCredits: number
  /** Whether a provider key of the account pays for what it asks when it names no model. */
  paysByKey?: (accountId: string) => Promise<boolean>
  now?: () => number
}

export type Billing = ReturnType<typeof createBilling>

/** What accounts may do and what it costs them: balances, holds, the messages of a day, usage. */
export function createBilling(given: BillingDeps) {
  const deps = { ...given, now: given.now ?? Date.now }
  const { db } = deps
  return {
    /** Messages a day by plan. */
    dailyLimits: deps.dailyLimits,
    /** Gives a new account what its plan begins with, in the transaction that makes it; once. */
    welcome: (transaction: Database, accountId: string) => welcome(deps, transaction, accountId),
    /** Does what may be refused for lack of credits or messages, and explains the refusal: 402 or 429. */
    explaining: <Result>(accountId: string, work: () => Promise<Result>) => explaining(deps, accountId, work),
    /** What the account may do now, and why not. */
    entitlements: async (accountId: string) => (await readEntitlements(deps, accountId)) ?? refuse(),
    /** In micro-credits. */
    balance: (accountId: string) => readBalance(db, accountId),
    /** What was used on each day of a span of at most 400 days, the last 30 unless it is given. */
    usage: (accountId: string, span: UsageSpan) => readUsage(deps, accountId, span),
    /** Changes a balance by an administrator's decision; gives the new balance. */
    adjust: (adjustment: Adjustment) => adjust(deps, adjustment),
    /** Takes credits for something that no run does; never more than there are. Gives the new balance. Throws 402. */
    spend: (expense: Expense) => spend(deps, expense),
    /** Gives back what a generation was charged, for example when nothing of it can be used. Once; gives the amount. */
    forgive: (accountId: string, generationId: string, note: string) =>
      forgive(deps, { accountId, generationId, note }),
  }
}

function refuse(): never {
  throw missing('Account')
}

async function welcome(
  { signupCredits }: Pick<BillingDeps, 'signupCredits'>,
  db: Database,
  accountId: string,
): Promise<void> {
  if (signupCredits <= 0) return
  await enter(db, {
    accountId,
    kind: 'grant',
    amountMicroCredits: Math.round(signupCredits * microCreditsPerCredit),
    reference: 'sign-up',
    note: 'Credits to begin with',
  })
}

/** Days as YYYY-MM-DD, UTC, both included. */
export interface UsageSpan {
  from?: string | undefined
  to?: string | undefined
}

const dayMs = 86_400_000
const longestSpanDays = 400

async function readUsage(
  { db, now }: EntitlementsDeps,
  accountId: string,
  span: UsageSpan,
): Promise<{ from: string; to: string; rows: Awaited<ReturnType<typeof listUsage>> }> {
  const to = span.to ?? new Date(now()).toISOString().slice(0, 10)
  const from = span.from ?? new Date(Date.parse(to) - 29 * dayMs).toISOString().slice(0, 10)
  const days = (Date.parse(to) - Date.parse(from)) / dayMs
  if (!(days >= 0)) throw invalidField('from', 'must not be after to')
  if (days >= longestSpanDays) throw invalidField('from', `must be at most ${longestSpanDays} days before to`)
  return { from, to, rows: await listUsage(db, accountId, { from, to }) }
}

export interface Adjustment {
  accountId: string
  amountMicroCredits: number
  reason: string
  reference?: string | undefined
  /** The administrator. */
  actorId: string
  /** Told in the transaction of the change. */
  note: (db: Database) => Promise<void>
}

async function adjust({ db }: BillingDeps, adjustment: Adjustment): Promise<number> {
  const { accountId, amountMicroCredits, reason, actorId } = adjustment
  if (amountMicroCredits === 0) throw invalidField('amountMicroCredits', 'must not be 0')
  const reference = adjustment.reference ?? null
  try {
    const balance = await db.transaction().execute(async transaction => {
      const change = {
        accountId,
        kind: 'adjustment',
        amountMicroCredits,
        reference,
        note: reason,
        actorId,
      } as const
      const entered = await enter(transaction, change)
      if (entered !== null) await adjustment.note(transaction)
      return entered
    })
    if (balance !== null) return balance
  } catch (error) {
    throw isForeignKeyViolation(error) ? missing('Account') : error
  }
  throw new AppError('conflict', 'ALREADY_ENTERED', 'This reference was used for an earlier adjustment')
}

export interface Expense {
  accountId: string
  amountMicroCredits: number
  note: string
}

async function spend({ db }: BillingDeps, expense: Expense): Promise<{ balance: number; entryId: string }> {
  const { accountId, amountMicroCredits, note } = expense
  if (amountMicroCredits <= 0) throw invalidField('amount', 'must be above 0')
  return db.transaction().execute(async transaction => {
    const change = { accountId, kind: 'adjustment', amountMicroCredits: -amountMicroCredits, note } as const
    const balance = (await enter(transaction, change)) ?? 0
    if (balance < 0)
      throw new AppError('payment', 'INSUFFICIENT_CREDITS', 'You do not have enough credits for this')
    // The balance is locked by this transaction, so that the newest entry is this one.
    return { balance, entryId: await newestEntryId(transaction, accountId) }
  })
}

async function forgive(
  { db }: BillingDeps,
  { accountId, generationId, note }: { accountId: string; generationId: string; note: string },
): Promise<number> {
  const amountMicroCredits = await readCharge(db, accountId, generationId)
  if (amountMicroCredits <= 0) return 0
  const reference = `generation:${generationId}`
  const entered = await enter(db, { accountId, kind: 'refund', amountMicroCredits, reference, note })
  return entered === null ? 0 : amountMicroCredits
}

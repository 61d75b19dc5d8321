import { type Database, statement } from '../../platform/database/index.ts'

/** What entitlements are made of. */
export interface Standing {
  plan: string
  balanceMicroCredits: number
  /** Reserved for runs that have not ended. */
  heldMicroCredits: number
  /** Messages counted today (UTC). */
  messagesToday: number
}

const readOne = statement<Standing>(
  `select a.plan, coalesce(b.micro_credits, 0) as "balanceMicroCredits",
     (select coalesce(sum(g.hold_micro_credits), 0)::bigint from generations g
      where g.account_id = a.id and g.status in ('queued', 'running')) as "heldMicroCredits",
     coalesce(d.count, 0) as "messagesToday"
   from accounts a left join balances b on b.account_id = a.id
   left join daily_messages d on d.account_id = a.id and d.day = (now() at time zone 'UTC')::date
   where a.id = $1`,
)

/** Plan, balance and today's messages of an account; null when it is gone. */
export async function readStanding(db: Database, accountId: string): Promise<Standing | null> {
  return (await readOne(db, accountId))[0] ?? null
}

/** What was used on one day, of one model, for one kind of generation, paid by credits or a provider key. */
export interface UsageRow {
  /** YYYY-MM-DD, UTC. */
  day: string
  model: string
  kind: string
  /** `credits`, or the id of a provider key. */
  payer: string
  runs: number
  failures: number
  inputTokens: number
  outputTokens: number
  costMicroCredits: number
}

const listDays = statement<UsageRow>(
  `select to_char(day, 'YYYY-MM-DD') as day, model, kind, payer, runs, failures, input_tokens as "inputTokens",
     output_tokens as "outputTokens", cost_micro_credits as "costMicroCredits"
   from usage_days where account_id = $1 and day between $2::date and $3::date order by day, model, kind, payer`,
)

/** What an account used from one day to another, both included. */
export function listUsage(
  db: Database,
  accountId: string,
  days: { from: string; to: string },
): Promise<UsageRow[]> {
  return listDays(db, accountId, days.from, days.to)
}

const chargeOf = statement<{ amount: number }>(
  `select -amount_micro_credits as amount from ledger_entries
   where generation_id = $1 and account_id = $2 and kind = 'settle'`,
)

/** What a generation of an account was charged, in micro-credits. */
export async function readCharge(db: Database, accountId: string, generationId: string): Promise<number> {
  return (await chargeOf(db, generationId, accountId))[0]?.amount ?? 0
}

import { type Database, statement } from '../../platform/database/index.ts'

export interface SubscriptionRow {
  subscriptionId: string
  accountId: string
  plan: string
  status: string
  currentPeriodEnd: Date | null
  cancelAtPeriodEnd: boolean
  toldAt: Date
  toldBy: string
  /** When the provider made it; null where it did not say. */
  begunAt: Date | null
  /** Until when its invoices are paid; null when none is. */
  paidUntil: Date | null
}

const columns = `s.subscription_id as "subscriptionId", s.account_id as "accountId", s.plan, s.status,
  s.current_period_end as "currentPeriodEnd", s.cancel_at_period_end as "cancelAtPeriodEnd",
  s.told_at as "toldAt", s.told_by as "toldBy", s.begun_at as "begunAt",
  (select max(p.period_end) from payments p where p.provider = s.provider
     and p.subscription_id = s.subscription_id and p.paid_at is not null) as "paidUntil"`

const one = statement<SubscriptionRow>(
  `select ${columns} from subscriptions s where s.provider = $1 and s.subscription_id = $2`,
)
const ofAccount = statement<SubscriptionRow>(
  `select ${columns} from subscriptions s where s.account_id = $1 and s.provider = $2
   order by coalesce(s.begun_at, s.created_at) desc, s.subscription_id`,
)
const put = statement(
  `insert into subscriptions (provider, subscription_id, account_id, plan, status, current_period_end, cancel_at_period_end, told_at, told_by, begun_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
   on conflict (provider, subscription_id) do update set plan = excluded.plan, status = excluded.status,
     current_period_end = excluded.current_period_end, cancel_at_period_end = excluded.cancel_at_period_end,
     told_at = excluded.told_at, told_by = excluded.told_by,
     begun_at = coalesce(excluded.begun_at, subscriptions.begun_at)`,
)
const overdue = statement<{ accountId: string }>(
  `select distinct s.account_id as "accountId" from subscriptions s join accounts a on a.id = s.account_id
   where s.provider = $1 and s.status = 'past_due' and a.plan <> 'basic' limit 1000`,
)

export async function findSubscription(
  db: Database,
  provider: string,
  id: string,
): Promise<SubscriptionRow | null> {
  return (await one(db, provider, id))[0] ?? null
}

/** The account's subscriptions, the newest first. */
export function listSubscriptions(
  db: Database,
  accountId: string,
  provider: string,
): Promise<SubscriptionRow[]> {
  return ofAccount(db, accountId, provider)
}

export async function putSubscription(
  db: Database,
  provider: string,
  row: Omit<SubscriptionRow, 'paidUntil'>,
): Promise<void> {
  const { subscriptionId, accountId, plan, status, currentPeriodEnd, cancelAtPeriodEnd } = row
  const { toldAt, toldBy, begunAt } = row
  await put(
    db,
    provider,
    subscriptionId,
    accountId,
    plan,
    status,
    currentPeriodEnd,
    cancelAtPeriodEnd,
    toldAt,
    toldBy,
    begunAt,
  )
}

const doubled = statement<{ accountId: string }>(
  `select account_id as "accountId" from subscriptions where provider = $1 and status = any($2)
   group by account_id having count(*) > 1 limit 1000`,
)
const onOther = statement<{ accountId: string; plan: string }>(
  `select id as "accountId", plan from accounts where plan <> 'basic' and plan <> all($1) limit 10000`,
)
const entitled = statement<{ accountId: string }>(
  `select distinct s.account_id as "accountId" from subscriptions s join accounts a on a.id = s.account_id
   where s.provider = $1 and s.status in ('active', 'trialing') and s.plan = any($2) and a.plan = 'basic' limit 10000`,
)

/** Accounts with more than one subscription of these statuses. */
export async function findDoubled(
  db: Database,
  provider: string,
  statuses: readonly string[],
): Promise<string[]> {
  return (await doubled(db, provider, statuses)).map(row => row.accountId)
}

/** Accounts on a plan that is not among these. */
export function findOnOtherPlans(
  db: Database,
  plans: readonly string[],
): Promise<{ accountId: string; plan: string }[]> {
  return onOther(db, plans)
}

/** Accounts on basic that pay for one of these plans. */
export async function findEntitled(
  db: Database,
  provider: string,
  plans: readonly string[],
): Promise<string[]> {
  return (await entitled(db, provider, plans)).map(row => row.accountId)
}

/** Accounts on a paid plan whose payment is overdue. */
export async function findOverdue(db: Database, provider: string): Promise<string[]> {
  return (await overdue(db, provider)).map(row => row.accountId)
}

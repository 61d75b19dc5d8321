import { type Database, statement } from '../../platform/database/index.ts'

/** The checkout for a plan that an account began last. */
export interface PlanCheckout {
  /** A hash of all that was asked for. */
  wish: string
  idempotencyKey: string
  /** Null until the provider has answered. */
  sessionId: string | null
}

const find = statement<PlanCheckout>(
  `select wish, idempotency_key as "idempotencyKey", session_id as "sessionId" from plan_checkouts
   where account_id = $1 and provider = $2`,
)
const add = statement<PlanCheckout>(
  `insert into plan_checkouts (account_id, provider, wish, idempotency_key) values ($1, $2, $3, $4)
   on conflict (account_id, provider) do update set wish = excluded.wish,
     idempotency_key = excluded.idempotency_key, session_id = null, created_at = now()
     where plan_checkouts.idempotency_key = $5 and plan_checkouts.session_id is not distinct from $6
   returning wish, idempotency_key as "idempotencyKey", session_id as "sessionId"`,
)
const setSession = statement<{ wish: string }>(
  `update plan_checkouts set session_id = $4 where account_id = $1 and provider = $2 and idempotency_key = $3
   returning wish`,
)
const drop = statement(
  'delete from plan_checkouts where account_id = $1 and provider = $2 and idempotency_key = $3',
)

/** Whose checkout it is. */
export interface CheckoutOwner {
  accountId: string
  provider: string
}

export async function findPlanCheckout(db: Database, owner: CheckoutOwner): Promise<PlanCheckout | null> {
  return (await find(db, owner.accountId, owner.provider))[0] ?? null
}

/** Begins a checkout in the place of `instead`, as it was read (null: of none); false when somebody was faster. */
export async function beginPlanCheckout(
  db: Database,
  owner: CheckoutOwner,
  { wish, idempotencyKey, instead }: { wish: string; idempotencyKey: string; instead: PlanCheckout | null },
): Promise<boolean> {
  const { accountId, provider } = owner
  const { idempotencyKey: key = null, sessionId = null } = instead ?? {}
  return (await add(db, accountId, provider, wish, idempotencyKey, key, sessionId)).length > 0
}

/** Keeps which session the provider made; false when another checkout was begun meanwhile. */
export async function keepSession(
  db: Database,
  owner: CheckoutOwner,
  { idempotencyKey, sessionId }: { idempotencyKey: string; sessionId: string },
): Promise<boolean> {
  return (await setSession(db, owner.accountId, owner.provider, idempotencyKey, sessionId)).length > 0
}

/** Forgets a checkout that the provider refused. */
export async function dropPlanCheckout(db: Database, owner: CheckoutOwner, key: string): Promise<void> {
  await drop(db, owner.accountId, owner.provider, key)
}

import { type Database, statement } from '../../platform/database/index.ts'

/** One attempt of a run; when another has begun meanwhile, nothing is changed. */
interface Attempt {
  id: string
  attempts: number
}

const toKey = statement<{ id: string }>(
  `update generations set key_id = $3 where id = $1 and attempts = $2 and status = 'running' returning id`,
)

/** Lets a provider key pay for a run; false when it is in other hands. What is held stays so until the end. */
export async function payByKey(db: Database, { id, attempts, keyId }: Attempt & { keyId: string }) {
  return (await toKey(db, id, attempts, keyId)).length > 0
}

const toCredits = statement<{ held: number }>(
  `with target as materialized (
     select id, account_id from generations where id = $1 and attempts = $2 and status = 'running' for update
   ), held as materialized (
     select id, case when $3::bigint is not null then
       take_hold(account_id, id, $3::bigint, $4::jsonb is not null, $4::jsonb) end as day from target
   )
   update generations g set key_id = null, hold_micro_credits = coalesce($3::bigint, hold_micro_credits),
     counted_on = coalesce(held.day, counted_on)
   from held where g.id = held.id returning g.hold_micro_credits as held`,
)

/**
 * Lets credits pay for a run: reserves the amount and counts the message, unless the amount is null because that was done.
 * Gives what is held; null when the run is in other hands. Fails with AT402 or AT429.
 */
export async function payByCredits(
  db: Database,
  change: Attempt & { amount: number | null; dailyLimits: Readonly<Record<string, number>> | null },
): Promise<number | null> {
  const { id, attempts, amount, dailyLimits } = change
  const limits = dailyLimits === null ? null : JSON.stringify(dailyLimits)
  return (await toCredits(db, id, attempts, amount, limits))[0]?.held ?? null
}

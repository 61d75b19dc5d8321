import { type Database, statement } from '../../platform/database/index.ts'

/** One call to a provider with a key. */
export interface KeyUse {
  inputTokens: number
  outputTokens: number
  /** Why it failed, if it did. */
  error: { code: string; message: string } | null
}

const note = statement(
  `with used as (
     update provider_keys set last_used_at = now(), last_error = coalesce($4::jsonb, last_error),
       last_error_at = case when $4::jsonb is null then last_error_at else now() end
     where id = $1 returning id, account_id
   )
   insert into provider_key_usage as u (key_id, account_id, day, calls, errors, input_tokens, output_tokens)
   select id, account_id, (now() at time zone 'UTC')::date, 1, case when $4::jsonb is null then 0 else 1 end, $2, $3
   from used
   on conflict (key_id, day) do update set calls = u.calls + 1, errors = u.errors + excluded.errors,
     input_tokens = u.input_tokens + excluded.input_tokens, output_tokens = u.output_tokens + excluded.output_tokens`,
)

/** Counts one call; nothing when the key is gone. */
export async function noteUse(db: Database, id: string, use: KeyUse): Promise<void> {
  await note(db, id, use.inputTokens, use.outputTokens, use.error ? JSON.stringify(use.error) : null)
}

export interface DayOfUse {
  day: string
  calls: number
  errors: number
  inputTokens: number
  outputTokens: number
}

const selectDays = statement<DayOfUse>(
  `select to_char(day, 'YYYY-MM-DD') as day, calls, errors, input_tokens as "inputTokens", output_tokens as "outputTokens"
   from provider_key_usage where key_id = $1 and day > (now() at time zone 'UTC')::date - $2::int order by day`,
)

/** The days of use of a key, oldest first, among the last so many. */
export function listDays(db: Database, id: string, days: number): Promise<DayOfUse[]> {
  return selectDays(db, id, days)
}

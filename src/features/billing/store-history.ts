import { type Database, statement } from '../../platform/database/index.ts'
import type { EntryKind, LedgerEntry } from './store.ts'

const page = statement<LedgerEntry>(
  `select id, seq, kind, amount_micro_credits as "amountMicroCredits", balance_micro_credits as "balanceMicroCredits",
     generation_id as "generationId", reference, note, actor_id as "actorId", created_at as "createdAt"
   from ledger_entries
   where account_id = $1 and ($2::text[] is null or kind = any($2)) and ($3::bigint is null or seq < $3)
   order by seq desc limit $4`,
)

/** The account's ledger entries, the newest first; only those of the kinds, when some are given. */
export function listEntries(
  db: Database,
  accountId: string,
  cut: { kinds: readonly EntryKind[] | null; before: number | null; limit: number },
): Promise<LedgerEntry[]> {
  return page(db, accountId, cut.kinds, cut.before, cut.limit)
}

/** What an entry is for its owner: bought, given, given back, or used. */
export type EntrySense = 'purchase' | 'bonus' | 'refund' | 'usage'

const sense = `case when kind = 'purchase' then 'purchase' when kind in ('refund', 'release') then 'refund'
  when amount_micro_credits > 0 then 'bonus' else 'usage' end`

const numbered = statement<LedgerEntry & { sense: EntrySense }>(
  `select id, seq, kind, amount_micro_credits as "amountMicroCredits", balance_micro_credits as "balanceMicroCredits",
     generation_id as "generationId", reference, note, actor_id as "actorId", created_at as "createdAt", ${sense} as sense
   from ledger_entries where account_id = $1 and ($2::text is null or ${sense} = $2)
   order by seq desc offset $3 limit $4`,
)
const counted = statement<{ count: number }>(
  `select count(*) as count from ledger_entries where account_id = $1 and ($2::text is null or ${sense} = $2)`,
)

/** A numbered page of the account's entries, the newest first, and how many there are. */
export async function pageOfEntries(
  db: Database,
  accountId: string,
  cut: { sense: EntrySense | null; offset: number; limit: number },
) {
  const [entries, [total]] = await Promise.all([
    numbered(db, accountId, cut.sense, cut.offset, cut.limit),
    counted(db, accountId, cut.sense),
  ])
  return { entries, total: Number(total?.count ?? 0) }
}

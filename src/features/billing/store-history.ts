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

import { type Database, statement } from '../../platform/database/index.ts'

/** Why a balance changed. */
export type EntryKind =
  | 'grant'
  | 'purchase'
  | 'hold'
  | 'settle'
  | 'release'
  | 'refund'
  | 'clawback'
  | 'adjustment'

export interface LedgerEntry {
  id: string
  seq: number
  kind: EntryKind
  amountMicroCredits: number
  /** The balance after it. */
  balanceMicroCredits: number
  generationId: string | null
  reference: string | null
  note: string | null
  actorId: string | null
  createdAt: Date
}

/** A change of a balance that no run makes. */
export interface NewEntry {
  accountId: string
  kind: Exclude<EntryKind, 'hold' | 'settle' | 'release'>
  /** Positive adds, negative takes. */
  amountMicroCredits: number
  /** What it is for, where that may happen once only: an entry of the same kind and reference is not made again. */
  reference: string | null
  note: string | null
  actorId: string | null
}

const enter = statement<{ balance: number | null }>(
  'select enter_credits($1, $2, $3, $4, $5, $6)::bigint as balance',
)

/** Writes an entry and the balance with it; the new balance, or null when its reference was entered before. */
export async function enterCredits(db: Database, entry: NewEntry): Promise<number | null> {
  const { accountId, kind, amountMicroCredits, reference, note, actorId } = entry
  const [row] = await enter(db, accountId, kind, amountMicroCredits, reference, note, actorId)
  return row?.balance ?? null
}

const newest = statement<{ id: string }>(
  `select id from ledger_entries where account_id = $1 order by seq desc limit 1`,
)

/** The id of the account's newest ledger entry; '' when it has none. */
export async function newestEntryId(db: Database, accountId: string): Promise<string> {
  return (await newest(db, accountId))[0]?.id ?? ''
}

const readOne = statement<{ balance: number }>(
  'select micro_credits as balance from balances where account_id = $1',
)

/** The balance of an account in micro-credits. */
export async function readBalance(db: Database, accountId: string): Promise<number> {
  return (await readOne(db, accountId))[0]?.balance ?? 0
}

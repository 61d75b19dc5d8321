import type { Database } from '../../platform/database/index.ts'
import { enterCredits, type NewEntry } from './store.ts'

/** 1 credit in micro-credits; money is always counted in whole micro-credits. */
export const microCreditsPerCredit = 1_000_000

/** A change of a balance as rules ask for it. */
export type Change = Pick<NewEntry, 'accountId' | 'kind' | 'amountMicroCredits'> &
  Partial<Pick<NewEntry, 'reference' | 'note' | 'actorId'>>

/**
 * Enters a change of a balance; call it in the transaction of what caused it. Gives the new balance, or null when the
 * same kind and reference had been entered for this account before: then nothing changes. Only a `clawback` or an
 * `adjustment` may leave a debt.
 */
export function enter(db: Database, change: Change): Promise<number | null> {
  return enterCredits(db, { reference: null, note: null, actorId: null, ...change })
}

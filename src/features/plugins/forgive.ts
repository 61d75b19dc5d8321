import type { Billing } from '../billing/index.ts'
import { listUnusableRuns, readTurn } from './store-turns.ts'
import type { TurnDeps } from './turns.ts'

/** How often findings go back to the model. */
export const mostRepairs = 2

const note = 'The checks still found errors after the repairs'

/** What forgiving needs; `forgive` is billing's, and gives back once. */
export interface ForgiveDeps extends TurnDeps {
  billing: Pick<Billing, 'forgive'>
  report(error: unknown, what: string): void
}

/**
 * Gives back what the runs of a turn were charged, once the last of them is settled: it is asked for before that.
 * A turn whose repairs could not be begun, for lack of credits for example, keeps its price.
 */
export async function forgiveTurn(deps: ForgiveDeps, accountId: string, turnId: string): Promise<void> {
  try {
    const turn = await readTurn(deps.db, accountId, turnId)
    if (!turn || turn.generationIds.length <= mostRepairs) return
    for (const id of turn.generationIds) {
      await deps.generations.wait(accountId, id)
      await deps.billing.forgive(accountId, id, note)
    }
  } catch (error) {
    deps.report(error, 'a plugin with errors could not be forgiven yet')
  }
}

/** Forgives what a server that stopped too early left over. */
export async function forgiveLeftOver({ db, billing }: ForgiveDeps): Promise<void> {
  for (const { accountId, generationId } of await listUnusableRuns(db, mostRepairs)) {
    await billing.forgive(accountId, generationId, note)
  }
}

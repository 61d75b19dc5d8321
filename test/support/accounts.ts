import { enter } from '../../src/features/billing/index.ts'
import { newId } from '../../src/lib/ids.ts'
import type { Database } from '../../src/platform/database/index.ts'

/** An account as a row, with credits for everything, for tests of what accounts own rather than of accounts. */
export async function insertAccount(db: Database): Promise<string> {
  const id = newId()
  const email = `${id}@example.com`
  await db.insertInto('accounts').values({ id, email, email_key: email }).execute()
  const amountMicroCredits = 1_000_000_000_000_000
  await enter(db, { accountId: id, kind: 'adjustment', amountMicroCredits })
  return id
}

import { newId } from '../../src/lib/ids.ts'
import type { Database } from '../../src/platform/database/index.ts'

/** An account as a row, for tests of what accounts own rather than of accounts. */
export async function insertAccount(db: Database): Promise<string> {
  const id = newId()
  const email = `${id}@example.com`
  await db.insertInto('accounts').values({ id, email, email_key: email }).execute()
  return id
}

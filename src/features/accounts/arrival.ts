import type { Database } from '../../platform/database/index.ts'
import type { Parts } from './parts.ts'
import { type Client, noteSecurityEvent } from './security-log.ts'
import { type SessionWish, startSession } from './sessions.ts'
import type { AccountRow } from './store.ts'
import { type SignedInAccount, viewAccount } from './view.ts'

export interface Arrival {
  account: AccountRow
  /** What made it an account that can be used. */
  kind: 'account-created' | 'account-verified'
  client: Client
  session?: SessionWish | undefined
  now: Date
}

/** What every new account gets within the transaction that makes it usable: its beginnings, a session, a line in the log. */
export async function arrive(parts: Parts, db: Database, arrival: Arrival): Promise<SignedInAccount> {
  const { account, kind, client, session, now } = arrival
  for (const begin of parts.beginnings) await begin(db, account.id)
  const tokens = await startSession(parts, db, { accountId: account.id, client, wish: session })
  await noteSecurityEvent(db, now, { kind, accountId: account.id, client, sessionId: tokens.sessionId })
  return { account: viewAccount(account), tokens }
}

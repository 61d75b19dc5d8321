import type { AccountView } from './schema.ts'
import type { SessionTokens } from './sessions.ts'
import type { AccountRow } from './store.ts'

/** What is told of a kept account: never its password's hash, never the keys of its addresses. */
export function viewAccount(row: AccountRow): AccountView {
  return {
    id: row.id,
    email: row.email,
    mobile: row.mobile,
    username: row.username,
    name: row.name ?? joined(row.firstName, row.lastName),
    firstName: row.firstName,
    lastName: row.lastName,
    role: row.role,
    plan: row.plan,
    status: row.status,
    isEmailVerified: row.emailVerifiedAt !== null,
    isMobileVerified: row.mobileVerifiedAt !== null,
    hasPassword: row.passwordHash !== null,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

function joined(first: string | null, last: string | null): string | null {
  return [first, last].filter(Boolean).join(' ') || null
}

/** An account with its first tokens. */
export interface SignedInAccount {
  account: AccountView
  tokens: SessionTokens
}

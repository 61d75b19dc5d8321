import type { AccountView } from '../features/accounts/schema.ts'
import { microCreditsPerCredit } from '../features/billing/index.ts'
import type { DialectParts } from './parts.ts'

export type UnionUser = ReturnType<typeof unionUser>

/** A person under every name that a published API has for each property. */
export function unionUser(account: AccountView, counts: { credits: number; conversations: number }) {
  const { id, email, mobile, plan, status, createdAt, updatedAt } = account
  const name = account.name ?? account.username ?? email?.split('@')[0] ?? mobile ?? ''
  const [first = '', ...rest] = name.split(' ')
  const { credits, conversations } = counts
  return {
    id,
    _id: id,
    user_id: id,
    user_pid: id,
    email,
    mobile_number: mobile,
    username: account.username ?? email?.split('@')[0] ?? name,
    name,
    first_name: account.firstName ?? first,
    last_name: account.lastName ?? rest.join(' '),
    status,
    planType: plan,
    plan_type: plan,
    subscription_tier: plan,
    credits,
    creditsRemaining: credits,
    credits_remaining: credits,
    conversationCount: conversations,
    _count: { conversations },
    createdAt,
    created_at: createdAt,
    updatedAt,
    updated_at: updatedAt,
  }
}

/** The union user of an account with what it has. Throws 404. */
export async function readUser(
  { accounts, billing }: Pick<DialectParts, 'accounts' | 'billing'>,
  known: string | AccountView,
): Promise<UnionUser> {
  const id = typeof known === 'string' ? known : known.id
  const [account, balance, counts] = await Promise.all([
    typeof known === 'string' ? accounts.read(known) : known,
    billing.balance(id),
    accounts.statistics(id),
  ])
  return unionUser(account, { credits: toCredits(balance), conversations: counts.conversations ?? 0 })
}

/** Micro-credits as the whole credits that the published APIs count; never more than there are. */
export function toCredits(microCredits: number): number {
  return Math.floor(microCredits / microCreditsPerCredit)
}

/** How the API description shows a user. */
export const exampleUser = unionUser(
  {
    id: '01936b2e-8f6a-7c3d-9f7e-2a4b6c8d0e1f',
    email: 'user@example.com',
    mobile: null,
    username: 'user',
    name: 'John Doe',
    firstName: 'John',
    lastName: 'Doe',
    role: 'user',
    plan: 'basic',
    status: 'active',
    isEmailVerified: true,
    isMobileVerified: false,
    hasPassword: true,
    createdAt: '2026-11-20T09:30:00.000Z',
    updatedAt: '2026-11-20T09:30:00.000Z',
  },
  { credits: 20, conversations: 0 },
)

import type { Database } from '../../platform/database/index.ts'
import type { Payments } from '../../platform/payments/index.ts'
import type { Accounts } from '../accounts/index.ts'
import type { Catalogue } from './plans.ts'

/** What every rule about payments stands on. */
export interface PaymentParts {
  db: Database
  payments: Payments
  accounts: Pick<Accounts, 'read' | 'putOnPlan' | 'planChanged'>
  catalogue: Catalogue
  /** Where people reach the console. */
  publicUrl: () => string
  /** Other origins that a checkout may lead back to. */
  origins: readonly string[]
  now: () => number
  report: (error: unknown, what: string) => void
  /** Says in the log what happened that the operator should know. */
  note: (what: string, facts: Readonly<Record<string, unknown>>) => void
}

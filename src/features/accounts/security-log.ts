import { newId } from '../../lib/ids.ts'
import type { Database } from '../../platform/database/index.ts'
import { insertSecurityEvent } from './store-events.ts'

/** Everything that is noted. Later features add their own kinds as plain words. */
export type SecurityEventKind =
  | 'account-created'
  | 'account-verified'
  | 'account-deleted'
  | 'account-banned'
  | 'account-unbanned'
  | 'role-changed'
  | 'signed-in'
  | 'sign-in-failed'
  | 'signed-out'
  | 'session-revoked'
  | 'sessions-revoked'
  | 'refresh-token-reused'
  | 'code-sent'
  | 'code-failed'
  | 'password-changed'
  | 'password-reset'
  | 'password-check-failed'
  | 'email-changed'
  | 'email-verified'
  | 'mobile-changed'
  | 'mobile-verified'
  | 'provider-key-added'
  | 'provider-key-changed'
  | 'provider-key-removed'
  | 'credits-adjusted'

/** From where a call comes. */
export interface Client {
  ip: string
  userAgent: string | null
}

export interface SecurityEventInput {
  kind: SecurityEventKind
  accountId: string | null
  client?: Client | undefined
  sessionId?: string | undefined
  /** The administrator who did it to the account. */
  actorId?: string | undefined
  /** Never secrets, codes or whole addresses. */
  detail?: Record<string, unknown>
}

/** Adds an event to the security log. Given a transaction, the event is kept exactly when the deed is. */
export async function noteSecurityEvent(db: Database, now: Date, event: SecurityEventInput): Promise<void> {
  await insertSecurityEvent(db, {
    id: newId(),
    accountId: event.accountId,
    kind: event.kind,
    sessionId: event.sessionId ?? null,
    actorId: event.actorId ?? null,
    ip: event.client?.ip ?? null,
    userAgent: event.client?.userAgent?.slice(0, 400) ?? null,
    detail: event.detail ?? {},
    createdAt: now,
  })
}

import { invalidField } from '../../lib/errors.ts'
import { isId } from '../../lib/ids.ts'
import { beginCheckout, type CheckoutWish, openPortal } from './checkout.ts'
import type { PaymentParts } from './parts.ts'
import type { EntryKind } from './store.ts'
import { readBalance } from './store.ts'
import { type EntrySense, listEntries, pageOfEntries } from './store-history.ts'
import { findPayment, listPayments } from './store-payments.ts'
import { readSubscription, setCancelling } from './subscriptions.ts'
import { keepUp, removeAccount } from './upkeep.ts'
import { receiveEvent } from './webhooks.ts'

export type BillingPayments = ReturnType<typeof createBillingPayments>

export interface Cut {
  cursor?: string | undefined
  limit: number
}

/** Buying: plans, packages of credits, the subscription, what was paid, and how the balance came to be. */
export function createBillingPayments(parts: PaymentParts) {
  const { db, payments, catalogue } = parts
  return {
    /** `stripe`, `sandbox`, or `none` when nothing can be bought. */
    provider: payments.provider,
    plans: catalogue.plans,
    packages: catalogue.packages,
    checkout: (wish: CheckoutWish) => beginCheckout(parts, wish),
    portal: (wish: { accountId: string; returnUrl?: string | undefined }) => openPortal(parts, wish),
    subscription: (accountId: string) => readSubscription(parts, accountId),
    cancel: (accountId: string) => setCancelling(parts, accountId, true),
    reactivate: (accountId: string) => setCancelling(parts, accountId, false),
    /** In micro-credits. */
    balance: (accountId: string) => readBalance(db, accountId),
    history: (accountId: string, cut: Cut & { kind?: EntryKind | undefined }) =>
      readHistory(parts, accountId, cut),
    /** Entries by page number, for clients that page so. */
    historyPage: (accountId: string, cut: { sense: EntrySense | null; offset: number; limit: number }) =>
      pageOfEntries(db, accountId, cut),
    /** A payment of the account, or null. */
    payment: (accountId: string, id: string) =>
      isId(id) ? findPayment(db, { provider: payments.provider, accountId, id }) : null,
    payments: (accountId: string, cut: Cut) => readPayments(parts, accountId, cut),
    /** Takes an event of the provider: its raw bytes and signature. */
    receive: (body: Uint8Array, signature: string | undefined) => receiveEvent(parts, body, signature),
    /** Ends the account's subscription and its customer at the provider; its rows go with the account. */
    removeAccount: (accountId: string) => removeAccount(parts, accountId),
    tidy: () => keepUp(parts),
  }
}

async function readHistory(
  { db }: PaymentParts,
  accountId: string,
  { kind, cursor, limit }: Cut & { kind?: EntryKind | undefined },
) {
  if (cursor !== undefined && !/^\d{1,15}$/.test(cursor)) throw badCursor()
  const before = cursor === undefined ? null : Number(cursor)
  const rows = await listEntries(db, accountId, { kinds: kind ? [kind] : null, before, limit: limit + 1 })
  const entries = rows.slice(0, limit)
  return { entries, nextCursor: rows.length > limit ? String(entries.at(-1)?.seq) : null }
}

function badCursor() {
  return invalidField('cursor', 'must be the nextCursor of an earlier page')
}

async function readPayments({ db }: PaymentParts, accountId: string, { cursor, limit }: Cut) {
  if (cursor !== undefined && !isId(cursor)) throw badCursor()
  const before = cursor ?? null
  const rows = await listPayments(db, accountId, { before, limit: limit + 1 })
  const found = rows.slice(0, limit)
  return { payments: found, nextCursor: rows.length > limit ? (found.at(-1)?.id ?? null) : null }
}

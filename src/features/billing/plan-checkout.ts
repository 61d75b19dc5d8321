import { createHash } from 'node:crypto'
import { AppError } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import type { Database } from '../../platform/database/index.ts'
import type { CheckoutOrder, Payments } from '../../platform/payments/index.ts'
import {
  beginPlanCheckout,
  type CheckoutOwner,
  dropPlanCheckout,
  findPlanCheckout,
  keepSession,
  type PlanCheckout,
} from './store-checkouts.ts'
import { isLive } from './subscriptions.ts'

interface Parts {
  db: Database
  payments: Payments
}

export type PlanOrder = Omit<CheckoutOrder, 'idempotencyKey'>

/** How often somebody else may be faster. */
const attempts = 4

/**
 * The page where an account pays for a plan. There is one at a time: the same wish leads to the same page, another one closes the
 * earlier page, and what is paid already is not sold again. Throws 409 ALREADY_SUBSCRIBED, CHECKOUT_BUSY.
 */
export async function openPlanCheckout(
  parts: Parts,
  order: PlanOrder,
): Promise<{ sessionId: string; url: string }> {
  const owner = { accountId: order.accountId, provider: parts.payments.provider }
  const wish = createHash('sha256').update(JSON.stringify(order)).digest('base64url')
  for (let attempt = 0; attempt < attempts; attempt++) {
    const kept = await findPlanCheckout(parts.db, owner)
    const going = kept && (await goOn(parts, kept, wish))
    if (going?.page) return going.page
    const key = going?.key ?? `plan:${newId()}`
    const begun = { wish, idempotencyKey: key, instead: kept }
    if (going?.key === undefined && !(await beginPlanCheckout(parts.db, owner, begun))) continue
    const page = await ask(parts, owner, { ...order, idempotencyKey: key })
    if (await keepSession(parts.db, owner, { idempotencyKey: key, sessionId: page.sessionId })) return page
    // Somebody wished for another plan meanwhile: that page is the one that counts.
    await parts.payments.closeCheckout(page.sessionId)
  }
  throw new AppError('conflict', 'CHECKOUT_BUSY', 'Another checkout was begun at this moment; try again')
}

/** What an earlier checkout means for a wish: its page, the key under which to ask again, or (null) nothing any more. */
async function goOn(
  { payments }: Parts,
  kept: PlanCheckout,
  wish: string,
): Promise<{ page?: { sessionId: string; url: string }; key?: string } | null> {
  const isSame = kept.wish === wish
  // Whoever asked has no answer yet, or died before it came: the same key brings the same page.
  if (kept.sessionId === null) return isSame ? { key: kept.idempotencyKey } : null
  const { sessionId } = kept
  const state = await payments.checkoutState(sessionId)
  if (state?.status === 'complete') {
    const made = state.subscriptionId === null ? null : await payments.subscription(state.subscriptionId)
    if (made && isLive(made.status)) throw alreadySubscribed()
    return null
  }
  if (state?.status !== 'open') return null
  if (isSame && state.url !== null) return { page: { sessionId, url: state.url } }
  if (await payments.closeCheckout(sessionId)) return null
  const now = await payments.checkoutState(sessionId)
  if (now?.status === 'complete') throw alreadySubscribed()
  return null
}

async function ask({ db, payments }: Parts, owner: CheckoutOwner, order: CheckoutOrder) {
  try {
    return await payments.checkout(order)
  } catch (error) {
    // The provider gives the same refusal to the same key; when it could not be reached, the key stays.
    if (error instanceof AppError && error.kind !== 'unavailable')
      await dropPlanCheckout(db, owner, order.idempotencyKey)
    throw error
  }
}

export function alreadySubscribed(): AppError {
  return new AppError('conflict', 'ALREADY_SUBSCRIBED', 'There is a subscription already; manage that one')
}

import { AppError, invalidField, missing } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import type { CheckoutOrder } from '../../platform/payments/index.ts'
import { microCreditsPerCredit } from './ledger.ts'
import type { PaymentParts } from './parts.ts'
import { alreadySubscribed, openPlanCheckout } from './plan-checkout.ts'
import { addCustomer, addPackagePayment, findCustomer, forgetCustomer } from './store-payments.ts'
import { listSubscriptions } from './store-subscriptions.ts'
import { isLive } from './subscriptions.ts'

export interface CheckoutWish {
  accountId: string
  /** Exactly one of the two. */
  plan?: string | undefined
  packageId?: string | undefined
  successUrl?: string | undefined
  cancelUrl?: string | undefined
}

/** A page where the account pays for a plan or a package, at the price of our catalogue. Throws 400, 404, 409, 503. */
export async function beginCheckout(
  parts: PaymentParts,
  wish: CheckoutWish,
): Promise<{ sessionId: string; url: string; paymentId: string | null }> {
  const { accountId } = wish
  const urls = {
    successUrl: returnUrl(parts, wish.successUrl, { field: 'successUrl', outcome: 'success' }),
    cancelUrl: returnUrl(parts, wish.cancelUrl, { field: 'cancelUrl', outcome: 'cancelled' }),
  }
  if ((wish.plan === undefined) === (wish.packageId === undefined))
    throw invalidField('plan', 'or packageId must be given, and not both')
  const item =
    wish.plan === undefined ? wantedPackage(parts, wish.packageId ?? '') : await wantedPlan(parts, wish)
  return withCustomer(parts, accountId, async customerId => {
    const order = { customerId, accountId, item, ...urls }
    if (item.kind === 'plan') return { ...(await openPlanCheckout(parts, order)), paymentId: null }
    await keepPackage(parts, accountId, item)
    const { paymentId } = item
    const opened = await parts.payments.checkout({ ...order, idempotencyKey: `package:${paymentId}` })
    return { ...opened, paymentId }
  })
}

/** A page where the account manages its subscription and cards. Throws 400, 503. */
export function openPortal(
  parts: PaymentParts,
  wish: { accountId: string; returnUrl?: string | undefined },
): Promise<{ url: string }> {
  const back = returnUrl(parts, wish.returnUrl, { field: 'returnUrl', outcome: 'managed' })
  return withCustomer(parts, wish.accountId, customerId =>
    parts.payments.portal({ customerId, returnUrl: back }),
  )
}

type Item = CheckoutOrder['item']

function wantedPackage({ catalogue }: PaymentParts, packageId: string): Item {
  const found = catalogue.findPackage(packageId)
  if (!found)
    throw invalidField('packageId', `must be one of ${catalogue.packages.map(one => one.id).join(', ')}`)
  const { name, priceCents: amountCents, currency } = found
  return { kind: 'package', paymentId: newId(), name, amountCents, currency }
}

async function wantedPlan({ db, payments, catalogue }: PaymentParts, wish: CheckoutWish): Promise<Item> {
  const plan = catalogue.findPlan(wish.plan ?? '')
  if (!plan || plan.priceCents === 0) {
    const sold = catalogue.plans.filter(one => one.priceCents > 0)
    throw invalidField('plan', `must be one of ${sold.map(one => one.id).join(', ')}`)
  }
  const subscriptions = await listSubscriptions(db, wish.accountId, payments.provider)
  if (subscriptions.some(one => isLive(one.status))) throw alreadySubscribed()
  const { id, name, priceCents: amountCents, currency, providerPriceId: priceId } = plan
  return { kind: 'plan', planId: id, name: `Atelier ${name}`, amountCents, currency, priceId }
}

async function keepPackage(
  { db, payments, catalogue }: PaymentParts,
  accountId: string,
  item: Extract<Item, { kind: 'package' }>,
): Promise<void> {
  const bought = catalogue.packages.find(one => one.name === item.name)
  if (!bought) throw missing('Package')
  await addPackagePayment(db, {
    id: item.paymentId,
    accountId,
    provider: payments.provider,
    item: bought.id,
    microCredits: bought.credits * microCreditsPerCredit,
    amountCents: item.amountCents,
    currency: item.currency,
  })
}

/** Does something for the account's customer, who is made when there is none, or when the provider has forgotten it. */
async function withCustomer<Result>(
  parts: PaymentParts,
  accountId: string,
  work: (customerId: string) => Promise<Result>,
): Promise<Result> {
  const { db, payments } = parts
  const customerId = await needCustomer(parts, accountId, 'first')
  try {
    return await work(customerId)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'CUSTOMER_UNKNOWN') throw error
    await forgetCustomer(db, payments.provider, customerId)
    return work(await needCustomer(parts, accountId, customerId))
  }
}

async function needCustomer(parts: PaymentParts, accountId: string, after: string): Promise<string> {
  const { db, payments, accounts } = parts
  const { provider } = payments
  const known = await findCustomer(db, accountId, provider)
  if (known !== null) return known
  const { email } = await accounts.read(accountId)
  // Two who ask at once get the same customer: the key is the same.
  const idempotencyKey = `customer:${accountId}:${after}`
  const customerId = await payments.createCustomer({ accountId, email, idempotencyKey })
  await addCustomer(db, { provider, customerId, accountId })
  return (await findCustomer(db, accountId, provider)) ?? customerId
}

/** Where a page of the provider leads back to: only to us, or to origins that the operator allows. Throws 400. */
function returnUrl(
  { publicUrl, origins }: PaymentParts,
  wanted: string | undefined,
  { field, outcome }: { field: string; outcome: string },
): string {
  if (wanted === undefined) return `${publicUrl()}/settings/billing?checkout=${outcome}`
  const origin = URL.canParse(wanted) ? new URL(wanted).origin : null
  if (origin !== null && [new URL(publicUrl()).origin, ...origins].includes(origin))
    return new URL(wanted).href
  throw invalidField(field, 'must be an address of this server, or of an origin that it allows')
}

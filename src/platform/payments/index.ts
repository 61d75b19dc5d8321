/** What is asked for at a checkout; every amount comes from our catalogue. */
export interface CheckoutOrder {
  customerId: string
  accountId: string
  /** The same order with the same key is made once. */
  idempotencyKey: string
  successUrl: string
  cancelUrl: string
  item:
    | { kind: 'package'; paymentId: string; name: string; amountCents: number; currency: string }
    | {
        kind: 'plan'
        planId: string
        name: string
        amountCents: number
        currency: string
        priceId: string | null
      }
}

/** A subscription as the provider knows it; times in seconds. */
export interface SubscriptionFacts {
  subscriptionId: string
  customerId: string
  /** The plan that was written on it at its checkout. */
  planId: string | null
  /** What is paid for now; null where the price has no id. */
  priceId: string | null
  /** When it was made. */
  begunAt: number | null
  /** Stripe's word: active, trialing, past_due, canceled, unpaid, incomplete, incomplete_expired, paused. */
  status: string
  currentPeriodEnd: number | null
  cancelAtPeriodEnd: boolean
}

export interface CheckoutState {
  status: 'open' | 'complete' | 'expired'
  /** Where it is paid, while it is open. */
  url: string | null
  /** What it led to. */
  subscriptionId: string | null
}

/** One thing that an event tells; amounts in the currency's smallest unit. */
export type Fact =
  | {
      kind: 'package-paid'
      paymentId: string
      customerId: string
      sessionId: string
      paymentIntentId: string | null
      amountCents: number
      currency: string
    }
  | { kind: 'package-failed'; paymentId: string; customerId: string; reason: string }
  | ({ kind: 'subscription' } & SubscriptionFacts)
  | ({ kind: 'invoice'; isPaid: boolean; reason: string } & InvoiceFacts)
  | { kind: 'refund'; refundedCents: number; charge: ChargeFacts }
  | { kind: 'dispute'; state: 'open' | 'won' | 'lost'; disputedCents: number; charge: ChargeFacts }

export interface InvoiceFacts {
  invoiceId: string
  customerId: string
  subscriptionId: string
  planId: string | null
  priceId: string | null
  amountCents: number
  currency: string
  periodStart: number
  periodEnd: number
  paymentIntentId: string | null
  /** Whether it is the one invoice that begins a period, and not one for a change within it. */
  isForMonth: boolean
}

/** Of a charge, what leads to the purchase that it paid for; an event does not always tell all of it. */
export interface ChargeFacts {
  paymentIntentId: string | null
  paymentId: string | null
  customerId: string | null
  invoiceId: string | null
}

/** An event whose signature was right. */
export interface PaymentEvent {
  id: string
  type: string
  /** Seconds, by the provider's clock. */
  createdAt: number
  /** Null for events that we do not follow. */
  fact: Fact | null
}

/** Somebody who takes payments. Operations throw AppError: `unavailable` to try again, `upstream` for a refusal. */
export interface Payments {
  /** Under this name its customers, payments and subscriptions are kept. */
  readonly provider: 'stripe' | 'sandbox' | 'none'
  createCustomer(input: { accountId: string; email: string | null; idempotencyKey: string }): Promise<string>
  /** Removes the customer and ends its subscriptions at once; also one that is gone already. */
  removeCustomer(customerId: string): Promise<void>
  /** A page where the person pays. Throws AppError missing CUSTOMER_UNKNOWN when the provider has forgotten the customer. */
  checkout(order: CheckoutOrder): Promise<{ sessionId: string; url: string }>
  /** A page where the person manages the subscription. Throws as `checkout`. */
  portal(input: { customerId: string; returnUrl: string }): Promise<{ url: string }>
  /** How a checkout stands; null when the provider does not know it. */
  checkoutState(sessionId: string): Promise<CheckoutState | null>
  /** Closes a checkout that nobody has paid; false when it was over already. */
  closeCheckout(sessionId: string): Promise<boolean>
  /** The subscription as it is now; null when the provider does not know it. */
  subscription(subscriptionId: string): Promise<SubscriptionFacts | null>
  /** Lets the subscription end with its period, or go on after all. */
  setCancelAtPeriodEnd(input: {
    subscriptionId: string
    cancel: boolean
    idempotencyKey: string
  }): Promise<SubscriptionFacts>
  /**
   * Ends a subscription at once and gives back what it took, where that was its first invoice; may be repeated. Tells
   * whether something was given back.
   */
  undoSubscription(input: {
    subscriptionId: string
    idempotencyKey: string
  }): Promise<{ isRefunded: boolean }>
  /** What a payment was for, where an event did not tell. */
  chargeOf(paymentIntentId: string): Promise<ChargeFacts | null>
  /** The event in the bytes that were received. Throws AppError invalid when the signature is not right, unavailable without a secret. */
  readEvent(body: Uint8Array, signature: string | undefined): PaymentEvent
  close(): Promise<void>
}

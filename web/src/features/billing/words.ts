import type { Payment } from './queries.ts'

const microCreditsPerCredit = 1_000_000

export function money(cents: number, currency: string): string {
  return new Intl.NumberFormat(undefined, { style: 'currency', currency }).format(cents / 100)
}

/** Credits with as many digits as they need, at most three. */
export function credits(amount: number): string {
  return new Intl.NumberFormat(undefined, { maximumFractionDigits: 3 }).format(amount)
}

/** A change of the balance, with its sign. */
export function change(microCredits: number): string {
  const sign = microCredits > 0 ? '+' : '−'
  return `${sign}${credits(Math.abs(microCredits) / microCreditsPerCredit)}`
}

export const kinds: { value: string; label: string }[] = [
  { value: '', label: 'Everything' },
  { value: 'purchase', label: 'Bought' },
  { value: 'grant', label: 'Given' },
  { value: 'settle', label: 'Used' },
  { value: 'hold', label: 'Reserved' },
  { value: 'release', label: 'Reservation returned' },
  { value: 'refund', label: 'Given back' },
  { value: 'clawback', label: 'Taken back' },
  { value: 'adjustment', label: 'Adjusted' },
]

export function kindLabel(kind: string): string {
  return kinds.find(one => one.value === kind)?.label ?? kind
}

export const paymentStatus: Record<Payment['status'], { label: string; color: string }> = {
  open: { label: 'Not finished', color: 'gray' },
  paid: { label: 'Paid', color: 'green' },
  failed: { label: 'Declined', color: 'red' },
  refunded: { label: 'Refunded', color: 'blue' },
  disputed: { label: 'Disputed', color: 'orange' },
}

/** What the person comes back with from a page of the provider. */
export function outcomeOf(search: string): { title: string; text: string; isGood: boolean } | null {
  switch (new URLSearchParams(search).get('checkout')) {
    case 'success':
      return {
        title: 'Thank you',
        text: 'The payment went through. What you bought appears here in a moment.',
        isGood: true,
      }
    case 'cancelled':
      return { title: 'Nothing was bought', text: 'You left the checkout before paying.', isGood: false }
    default:
      return null
  }
}

/** What was typed into the checkout page; never kept, never logged, and its code never shown again. */
export interface Card {
  number: string
  expiry: string
  cvc: string
}

export type CardVerdict = { isAccepted: true } | { isAccepted: false; reason: string }

const verdicts: Record<string, CardVerdict> = {
  '4242424242424242': { isAccepted: true },
  '5555555555554444': { isAccepted: true },
  '4000000000000002': { isAccepted: false, reason: 'Your card was declined.' },
  '4000000000009995': { isAccepted: false, reason: 'Your card has insufficient funds.' },
}

/** What the bank says about a test card; a problem in the form is told by `problem`, and is no attempt to pay. */
export function judgeCard(card: Card, now = new Date()): CardVerdict | { problem: string } {
  const verdict = verdicts[card.number.replace(/[\s-]/g, '')]
  if (!verdict)
    return {
      problem:
        'This is a sandbox: it takes test cards only, such as 4242 4242 4242 4242. Never type a real card.',
    }
  const [, month = '', year = ''] = /^\s*(\d{1,2})\s*[/-]?\s*(?:20)?(\d{2})\s*$/.exec(card.expiry) ?? []
  if (!(Number(month) >= 1 && Number(month) <= 12))
    return { problem: 'The expiry date must be written as MM / YY.' }
  if (Date.UTC(2000 + Number(year), Number(month)) <= now.getTime())
    return { problem: 'The expiry date must be in the future.' }
  if (!/^\d{3,4}$/.test(card.cvc.trim())) return { problem: 'The security code has 3 or 4 digits.' }
  return verdict
}

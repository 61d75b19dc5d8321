import { createHash } from 'node:crypto'
import type { SubscriptionFacts } from '../index.ts'
import type { Card } from './cards.ts'
import type { SandboxPlan } from './objects.ts'
import type { Body } from './store.ts'

/** Where the pages find the console's font. */
export const fontPath = '/sandbox/geist.woff2'

/** In the colours and the type of the console. */
const style = `
@font-face { font-family: Geist; src: url(${fontPath}) format('woff2'); font-weight: 100 900; font-display: swap }
:root { color-scheme: light dark; --line: #d3d3cb; --soft: #5d605a; --accent: #146c52; --page: #fbfbf9; --card: #fff; --text: #1b1e1c; --warn: #fbf3dc; --warn-text: #7a5700; --bad: #b3261e }
@media (prefers-color-scheme: dark) { :root { --line: #39403c; --soft: #a6ada9; --accent: #6fc3a1; --page: #141715; --card: #1b1f1d; --text: #e4e7e5; --warn: #2f2815; --warn-text: #e5c16a; --bad: #f2938c } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px; background: var(--page); color: var(--text); font: 16px/1.5 Geist, ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif }
main { width: 100%; max-width: 26rem; background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 28px }
h1 { font-size: 1.25rem; margin: 16px 0 0 }
.amount { font-size: 2rem; font-weight: 650; margin: 4px 0 20px; font-variant-numeric: tabular-nums }
.sandbox { margin: 0; background: var(--warn); color: var(--warn-text); border-radius: 8px; padding: 10px 14px; font-size: .9rem }
label { display: block; font-size: .9rem; font-weight: 550; margin-top: 14px }
input { width: 100%; margin-top: 4px; padding: 10px 12px; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 8px }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 12px }
button { width: 100%; margin-top: 16px; padding: 12px; font: inherit; font-weight: 600; border: 1px solid var(--accent); border-radius: 8px; background: var(--accent); color: #fff; cursor: pointer }
@media (prefers-color-scheme: dark) { button { color: #141715 } }
button.quiet { background: transparent; color: inherit; border-color: var(--line) }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.error { color: var(--bad); font-weight: 550; margin: 14px 0 0 }
.soft { color: var(--soft); font-size: .9rem }
a { color: var(--accent) }
`
const styleHash = createHash('sha256').update(style).digest('base64')

/** Nothing runs on these pages and nothing but our font is fetched; after a form they may lead to the given addresses only. */
export function pagePolicy(...targets: readonly string[]): string {
  const origins = [...new Set(targets.map(target => new URL(target).origin))]
  return `default-src 'none'; style-src 'sha256-${styleHash}'; font-src 'self'; form-action ${["'self'", ...origins].join(' ')}; base-uri 'none'; frame-ancestors 'none'`
}

/** A card that was not taken, and why; its security code is asked for again. */
export interface Refusal {
  message: string
  card: Omit<Card, 'cvc'>
}

/** The checkout; after a refusal with what was typed, save the security code. */
export function checkoutPage(session: Body, refusal?: Refusal): string {
  const typed = (name: keyof Refusal['card']) => (refusal ? `value="${escaped(refusal.card[name])}"` : '')
  const price = money(Number(session.amount_total), String(session.currency))
  const isMonthly = session.mode === 'subscription'
  return page(
    'Sandbox checkout',
    `<h1>${escaped(String(session.item_name))}</h1>
<p class="amount">${price}${isMonthly ? '<span class="soft"> a month</span>' : ''}</p>
<form method="post" autocomplete="off">
<label>Card number<input name="number" inputmode="numeric" required maxlength="30" placeholder="4242 4242 4242 4242" ${typed('number')} ${refusal ? 'aria-describedby="error"' : ''}></label>
<div class="pair">
<label>Expiry (MM / YY)<input name="expiry" required maxlength="9" placeholder="12 / 34" ${typed('expiry')}></label>
<label>Security code<input name="cvc" inputmode="numeric" required maxlength="4" placeholder="123"></label>
</div>
${refusal ? `<p class="error" id="error" role="alert">${escaped(refusal.message)}</p>` : ''}
<button type="submit">Pay ${price}</button>
</form>
<p class="soft">4242 4242 4242 4242 is accepted, 4000 0000 0000 0002 is declined; any later date and any code will do.</p>
<p><a href="${escaped(String(session.cancel_url))}">Back without paying</a></p>`,
  )
}

/** What is shown for a checkout that is over. */
export function overPage(session: Body): string {
  return page(
    'Sandbox checkout',
    session.status === 'expired'
      ? `<h1>This checkout is closed</h1><p class="soft">Another one was opened after it.</p><p><a href="${escaped(String(session.cancel_url))}">Back</a></p>`
      : `<h1>This has been paid</h1><p><a href="${escaped(String(session.success_url))}">Go on</a></p>`,
  )
}

/** What is shown for a link that leads nowhere. */
export function unknownPage(): string {
  return page(
    'Not found',
    '<h1>This page does not exist</h1><p class="soft">The link is wrong or too old.</p>',
  )
}

/** The portal: the subscription, and what can be done about it. */
export function portalPage(portal: {
  returnUrl: string
  subscription: SubscriptionFacts | null
  others: readonly SandboxPlan[]
}): string {
  const { subscription, returnUrl, others } = portal
  const back = `<p><a href="${escaped(returnUrl)}">Back</a></p>`
  if (!subscription)
    return page('Sandbox portal', `<h1>No subscription</h1><p>There is nothing to manage.</p>${back}`)
  const date = new Date((subscription.currentPeriodEnd ?? 0) * 1000).toISOString().slice(0, 10)
  const isEnding = subscription.cancelAtPeriodEnd
  const deed = isEnding
    ? button('reactivate', 'Keep the subscription')
    : button('cancel', 'Cancel at the end of the month')
  const changes = others.map(({ id, name, priceCents, currency }) =>
    button(`plan:${id}`, `Change to ${name} for ${money(priceCents, currency)} a month`, 'quiet'),
  )
  return page(
    'Sandbox portal',
    `<h1>Your subscription</h1>
<p>Plan <strong>${escaped(subscription.planId ?? '')}</strong>, ${isEnding ? `ends on ${date}` : `renews on ${date}`}.</p>
<form method="post">${deed}${changes.join('')}${button('pass-month', 'Let a month pass', 'quiet')}</form>${back}`,
  )
}

function button(deed: string, label: string, look = ''): string {
  return `<button type="submit" name="deed" value="${escaped(deed)}" class="${look}">${escaped(label)}</button>`
}

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><style>${style}</style></head>
<body><main><p class="sandbox" role="note"><strong>Sandbox.</strong> No money moves here, and no bank is asked. Never type a real card.</p>
${content}
</main></body></html>`
}

function money(cents: number, currency: string): string {
  return new Intl.NumberFormat('en-US', { style: 'currency', currency: currency || 'usd' }).format(
    cents / 100,
  )
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, character => entities[character] ?? '')
}

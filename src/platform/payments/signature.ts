import { createHmac } from 'node:crypto'
import { createRequire } from 'node:module'
import type { Stripe } from 'stripe'
import { AppError } from '../../lib/errors.ts'
import { factOf, type ProviderEvent } from './facts.ts'
import type { PaymentEvent } from './index.ts'

/** How far an event's time may be from ours, in seconds. */
const toleranceSeconds = 300

let webhooks: Stripe['webhooks'] | undefined

/** Loaded with the first event: the library has hundreds of files, and a start without Stripe would wait for them. */
function stripeWebhooks(): Stripe['webhooks'] {
  const Library = createRequire(import.meta.url)('stripe') as typeof Stripe
  webhooks ??= new Library('sk_unused').webhooks
  return webhooks
}

export interface SignedBody {
  body: Uint8Array
  /** The header `Stripe-Signature`. */
  signature: string | undefined
  secret: string | undefined
}

/**
 * The event in bytes that were signed with the secret, in Stripe's scheme. Throws AppError invalid for anything else, and
 * for events of another time, also of a later one, which Stripe's library would let pass.
 */
export function readSignedEvent({ body, signature, secret }: SignedBody): PaymentEvent {
  if (!secret?.trim() || secret === 'undefined' || secret === 'null')
    throw new AppError('unavailable', 'WEBHOOKS_OFF', 'Webhooks are not set up on this server')
  if (!signature) throw invalidSignature('The header Stripe-Signature is missing')
  const event = parse(Buffer.from(body), signature, secret)
  const times = [...signature.matchAll(/(?:^|,)\s*t=(\d{1,15})/g)].map(match => Number(match[1]))
  if (times.some(seconds => Math.abs(seconds - Date.now() / 1000) > toleranceSeconds))
    throw invalidSignature('The signature is of another time')
  const { id, type, created } = event ?? {}
  if (
    typeof id !== 'string' ||
    id.length > 255 ||
    typeof type !== 'string' ||
    typeof created !== 'number' ||
    !Number.isSafeInteger(created)
  )
    throw new AppError('invalid', 'INVALID_EVENT', 'The body is no event')
  return { id, type, createdAt: created, fact: factOf({ ...event, id, type, created }) }
}

function parse(body: Buffer, signature: string, secret: string): Partial<ProviderEvent> | null {
  try {
    return stripeWebhooks().constructEvent(
      body,
      signature,
      secret,
      toleranceSeconds,
    ) as unknown as ProviderEvent
  } catch (cause) {
    if (cause instanceof SyntaxError)
      throw new AppError('invalid', 'INVALID_EVENT', 'The body is no event', { cause })
    throw invalidSignature('The signature does not belong to this body', cause)
  }
}

function invalidSignature(message: string, cause?: unknown): AppError {
  return new AppError('invalid', 'INVALID_SIGNATURE', message, { cause })
}

/** The header `Stripe-Signature` for a body. */
export function signBody(body: string, secret: string, seconds = Math.floor(Date.now() / 1000)): string {
  const mac = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')
  return `t=${seconds},v1=${mac}`
}

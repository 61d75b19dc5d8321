import { AppError } from '../../lib/errors.ts'
import type { Sms } from './index.ts'

const timeoutMs = 10_000

/** Hands messages to the operator's gateway: `POST {to, text}` as JSON, any 2xx means it was taken. */
export function createWebhookSms(options: { url: string }): Sms {
  return {
    isDelivering: true,
    async send({ to, text }) {
      try {
        const response = await fetch(options.url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ to, text }),
          redirect: 'error',
          signal: AbortSignal.timeout(timeoutMs),
        })
        await response.body?.cancel()
        if (!response.ok) throw new Error(`the gateway answered ${response.status}`)
      } catch (cause) {
        throw new AppError('unavailable', 'SMS_FAILED', 'The message could not be sent', { cause })
      }
    },
    async close() {},
  }
}

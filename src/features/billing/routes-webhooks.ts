import Type from 'typebox'
import { acceptRawBytes } from '../../transport/bodies.ts'
import { failures, ok, success } from '../../transport/envelope.ts'
import type { Server } from '../../transport/server.ts'
import type { BillingPayments } from './payments.ts'

/** Where the payment provider tells us what happened. Register it beside the limits for people: it comes in bursts. */
export function webhookRoutes(billing: BillingPayments) {
  return async (server: Server) => {
    acceptRawBytes(server)
    server.post(
      '/webhooks/stripe',
      {
        config: { auth: 'none' },
        schema: {
          tags: ['Billing'],
          summary: "Receive Stripe's events",
          description:
            'For Stripe. Needs a right `Stripe-Signature` over the very bytes of the body; may be repeated.',
          response: {
            200: success(Type.Object({ received: Type.Literal(true) })),
            ...failures(400, 503),
          },
        },
      },
      async request => {
        const signature = request.headers['stripe-signature']
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
        await billing.receive(body, typeof signature === 'string' ? signature : undefined)
        return ok({ received: true as const })
      },
    )
  }
}

import type { Server } from '../../transport/server.ts'
import type { DialectParts } from '../parts.ts'
import { chatrooms } from './chatrooms.ts'
import { queuePages } from './queue.ts'
import { subscriptions, webhookTest } from './subscription.ts'
import { userPages } from './user.ts'

/** The Gemini Backend API but for its sign-in, which it shares with others. */
export function geminiBackendRoutes(parts: DialectParts) {
  return async (server: Server) => {
    for (const routes of [userPages, chatrooms, subscriptions, webhookTest, queuePages])
      await server.register(routes(parts))
  }
}

export { stripeWebhook } from './subscription.ts'

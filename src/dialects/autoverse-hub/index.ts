import type { Server } from '../../transport/server.ts'
import type { DialectParts } from '../parts.ts'
import { ownKeys } from './byok.ts'
import { credits } from './credits.ts'
import { orders } from './orders.ts'
import { plans } from './plans.ts'

/** Autoverse Hub but for its sign-in, which it shares with others. */
export function autoverseHubRoutes(parts: DialectParts) {
  return async (server: Server) => {
    for (const routes of [ownKeys, credits, plans, orders]) await server.register(routes(parts))
  }
}

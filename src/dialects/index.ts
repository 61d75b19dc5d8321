import type { Limiter } from '../platform/cache/index.ts'
import { limitRequests } from '../transport/limits.ts'
import { keepAnswersPrivate, type Server } from '../transport/server.ts'
import { autoverseHubRoutes } from './autoverse-hub/index.ts'
import { codingAgentRoutes } from './coding-agent/index.ts'
import { contentGeneratorRoutes } from './content-generator/index.ts'
import { geminiBackendRoutes, stripeWebhook } from './gemini-backend/index.ts'
import type { DialectParts } from './parts.ts'
import { secretEchoRoutes } from './secret-echo/index.ts'
import { signIn } from './sign-in/index.ts'

/** The five published APIs, at their published paths. Each is a function `(parts) => (server) => routes`. */
export function dialectRoutes(parts: DialectParts, requests: Limiter) {
  return async (server: Server) => {
    keepAnswersPrivate(server)
    await server.register(stripeWebhook(parts))
    await server.register(async limited => {
      limitRequests(limited, requests)
      for (const dialect of [
        signIn,
        secretEchoRoutes,
        geminiBackendRoutes,
        codingAgentRoutes,
        contentGeneratorRoutes,
        autoverseHubRoutes,
      ]) {
        await limited.register(dialect(parts))
      }
    })
  }
}

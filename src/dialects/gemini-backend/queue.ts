import type { Server } from '../../transport/server.ts'
import { geminiBackend } from '../dialects.ts'
import type { DialectParts } from '../parts.ts'
import { speak } from '../speech.ts'

const endpoint = speak(geminiBackend)

/** How much queued work there is: for everybody while developing, for administrators in production. */
export function queuePages({ generations, settings }: DialectParts) {
  const status = endpoint({
    summary: 'How much queued work there is',
    description: 'Counts alone. In production for administrators only.',
    auth: settings.isProduction ? 'admin' : 'none',
    answers: { 200: { success: true, waiting: 0, active: 1, completed: 12, failed: 0, delayed: 0 } },
    failures: [401, 403, 429, 503],
  })
  return async (server: Server) => {
    server.get('/api/queue/status', status, async () => ({
      success: true,
      ...(await generations.queueCounts()),
    }))
  }
}

import Type from 'typebox'
import type { Server } from './server.ts'

const tags = ['Health']

/** Something the server needs in order to work; throws when it is not there. */
export type ReadinessCheck = () => Promise<void>

const checkTimeoutMs = 3000

const living = {
  config: { auth: 'none' },
  schema: {
    tags,
    summary: 'Is the process alive?',
    response: {
      200: Type.Object({
        status: Type.Literal('ok'),
        timestamp: Type.String(),
        version: Type.String(),
        uptime: Type.Number({ description: 'Seconds.' }),
      }),
    },
  },
} as const

/** GET /health says that the process lives, GET /health/ready that it can do its work. */
export function healthRoutes(version: string, checks: Readonly<Record<string, ReadinessCheck>>) {
  const startedAt = Date.now()
  const alive = async () => ({
    status: 'ok' as const,
    timestamp: new Date().toISOString(),
    version,
    uptime: (Date.now() - startedAt) / 1000,
  })
  return async (server: Server) => {
    // Clients of published APIs look for it below their base URL.
    for (const path of ['/health', '/api/health']) server.get(path, living, alive)
    const Readiness = Type.Object({
      status: Type.String({ enum: ['ready', 'not ready'] }),
      checks: Type.Record(Type.String(), Type.String({ enum: ['ok', 'failed'] }), {
        examples: [{ database: 'ok' }],
      }),
    })
    server.get(
      '/health/ready',
      {
        config: { auth: 'none' },
        schema: {
          tags,
          summary: 'Can the server do its work?',
          description: 'Asks each part that it stands on; 503 when one does not answer.',
          response: { 200: Readiness, 503: Readiness },
        },
      },
      async (_request, reply) => {
        const results = await Promise.all(
          Object.entries(checks).map(async ([name, check]) => [name, await verdict(check)] as const),
        )
        const isReady = results.every(([, result]) => result === 'ok')
        reply.code(isReady ? 200 : 503)
        return { status: isReady ? 'ready' : 'not ready', checks: Object.fromEntries(results) }
      },
    )
  }
}

async function verdict(check: ReadinessCheck): Promise<'ok' | 'failed'> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'failed'>(resolve => {
    timer = setTimeout(() => resolve('failed'), checkTimeoutMs)
  })
  const answer = check().then(
    () => 'ok' as const,
    () => 'failed' as const,
  )
  return Promise.race([answer, late]).finally(() => clearTimeout(timer))
}

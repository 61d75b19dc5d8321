import cookie from '@fastify/cookie'
import cors from '@fastify/cors'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  LogController,
} from 'fastify'
import { AppError, invalidField } from '../lib/errors.ts'
import { type Authenticator, guard } from './auth.ts'
import { acceptJsonOnly } from './bodies.ts'
import { refuseUnreadable, sendError, sendRouteNotFound } from './errors.ts'
import type { Server } from './http.ts'
import { keepPreviewsApart } from './preview-host.ts'
import { closeStalledReaders, defaultSlowClientLimits, type SlowClientLimits } from './slow-clients.ts'

export type { Server } from './http.ts'

export interface ServerOptions {
  logger: FastifyBaseLogger
  authenticator: Authenticator
  /** Origins that browsers may call from, besides our own. */
  corsOrigins: readonly string[]
  /** Proxies whose forwarding headers are believed: a hop count, or addresses; none by default. */
  trustProxy?: string | undefined
  /** Where previews are served, when not beside everything else. */
  previewOrigin?: string | undefined
  bodyLimitBytes?: number
  slowClients?: Partial<SlowClientLimits>
  /** Answers a path that has no route, or gives null: then it is a 404. */
  fallback?: (request: FastifyRequest, reply: FastifyReply) => FastifyReply | null
}

const maxUrlLength = 8192

/** Lets a page of the console and a route of a published API share a path: browsers say when they want a page. */
const askedFor = {
  name: 'asked',
  storage() {
    const handlers = new Map<unknown, unknown>()
    return {
      get: (kind: unknown) => handlers.get(kind) ?? null,
      set: (kind: unknown, handler: unknown) => void handlers.set(kind, handler),
    }
  },
  deriveConstraint: ({ headers }: { headers: { accept?: string } }) =>
    headers.accept?.includes('text/html') ? 'page' : undefined,
  validate() {},
} as unknown as NonNullable<NonNullable<FastifyServerOptions['routerOptions']>['constraints']>[string]

/** A server with our limits, error body and sign-in guard, and no routes yet. */
export async function createServer(options: ServerOptions): Promise<Server> {
  const slow = { ...defaultSlowClientLimits, ...options.slowClients }
  const server = Fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    // A logger for each request would cost more than most requests ever log; what is logged names its request.
    childLoggerFactory: logger => logger,
    trustProxy: trustedProxies(options.trustProxy),
    bodyLimit: options.bodyLimitBytes ?? 1024 * 1024,
    requestTimeout: slow.requestMs,
    keepAliveTimeout: 72_000,
    http: {
      headersTimeout: slow.headersMs,
      connectionsCheckingInterval: slow.checkEveryMs,
      maxHeaderSize: 16 * 1024,
    },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 512, constraints: { asked: askedFor } },
    forceCloseConnections: true,
    exposeHeadRoutes: true,
    frameworkErrors: (error, request, reply) => sendError(error, request, reply),
    clientErrorHandler: refuseUnreadable,
  }).withTypeProvider<TypeBoxTypeProvider>() as unknown as Server

  closeStalledReaders(server.server, slow.readerMs)
  server.setErrorHandler((error, request, reply) => sendError(error, request, reply))
  server.setNotFoundHandler(
    (request, reply) => options.fallback?.(request, reply) ?? sendRouteNotFound(request, reply),
  )
  server.setValidatorCompiler(({ schema, httpPart }) =>
    (httpPart === 'body' ? strictAjv : coercingAjv).compile(schema as object),
  )
  acceptJsonOnly(server)
  if (options.previewOrigin) keepPreviewsApart(server, options.previewOrigin)
  server.addHook('onRequest', (request, _reply, done) => {
    if (request.url.includes('%00')) done(invalidField('url', 'must not contain NUL characters'))
    else if (request.url.length > maxUrlLength)
      done(new AppError('invalid', 'URL_TOO_LONG', 'The URL is too long'))
    else done()
  })
  await server.register(cookie)
  if (options.corsOrigins.length > 0) await server.register(cors, corsOptions(options.corsOrigins))
  guard(server, options.authenticator)
  return server
}

const strictAjv = addFormats.default(
  new Ajv({ allErrors: true, coerceTypes: false, useDefaults: true, strict: false }),
)
const coercingAjv = addFormats.default(
  new Ajv({ allErrors: true, coerceTypes: 'array', useDefaults: true, strict: false }),
)

function corsOptions(origins: readonly string[]) {
  return {
    origin: [...origins],
    credentials: true,
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    allowedHeaders: [
      'Content-Type',
      'Authorization',
      'Last-Event-ID',
      'Idempotency-Key',
      'X-CSRF-Token',
      'X-Requested-With',
      'x-agency-token',
      'x-agency-workspace-id',
      'x-agency-tool',
      'x-agency-target',
    ],
    exposedHeaders: [
      'Content-Disposition',
      'X-Stream-Session-Id',
      'X-RateLimit-Limit',
      'X-RateLimit-Remaining',
      'X-RateLimit-Reset',
    ],
    maxAge: 600,
  }
}

function trustedProxies(
  setting: string | undefined,
): boolean | string[] | ((address: string, hop: number) => boolean) {
  if (!setting || setting === 'false') return false
  const hops = setting === 'true' ? 1 : Number(setting)
  if (Number.isSafeInteger(hops)) return (_address, hop) => hop < hops
  return setting.split(',').map(part => part.trim())
}

const apiHeaders = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

/** Answers of an API are for the caller alone, and never a page: nothing keeps them, nothing guesses their type. */
export function keepAnswersPrivate(server: Server): void {
  server.addHook('onRequest', (_request, reply, done) => {
    reply.headers(apiHeaders)
    done()
  })
}

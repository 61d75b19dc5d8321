import swagger from '@fastify/swagger'
import scalar from '@scalar/fastify-api-reference'
import type { AuthRule } from './auth.ts'
import { ErrorBody, meanings } from './envelope.ts'
import type { Server } from './http.ts'
import { completeDocument } from './openapi-complete.ts'
import type { JsonSchema } from './openapi-examples.ts'

export interface DocumentedTag {
  name: string
  description: string
}

/** Collects the schemas of every route that is registered after it. */
export async function collectOpenApi(server: Server, tags: readonly DocumentedTag[]): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Atelier',
        version: '0.1.0',
        description:
          'The backend for products that generate things with language models. Answers are `{success: true, data}`; ' +
          'errors are `{success: false, error, message, code, errors, details}` with true HTTP statuses.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/' }],
      tags: [...tags],
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'The `accessToken` of a sign-in.',
          },
        },
      },
      security: [{ bearer: [] }],
    },
    transform: ({ schema, url, route }) => {
      const security = securityOf(route.config?.auth)
      return { schema: security ? { ...schema, security } : schema, url }
    },
    transformObject: document =>
      'openapiObject' in document
        ? completeDocument(document.openapiObject, { schema: errorSchema, meanings, codes })
        : document.swaggerObject,
  })
}

const { $id: _, ...errorSchema } = ErrorBody as unknown as JsonSchema & { $id: string }

/** The code that an error of this status has most often, for examples. */
const codes: Record<number, string> = {
  400: 'VALIDATION_ERROR',
  401: 'TOKEN_EXPIRED',
  402: 'INSUFFICIENT_CREDITS',
  403: 'ADMIN_ONLY',
  404: 'NOT_FOUND',
  409: 'NOT_THE_LAST_ANSWER',
  410: 'LINK_EXPIRED',
  413: 'BODY_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  422: 'IDEMPOTENCY_KEY_REUSED',
  429: 'TOO_MANY_REQUESTS',
  502: 'PROVIDER_ERROR',
  503: 'DATABASE_UNAVAILABLE',
  504: 'BUILD_TIMEOUT',
}

/** How a rule is written in OpenAPI: none at all, or an empty choice beside the token; null says what all routes say. */
function securityOf(rule: AuthRule | undefined) {
  if (rule === 'none') return []
  return rule === 'optional' ? [{}, { bearer: [] }] : null
}

const docsPolicy =
  "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"

/** Serves /openapi.json and the page at /docs that shows it; nothing of it comes from another host. */
export async function serveOpenApi(server: Server): Promise<void> {
  server.get('/openapi.json', { config: { auth: 'none' }, schema: { hide: true } }, async () =>
    server.swagger(),
  )
  await server.register(async scope => {
    scope.addHook('onRoute', route => {
      route.config = { ...route.config, auth: 'none' }
      route.schema = { ...route.schema, hide: true }
    })
    scope.addHook('onSend', async (_request, reply) => {
      reply.header('content-security-policy', docsPolicy)
    })
    await scope.register(scalar, {
      routePrefix: '/docs',
      configuration: {
        url: '/openapi.json',
        pageTitle: 'Atelier API',
        withDefaultFonts: false,
        hideClientButton: true,
        showDeveloperTools: 'never',
        agent: { disabled: true },
        mcp: { disabled: true },
        telemetry: false,
        theme: 'default',
      },
    })
  })
}

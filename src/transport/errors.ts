import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify'
import { AppError, type FieldProblem, type RateLimit, toAppError } from '../lib/errors.ts'

/** The error body of every path: fields for each kind of client, all saying the same. */
export interface ErrorAnswer {
  success: false
  data: null
  error: string
  message: string
  code: string
  errors: string[]
  details: readonly FieldProblem[]
  retryAfter?: number
  path?: string
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Says an error in the words of a published API, which may have another status for it; the fields stay. */
    tell?: (body: ErrorAnswer, reply: FastifyReply) => ErrorAnswer
  }
}

/** An error as the body that is told to the outside; never a stack, never what a bug said. */
export function errorBody(error: AppError): ErrorAnswer {
  const texts = error.details.map(problem => `${problem.field} ${problem.message}`)
  return {
    ...error.facts,
    success: false,
    data: null,
    error: error.message,
    message: error.message,
    code: error.code,
    errors: texts.length > 0 ? texts : [error.message],
    details: error.details,
    ...(error.retryAfterSeconds === undefined ? {} : { retryAfter: error.retryAfterSeconds }),
  }
}

/** Answers with an error that was thrown while a request was handled. Bugs are logged, refusals are not. */
export function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = fromFastify(thrown) ?? toAppError(thrown)
  if (error.kind === 'internal')
    request.log.error({ requestId: request.id, err: error.cause ?? error }, 'request failed')
  else if (error.status >= 500)
    request.log.warn({ requestId: request.id, code: error.code, err: error.cause }, error.message)
  if (error.rateLimit) reply.headers(rateLimitHeaders(error.rateLimit))
  if (error.retryAfterSeconds !== undefined) reply.header('retry-after', Math.ceil(error.retryAfterSeconds))
  reply.header('cache-control', 'no-store')
  reply.code(error.status)
  const body = errorBody(error)
  const told = request.routeOptions?.config?.tell?.(body, reply) ?? body
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(told))
}

/** How a limit stands, as headers: `X-RateLimit-Reset` is in Unix seconds. */
export function rateLimitHeaders(state: RateLimit): Record<string, string> {
  return {
    'x-ratelimit-limit': String(state.limit),
    'x-ratelimit-remaining': String(state.remaining),
    'x-ratelimit-reset': String(Math.ceil((Date.now() + state.resetMs) / 1000)),
  }
}

/** The answer for a path that does not exist. */
export function sendRouteNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = request.url.split('?')[0] ?? '/'
  const body = errorBody(new AppError('missing', 'NOT_FOUND', 'Route not found'))
  return reply
    .code(404)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ ...body, path }))
}

const frameworkErrors: Record<string, () => AppError> = {
  FST_ERR_BAD_URL: () => new AppError('invalid', 'BAD_URL', 'The URL is not well-formed'),
  FST_ERR_CTP_BODY_TOO_LARGE: () =>
    new AppError('too-large', 'BODY_TOO_LARGE', 'The request body is too large'),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    new AppError('unsupported', 'UNSUPPORTED_MEDIA_TYPE', 'The body must be sent as application/json'),
  FST_ERR_CTP_INVALID_JSON_BODY: () => new AppError('invalid', 'INVALID_JSON', 'The body is not valid JSON'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    new AppError('invalid', 'INVALID_CONTENT_LENGTH', 'The body is not as long as Content-Length says'),
}

function fromFastify(thrown: unknown): AppError | null {
  if (thrown instanceof AppError || !(thrown instanceof Error)) return null
  const error = thrown as FastifyError
  if (error.validation) return validationError(error.validation, error.validationContext ?? 'body')
  const known = error.code ? frameworkErrors[error.code] : undefined
  if (known) return known()
  if (error instanceof SyntaxError && error.statusCode === 400) {
    return new AppError('invalid', 'INVALID_JSON', 'The body is not valid JSON')
  }
  const isRefusal = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500
  return isRefusal ? new AppError('invalid', 'BAD_REQUEST', 'The request could not be read') : null
}

/** Broken schema rules as the 400 that names each field and its rule. */
export function validationError(problems: readonly FastifySchemaValidationError[], place: string): AppError {
  const details = toldOnce(problems)
    .slice(0, 20)
    .map(problem => describe(problem, place))
  const first = details[0] ?? { field: place, message: 'is not valid' }
  return new AppError('invalid', 'VALIDATION_ERROR', `${first.field} ${first.message}`, { details })
}

/** Without the rule against blanks where a text is shorter than allowed: one problem is told once. */
function toldOnce(problems: readonly FastifySchemaValidationError[]) {
  const short = new Set(problems.filter(one => one.keyword === 'minLength').map(one => one.instancePath))
  return problems.filter(
    one => !(one.keyword === 'pattern' && one.params.pattern === notBlank && short.has(one.instancePath)),
  )
}

/** The pattern of a text that says something. */
const notBlank = '\\S'

function describe(problem: FastifySchemaValidationError, place: string): FieldProblem {
  const parameters = problem.params as Record<string, unknown>
  const path = problem.instancePath.slice(1).replaceAll('/', '.').slice(0, 200)
  const inside = (name: unknown) =>
    path ? `${path}.${String(name).slice(0, 100)}` : String(name).slice(0, 100)
  switch (problem.keyword) {
    case 'required':
      return { field: inside(parameters.missingProperty), message: 'is required' }
    case 'pattern':
      return { field: path || place, message: patternRule(String(parameters.pattern)) }
    case 'format':
      return {
        field: path || place,
        message: `must be a valid ${formats[String(parameters.format)] ?? parameters.format}`,
      }
    case 'minProperties':
      return { field: path || place, message: 'must name at least one field' }
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return { field: inside(parameters.additionalProperty), message: 'is not a known field' }
    case 'enum':
      return {
        field: path || place,
        message: `must be one of ${(parameters.allowedValues as unknown[]).join(', ')}`,
      }
    case 'const':
      return { field: path || place, message: `must be ${JSON.stringify(parameters.allowedValue)}` }
    case 'minLength':
      return {
        field: path || place,
        message:
          parameters.limit === 1
            ? 'must not be empty'
            : `must be at least ${parameters.limit} characters long`,
      }
    case 'maxLength':
      return { field: path || place, message: `must be at most ${parameters.limit} characters long` }
    default:
      return { field: path || place, message: problem.message ?? 'is not valid' }
  }
}

const formats: Record<string, string> = {
  uuid: 'id (a UUID)',
  'date-time': 'date and time',
  email: 'e-mail address',
}

/** The patterns that schemas use, in words. */
function patternRule(pattern: string): string {
  return pattern === notBlank ? 'must not be blank' : `must match ${pattern}`
}

const unreadable: Record<string, readonly [status: string, code: string, message: string]> & {
  other: readonly [string, string, string]
} = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'HEADERS_TOO_LARGE',
    'The headers or the URL are too long',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'REQUEST_TIMEOUT', 'The request took too long to arrive'],
  other: ['400 Bad Request', 'BAD_REQUEST', 'The request could not be read'],
}

/** Answers what could not be read as HTTP, before any route was known, and closes the connection. */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, code, message] = unreadable[error.code ?? ''] ?? unreadable.other
  const body = JSON.stringify(errorBody(new AppError('invalid', code, message)))
  const headers = `content-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close`
  socket.end(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${body}`)
}

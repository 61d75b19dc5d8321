import type { FastifyReply } from 'fastify'
import type { TSchema } from 'typebox'
import type { AuthRule } from '../transport/auth.ts'
import { failures } from '../transport/envelope.ts'
import type { ErrorAnswer } from '../transport/errors.ts'

/** One of the published APIs as the API description shows it, and how it tells errors. */
export interface Dialect {
  tag: string
  description: string
  /** The last word on an error's body; its fields stay. */
  shape?: (body: ErrorAnswer) => ErrorAnswer
}

/** What a request of an endpoint brings. */
export interface Asks {
  body?: TSchema
  querystring?: TSchema
  params?: TSchema
}

export interface Endpoint<Request extends Asks> {
  summary: string
  description?: string
  /** Who may call; the signed in unless said otherwise. */
  auth?: AuthRule
  asks?: Request
  /** A success as it is published, by status. */
  answers: Readonly<Record<number, unknown>>
  failures: readonly number[]
  /** Our names of fields → published ones. */
  names?: Readonly<Record<string, string>>
  /** A broken rule ("email is required") or a field ("email") → its published sentence. */
  texts?: Readonly<Record<string, string>>
  /** Our error codes → what is published for them. */
  codes?: Readonly<Record<string, { message?: string; code?: string; status?: number }>>
}

/** Writes one endpoint of a dialect as the options of its route. Answers go out exactly as they are presented. */
export function speak({ tag, shape = body => body }: Dialect) {
  return <const Request extends Asks>(endpoint: Endpoint<Request>) => {
    const { auth = 'required', asks, names = {}, texts = {}, codes = {} } = endpoint
    const order = Object.keys((asks?.body as { properties?: object } | undefined)?.properties ?? {})
    const published = { names, texts, codes, order }
    return {
      config: {
        auth,
        tell: (body: ErrorAnswer, reply: FastifyReply) => {
          const status = codes[body.code]?.status
          if (status !== undefined) reply.code(status)
          return shape(inPublishedWords(body, published))
        },
      },
      serializerCompiler: () => (answer: unknown) => JSON.stringify(answer),
      schema: {
        ...(asks ?? ({} as Request)),
        tags: [tag],
        summary: endpoint.summary,
        ...(endpoint.description === undefined ? {} : { description: endpoint.description }),
        response: {
          ...Object.fromEntries(
            Object.entries(endpoint.answers).map(([status, example]) => [status, shapeOf(example)]),
          ),
          ...failures(...endpoint.failures),
        },
      },
    }
  }
}

type Published = Required<Pick<Endpoint<Asks>, 'names' | 'texts' | 'codes'>> & { order: readonly string[] }

/** The same error with published names and sentences, the fields in the order in which they are published. */
function inPublishedWords(body: ErrorAnswer, { names, texts, codes, order }: Published): ErrorAnswer {
  const place = (field: string) => (order.includes(field) ? order.indexOf(field) : order.length)
  const details = body.details
    .map(({ field, message }) => ({ field: names[field] ?? field, message }))
    .toSorted((one, other) => place(one.field) - place(other.field))
  const sentences = details.map(
    ({ field, message }) => texts[`${field} ${message}`] ?? texts[field] ?? `${field} ${message}`,
  )
  const told = codes[body.code]
  const isValidation = body.code === 'VALIDATION_ERROR'
  const message = told?.message ?? (isValidation ? sentences[0] : undefined) ?? body.message
  const errors = isValidation && sentences.length > 0 ? sentences : [message]
  return { ...body, error: message, message, code: told?.code ?? body.code, errors, details }
}

/** A schema that is read off an example, for the API description alone. */
export function shapeOf(example: unknown): TSchema {
  return { ...kindOf(example), examples: [example] } as unknown as TSchema
}

/** An answer that is no JSON document, under its media type. */
export function sends(mediaType: string, description: string): TSchema {
  return { description, content: { [mediaType]: { schema: { type: 'string' } } } } as unknown as TSchema
}

/** A JSON answer and another one for the same status, as the request asks. */
export function showsOrSends(example: unknown, mediaType: string, description: string): TSchema {
  const content = {
    [mediaType]: { schema: { type: 'string' } },
    'application/json': { schema: shapeOf(example) },
  }
  return { description, content } as unknown as TSchema
}

/** For routes that write their options themselves: errors in the dialect's words, answers exactly as they are presented. */
export function spoken({ shape }: Dialect) {
  return (route: { config?: object; serializerCompiler?: unknown }): void => {
    if (shape) route.config = { ...route.config, tell: shape }
    route.serializerCompiler = () => (answer: unknown) => JSON.stringify(answer)
  }
}

/** One example cannot tell which properties may be null, so all of them may. */
function kindOf(value: unknown, nothing: readonly string[] = []): Record<string, unknown> {
  if (value === null || value === undefined) return {}
  const inside = (inner: unknown) => kindOf(inner, ['null'])
  if (Array.isArray(value))
    return { type: ['array', ...nothing], items: value.length > 0 ? inside(value[0]) : {} }
  if (typeof value === 'object') {
    const properties = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, inside(inner)]))
    return { type: ['object', ...nothing], properties, additionalProperties: true }
  }
  return { type: [typeof value, ...nothing] }
}

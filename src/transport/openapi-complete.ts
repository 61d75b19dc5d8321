import { exampleOf, type JsonSchema } from './openapi-examples.ts'

/** The parts of an OpenAPI document that are completed here. */
export interface Document {
  paths?: Record<string, Record<string, Operation>>
}

interface Operation {
  security?: unknown[]
  responses: Record<string, Answer>
}

interface Answer {
  description?: string
  content?: Record<string, Media>
}

interface Media {
  schema?: JsonSchema
  example?: unknown
  examples?: unknown
}

/** How to say the error of a status; what the routes themselves do not list is added from here. */
export interface ErrorTexts {
  schema: JsonSchema
  meanings: Readonly<Record<number, string>>
  codes: Readonly<Record<number, string>>
}

/**
 * Completes a document in place: each operation of the API gets the refusals that every route can give (a broken rule, a
 * body that is too large or no JSON, too many requests, a database that is away), and each answer gets an example.
 */
export function completeDocument<Any extends object>(document: Any, texts: ErrorTexts): Any {
  for (const [path, operations] of Object.entries((document as Document).paths ?? {})) {
    for (const [method, operation] of Object.entries(operations)) {
      if (!path.startsWith('/health')) addCommonRefusals(operation, method, texts)
      for (const [status, answer] of Object.entries(operation.responses))
        addExample(answer, Number(status), texts)
    }
  }
  return document
}

function addCommonRefusals(operation: Operation, method: string, texts: ErrorTexts): void {
  const statuses = [400, 429, 503]
  // A body may come with any of them, wanted or not.
  if (method !== 'get') statuses.push(413, 415)
  // A token is checked also where none is needed.
  if (operation.security?.length !== 0) statuses.push(401)
  for (const status of statuses) {
    operation.responses[status] ??= {
      description: texts.meanings[status] ?? 'Error',
      content: { 'application/json': { schema: texts.schema } },
    }
  }
}

function addExample(answer: Answer, status: number, texts: ErrorTexts): void {
  const media = answer.content?.['application/json']
  if (!media?.schema || media.example !== undefined || media.examples !== undefined) return
  if (status >= 400 && isError(media.schema)) media.example = errorExample(status, texts)
  else media.example = exampleOf(media.schema)
}

function isError(schema: JsonSchema): boolean {
  return schema.properties?.code !== undefined && schema.properties.errors !== undefined
}

function errorExample(status: number, { meanings, codes }: ErrorTexts): unknown {
  const field = status === 400 ? { field: 'name', message: 'must be string' } : null
  const said = field ? `${field.field} ${field.message}` : (meanings[status] ?? 'Error')
  return {
    success: false,
    data: null,
    error: said,
    message: said,
    code: codes[status] ?? 'ERROR',
    errors: [said],
    details: field ? [field] : [],
    ...(status === 429 || status === 503 ? { retryAfter: 30 } : {}),
  }
}

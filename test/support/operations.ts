import { exampleOf } from '../../src/transport/openapi-examples.ts'
import type { TestApp } from './app.ts'

/** A JSON Schema as /openapi.json writes it. */
export interface Schema {
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  example?: unknown
  examples?: unknown[]
  minimum?: number
  maximum?: number
  format?: string
}

export interface Operation {
  /** Such as `GET /api/v1/me`. */
  name: string
  method: string
  path: string
  parameters: { name: string; in: string; schema?: Schema }[]
  body: { schema: Schema; examples: unknown[] } | null
  responses: Record<string, { content?: Record<string, { schema?: Schema }> }>
}

interface Written {
  parameters?: Operation['parameters']
  requestBody?: {
    content: Record<
      string,
      { schema?: Schema; example?: unknown; examples?: Record<string, { value: unknown }> }
    >
  }
  responses: Operation['responses']
}

/** Every operation that the server documents. */
export async function readOperations(server: TestApp): Promise<Operation[]> {
  const { body } = await server.call('GET', '/openapi.json')
  const paths = body.paths as Record<string, Record<string, Written>>
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody, responses }]) => {
      const media = Object.values(requestBody?.content ?? {})[0]
      const examples = media?.examples
        ? Object.values(media.examples).map(each => each.value)
        : media?.example === undefined
          ? []
          : [media.example]
      return {
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        parameters,
        body: media ? { schema: media.schema ?? {}, examples } : null,
        responses,
      }
    }),
  )
}

/** A body that the operation takes: its own example, or what its rules ask for; undefined where it has none. */
export function bodyFor({ body }: Operation): Record<string, unknown> | undefined {
  if (!body) return undefined
  const { properties = {}, required = [] } = body.schema
  const least = required.map(name => [name, exampleOf((properties[name] ?? {}) as object, name)])
  return (body.examples[0] ?? Object.fromEntries(least)) as Record<string, unknown>
}

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'

interface Operation {
  summary?: string
  tags?: string[]
  security?: unknown[]
  parameters?: { name: string; in: string; schema?: Schema }[]
  requestBody?: { content: Record<string, { schema: Schema; example?: unknown; examples?: unknown }> }
  responses: Record<string, { description?: string; content?: Record<string, Media> }>
}

interface Media {
  schema?: Schema
  example?: unknown
  examples?: Record<string, { value: unknown }>
}

interface Schema {
  type?: string
  anyOf?: Schema[]
  examples?: unknown[]
  example?: unknown
  required?: string[]
  properties?: Record<string, Schema>
  items?: Schema
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
}

let server: TestApp
let operations: { name: string; path: string; operation: Operation }[]
let tags: string[]

beforeAll(async () => {
  server = await startApp()
  const { body } = await server.call('GET', '/openapi.json')
  expect(body.openapi).toBe('3.1.0')
  tags = body.tags.map((tag: { name: string }) => tag.name)
  operations = Object.entries(body.paths as Record<string, Record<string, Operation>>).flatMap(
    ([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        name: `${method.toUpperCase()} ${path}`,
        path,
        operation,
      })),
  )
})
afterAll(() => server[Symbol.asyncDispose]())

/** Whether one may call without signing in. */
const isOpen = (security: unknown[] | undefined) =>
  security?.length === 0 || security?.some(choice => Object.keys(choice as object).length === 0)

const unfit = (isFit: (operation: Operation, path: string) => boolean) =>
  operations.filter(({ operation, path }) => !isFit(operation, path)).map(({ name }) => name)

describe('the API description', () => {
  test('has every area of the API', () => {
    expect(operations.length).toBeGreaterThan(40)
    for (const path of [
      '/api/v1/generations',
      '/api/v1/conversations',
      '/api/v1/accounts',
      '/api/v1/artifacts/{id}',
      '/health',
    ]) {
      expect(operations.map(each => each.path)).toContain(path)
    }
  })

  test('names and places every operation', () => {
    expect(unfit(operation => Boolean(operation.summary))).toEqual([])
    expect(
      unfit(operation => operation.tags?.length === 1 && tags.includes(operation.tags[0] ?? '')),
    ).toEqual([])
  })

  test('describes every answer: what succeeds, and each error with its body', () => {
    expect(unfit(({ responses }) => Object.keys(responses).some(status => /^2/.test(status)))).toEqual([])
    const needsErrors = (path: string) => path.startsWith('/api/')
    expect(
      unfit(({ responses }, path) => !needsErrors(path) || Object.keys(responses).some(s => /^4/.test(s))),
    ).toEqual([])
    expect(
      unfit(({ responses, security }, path) => !needsErrors(path) || isOpen(security) || '401' in responses),
    ).toEqual([])
    expect(
      unfit(({ responses }) => Object.values(responses).every(each => each.description !== undefined)),
    ).toEqual([])
  })

  test('shows every body by an example', () => {
    const hasExample = (schema: Schema): boolean =>
      schema.examples !== undefined ||
      schema.example !== undefined ||
      (schema.anyOf ?? []).some(hasExample) ||
      (schema.required ?? []).some(name => hasExample(schema.properties?.[name] ?? {}))
    const isFit = ({ requestBody }: Operation) =>
      Object.values(requestBody?.content ?? {}).every(
        each => each.example !== undefined || each.examples !== undefined || hasExample(each.schema),
      )
    expect(unfit(isFit)).toEqual([])
  })

  test('bounds every number that it takes, so that none is too large for its column', () => {
    const isBounded = (schema: Schema): boolean => {
      const isNumber = [schema.type].flat().some(type => type === 'integer' || type === 'number')
      const least = schema.minimum ?? schema.exclusiveMinimum
      const most = schema.maximum ?? schema.exclusiveMaximum
      if (isNumber && (least === undefined || most === undefined)) return false
      const parts = [
        ...(schema.anyOf ?? []),
        ...Object.values(schema.properties ?? {}),
        ...[schema.items ?? []].flat(),
      ]
      return parts.every(isBounded)
    }
    const isFit = ({ parameters = [], requestBody }: Operation) =>
      [...parameters, ...Object.values(requestBody?.content ?? {})].every(each =>
        isBounded(each.schema ?? {}),
      )
    expect(unfit(isFit)).toEqual([])
  })

  test('shows every answer by an example that its schema describes', () => {
    const ajv = addFormats.default(new Ajv2020({ strict: false }))
    // Most answers are the one error body.
    const compiled = new Map<string, ValidateFunction>()
    const wrong = operations.flatMap(({ name, operation }) =>
      Object.entries(operation.responses).flatMap(([status, { content }]) => {
        const media = content?.['application/json']
        if (!media) return []
        const examples = media.examples
          ? Object.values(media.examples).map(each => each.value)
          : [media.example]
        const text = JSON.stringify(media.schema ?? {})
        const check = compiled.get(text) ?? ajv.compile(media.schema ?? {})
        compiled.set(text, check)
        return examples.every(example => example !== undefined && check(example)) ? [] : [`${name} ${status}`]
      }),
    )
    expect(wrong).toEqual([])
  })

  test('tells of each operation the refusals that any of them can give', () => {
    const api = ({ path }: { path: string }) => path.startsWith('/api/')
    const without = (status: string, those = operations) =>
      those.filter(each => api(each) && !(status in each.operation.responses)).map(({ name }) => name)
    for (const status of ['429', '503']) expect(without(status)).toEqual([])
    const withBody = operations.filter(({ operation }) => operation.requestBody !== undefined)
    for (const status of ['400', '413', '415']) expect(without(status, withBody)).toEqual([])
  })

  test('is shown at /docs, from this server alone', async () => {
    const page = await server.call('GET', '/docs/', { headers: { accept: 'text/html' } })
    expect(page.status).toBe(200)
    expect(page.text.match(/https?:\/\/(?!127\.0\.0\.1|localhost)[^"' )]+\.(js|css|woff2?)/g) ?? []).toEqual(
      [],
    )
  })
})

import fc from 'fast-check'
import type { Operation, Schema } from './operations.ts'

/** Values that nobody should send. */
export const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ maxLength: 2000 }),
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(
    '\u0000',
    '\ud800',
    '%00',
    '../../etc/passwd',
    "' or 1=1 --",
    '%'.repeat(200),
    '__proto__',
    'x'.repeat(5000),
    '01936b2e-8f6a-7c3d-9f7e-2a4b6c8d0e1f',
    1e308,
    -1,
    0.1,
    2 ** 53,
    null,
    true,
    [],
    {},
    { $ne: null },
  ),
)

/** Values that a schema allows, as far as it is cheap to make them. */
function allowedBy(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  const choices = schema.anyOf ?? schema.oneOf
  if (choices?.length) return fc.oneof(...choices.map(allowedBy))
  const known = [...(schema.examples ?? []), ...(schema.example === undefined ? [] : [schema.example])]
  const free = ofType(schema)
  return known.length > 0 ? fc.oneof(fc.constantFrom(...known), free) : free
}

function ofType(schema: Schema): fc.Arbitrary<unknown> {
  const { minimum = -10, maximum = 100_000 } = schema
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'object':
      return ofProperties(schema)
    case 'array':
      return fc.array(allowedBy(schema.items ?? {}), { maxLength: 3 })
    case 'integer':
      return atEdges(
        schema,
        fc.integer({ min: Math.ceil(minimum), max: Math.min(Math.floor(maximum), 2 ** 31) }),
      )
    case 'number':
      return atEdges(schema, fc.double({ min: minimum, max: maximum, noNaN: true }))
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    default:
      return schema.format === 'uuid' ? fc.uuid() : fc.string({ maxLength: 80 })
  }
}

/** Numbers, and as often the outermost ones: of the schema, where it has bounds, and of what a column or a double holds. */
function atEdges({ minimum, maximum }: Schema, inside: fc.Arbitrary<number>): fc.Arbitrary<number> {
  const bounds = [minimum ?? -(2 ** 31) - 1, maximum ?? 2 ** 53, 2 ** 31 - 1, 2 ** 31, 2 ** 53]
  return fc.oneof(inside, fc.constantFrom(...bounds))
}

/** Mostly right, with one field in five odd, left out or not known. */
function ofProperties({ properties = {}, required = [] }: Schema): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [
      name,
      fc.oneof({ weight: 5, arbitrary: allowedBy(property) }, { weight: 1, arbitrary: odd }),
    ]),
  )
  const extra = fc.oneof(
    { weight: 6, arbitrary: fc.constant({}) },
    fc.constantFrom<object>(
      { role: 'admin' },
      { constructor: { prototype: { polluted: 1 } } },
      JSON.parse('{"__proto__":{"polluted":1}}'),
    ),
  )
  const whole = fc.record(fields, { requiredKeys: required.filter(name => name in fields) })
  return fc
    .tuple(fc.oneof({ weight: 5, arbitrary: whole }, fc.record(fields, { requiredKeys: [] })), extra)
    .map(([made, more]) => ({ ...made, ...more }))
}

/** Bodies for an operation: its examples, what its schema allows, and what nothing does; none where it has none. */
export function bodyOf({ body, method }: Operation): fc.Arbitrary<unknown> {
  if (!body) return method === 'GET' ? fc.constant(undefined) : fc.oneof(fc.constant(undefined), odd)
  const right = allowedBy(body.schema)
  const shown = body.examples.length > 0 ? fc.constantFrom(...body.examples) : right
  return fc.oneof(
    { weight: 3, arbitrary: shown },
    { weight: 5, arbitrary: right },
    { weight: 2, arbitrary: odd },
    { weight: 1, arbitrary: fc.constant(undefined) },
  )
}

/** Queries for an operation, its parameters right as often as not. */
export function queryOf({ parameters }: Operation): fc.Arbitrary<Record<string, string>> {
  const fields = parameters
    .filter(each => each.in === 'query')
    .map(({ name, schema = {} }) => [name, fc.oneof(allowedBy(schema), odd).map(textOf)] as const)
  return fc.record(Object.fromEntries(fields), { requiredKeys: [] }) as fc.Arbitrary<Record<string, string>>
}

/** A value as the text that a URL holds. */
export function textOf(value: unknown): string {
  return (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).slice(0, 2000).toWellFormed()
}

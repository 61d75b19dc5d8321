/** The words of JSON Schema that examples are made from. */
export interface JsonSchema {
  type?: string | readonly string[]
  const?: unknown
  enum?: readonly unknown[]
  default?: unknown
  example?: unknown
  examples?: readonly unknown[]
  format?: string
  minimum?: number
  minLength?: number
  properties?: Readonly<Record<string, JsonSchema>>
  patternProperties?: Readonly<Record<string, JsonSchema>>
  items?: JsonSchema
  anyOf?: readonly JsonSchema[]
  oneOf?: readonly JsonSchema[]
  allOf?: readonly JsonSchema[]
}

const samples: Record<string, string> = {
  uuid: '01936b2e-8f6a-7c3d-9f7e-2a4b6c8d0e1f',
  'date-time': '2026-11-20T09:30:00.000Z',
  date: '2026-11-20',
  email: 'ada@example.com',
  uri: 'https://atelier.example/',
}

/** Texts that are told best by how their field is called. */
const names: Record<string, string> = {
  email: 'ada@example.com',
  mobile: '+14155550123',
  username: 'ada',
  title: 'A React button component',
  content: 'Here is a button component.',
  message: 'Create a React button component',
  model: 'sandbox',
  path: 'Button.tsx',
  language: 'tsx',
  otp: '402817',
  accessToken: 'eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTkzNmIyZSJ9.c2lnbmF0dXJl',
  refreshToken: 'atr_Oe512SCMwrBCWTRHjLOTbBDDDVA06O8wBmVhHRE1was',
}

/** A value that the schema describes: its own example where it has one, else the most telling one that can be made. */
export function exampleOf(schema: JsonSchema, name = ''): unknown {
  if (schema.example !== undefined) return schema.example
  if (schema.examples?.length) return schema.examples[0]
  if (schema.const !== undefined) return schema.const
  if (schema.enum?.length) return schema.enum[0]
  if (schema.default !== undefined) return schema.default
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return exampleOf(choices.find(choice => choice.type !== 'null') ?? {}, name)
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map(part => exampleOf(part, name)))
  return ofType(schema, name)
}

function ofType(schema: JsonSchema, name: string): unknown {
  const type = typeof schema.type === 'object' ? schema.type.find(each => each !== 'null') : schema.type
  switch (type ?? (schema.properties ? 'object' : 'null')) {
    case 'object':
      return ofProperties(schema)
    case 'array':
      return schema.items ? [exampleOf(schema.items, name.replace(/s$/, ''))] : []
    case 'string':
      return ofText(schema, name)
    case 'integer':
    case 'number':
      return Math.max(schema.minimum ?? 0, 1)
    case 'boolean':
      return true
    default:
      return null
  }
}

function ofProperties({ properties = {} }: JsonSchema): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [name, exampleOf(property, name)]),
  )
}

function ofText({ format, minLength = 0 }: JsonSchema, name: string): string {
  const sample = samples[format ?? ''] ?? names[name] ?? (/(^id|Id)$/.test(name) ? samples.uuid : undefined)
  if (sample !== undefined) return sample
  if (/url$/i.test(name)) return samples.uri ?? ''
  return (name || 'text').padEnd(minLength, '.')
}

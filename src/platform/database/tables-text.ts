import type { Catalog, Column } from './catalog.ts'

const scalarTypes: Record<string, string> = {
  uuid: 'string',
  text: 'string',
  'character varying': 'string',
  citext: 'string',
  inet: 'string',
  cidr: 'string',
  date: 'string',
  smallint: 'number',
  integer: 'number',
  bigint: 'number',
  real: 'number',
  'double precision': 'number',
  numeric: 'number',
  boolean: 'boolean',
  bytea: 'Buffer',
  tsvector: 'string',
  json: 'Json',
  jsonb: 'Json',
  'timestamp with time zone': 'Timestamp',
}

const preamble = `// Made from the migrated schema by \`npm run schema\`; a test compares it. Do not edit.
import type { ColumnType } from 'kysely'

/** A column that the database fills when an insert leaves it out. */
export type Generated<T> =
  T extends ColumnType<infer S, infer I, infer U> ? ColumnType<S, I | undefined, U> : ColumnType<T, T | undefined, T>

/** Comes as a Date, goes in as a Date or an ISO text. */
export type Timestamp = ColumnType<Date, Date | string, Date | string>

/** Comes parsed, goes in as JSON text: an array that is passed as it is would become a Postgres array. */
export type Json = ColumnType<unknown, string, string>
`

/** The tables as TypeScript for Kysely, not yet formatted: the content of tables.ts. */
export function tablesText(catalog: Catalog): string {
  const names = [...catalog.tables, ...catalog.views].map(each => each.name)
  const interfaces = names.map(name => {
    const columns = catalog.columns.filter(column => column.table === name)
    return `export interface ${interfaceName(name)} {\n${columns.map(each => `  ${each.name}: ${columnType(catalog, each)}\n`).join('')}}\n`
  })
  const list = names.map(name => `  ${name}: ${interfaceName(name)}\n`).join('')
  return `${preamble}\n${interfaces.join('\n')}\n/** All tables by name. */\nexport interface Tables {\n${list}}\n`
}

function interfaceName(table: string): string {
  const words = table.split('_').map(word => word.charAt(0).toUpperCase() + word.slice(1))
  return `${words.join('')}Table`
}

function columnType(catalog: Catalog, column: Column): string {
  const type = literalUnion(catalog, column) ?? baseType(catalog, column.type)
  const nullable = column.isNullable ? `${type} | null` : type
  if (column.generated || column.identity === 'a') return `ColumnType<${nullable}, never, never>`
  return column.defaultValue !== null || column.identity ? `Generated<${nullable}>` : nullable
}

function baseType(catalog: Catalog, type: string): string {
  if (type.endsWith('[]')) return `${baseType(catalog, type.slice(0, -2))}[]`
  const labels = catalog.enums.find(each => each.name === type)?.labels
  if (labels) return `(${labels.map(label => JSON.stringify(label)).join(' | ')})`
  const found = scalarTypes[type.replace(/\(.*\)$/, '')]
  if (!found) throw new Error(`tables-text.ts does not know the type ${type}`)
  return found
}

/** The allowed texts of a column, when a check says `column in ('a', 'b')`. */
function literalUnion(catalog: Catalog, column: Column): string | null {
  for (const { table, kind, columns, definition } of catalog.constraints) {
    if (kind !== 'c' || table !== column.table || columns.length !== 1 || columns[0] !== column.name) continue
    const list = /^CHECK \(\w+ = ANY \(ARRAY\[((?:'(?:[^']|'')*'::text(?:, )?)+)\]\)\)$/.exec(definition)?.[1]
    const single = /^CHECK \(\w+ = ('(?:[^']|'')*'::text)\)$/.exec(definition)?.[1]
    const literals = (list ?? single)?.match(/'(?:[^']|'')*'/g)
    if (literals)
      return literals.map(each => JSON.stringify(each.slice(1, -1).replaceAll("''", "'"))).join(' | ')
  }
  return null
}

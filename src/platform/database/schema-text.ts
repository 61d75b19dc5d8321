import type { Catalog, Column } from './catalog.ts'

/** The schema as SQL that a person can read and that a diff can compare: the content of migrations/schema.sql. */
export function schemaText(catalog: Catalog): string {
  const parts = [
    '-- The schema after all migrations. Made by `npm run schema`; a test compares it. Do not edit.',
    ...catalog.extensions.map(name => `create extension ${name};`),
    ...catalog.enums.map(each => `create type ${each.name} as enum (${each.labels.map(quote).join(', ')});`),
    ...catalog.functions.map(each => `${each.definition.trim()};`),
    ...catalog.tables.map(table => tableText(catalog, table)),
    ...catalog.views.map(view => `create view ${view.name} as\n${view.definition.trim()}`),
  ]
  return `${parts.join('\n\n')}\n`
}

function tableText(catalog: Catalog, table: Catalog['tables'][number]): string {
  const ofTable = <T extends { table: string }>(each: T) => each.table === table.name
  const lines = [
    ...catalog.columns.filter(ofTable).map(columnText),
    ...catalog.constraints
      .filter(ofTable)
      .map(each => `constraint ${each.name} ${lowerKeywords(each.definition)}`),
  ]
  const options = table.options ? ` with (${table.options.join(', ')})` : ''
  const after = [
    ...catalog.indexes
      .filter(ofTable)
      .map(each => `${lowerKeywords(each.definition.replace(' ON public.', ' ON '))};`),
    ...catalog.triggers.filter(ofTable).map(each => `${each.definition};`),
  ]
  return [`create table ${table.name} (\n  ${lines.join(',\n  ')}\n)${options};`, ...after].join('\n')
}

function columnText(column: Column): string {
  const presence = column.isNullable ? '' : ' not null'
  if (column.generated)
    return `${column.name} ${column.type}${presence} generated always as (${column.defaultValue}) stored`
  if (column.identity) {
    return `${column.name} ${column.type}${presence} generated ${column.identity === 'a' ? 'always' : 'by default'} as identity`
  }
  return `${column.name} ${column.type}${presence}${column.defaultValue === null ? '' : ` default ${column.defaultValue}`}`
}

const keywords =
  /\b(CREATE|UNIQUE|INDEX|ON|USING|WHERE|PRIMARY|KEY|FOREIGN|REFERENCES|DELETE|UPDATE|CASCADE|RESTRICT|SET|NULL|CHECK|AND|OR|IS|NOT|ANY|ARRAY|DESC|ASC|INCLUDE|NULLS|FIRST|LAST|DEFERRABLE|INITIALLY|DEFERRED|WITH|DISTINCT)\b/g

/** Postgres shouts; texts in quotes stay as they are. */
function lowerKeywords(definition: string): string {
  return definition
    .split(/('(?:[^']|'')*')/)
    .map((part, index) => (index % 2 === 1 ? part : part.replace(keywords, word => word.toLowerCase())))
    .join('')
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

import type pg from 'pg'

/** One column as the catalogs know it. */
export interface Column {
  table: string
  name: string
  type: string
  isNullable: boolean
  defaultValue: string | null
  /** '' | 's' for generated always as (…) stored. */
  generated: string
  /** '' | 'a' | 'd' for identity columns. */
  identity: string
}

export interface Constraint {
  table: string
  name: string
  kind: 'p' | 'u' | 'f' | 'c' | 'x'
  definition: string
  columns: string[]
}

/** Everything that migrations made in the schema `public`, in an order that does not depend on when. */
export interface Catalog {
  extensions: string[]
  enums: { name: string; labels: string[] }[]
  tables: { name: string; options: string[] | null }[]
  columns: Column[]
  constraints: Constraint[]
  indexes: { table: string; definition: string }[]
  views: { name: string; definition: string }[]
  functions: { definition: string }[]
  triggers: { table: string; definition: string }[]
}

const migrationsTable = 'schema_migrations'
const inPublic = `n.nspname = 'public'`
const madeByExtension = `exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')`

/** Reads the catalogs. The migrations' own table is left out. */
export async function readCatalog(client: pg.ClientBase): Promise<Catalog> {
  const rows = async <Row extends pg.QueryResultRow>(text: string) => (await client.query<Row>(text)).rows
  await client.query(`set search_path = public`)
  const relation = `join pg_class t on t.relname <> '${migrationsTable}' join pg_namespace n on n.oid = t.relnamespace and ${inPublic}`
  return {
    extensions: (
      await rows<{ name: string }>(
        `select extname as name from pg_extension where extname <> 'plpgsql' order by 1`,
      )
    ).map(each => each.name),
    enums: await rows(`
      select t.typname as name, array_agg(e.enumlabel::text order by e.enumsortorder) as labels
      from pg_type t join pg_enum e on e.enumtypid = t.oid join pg_namespace n on n.oid = t.typnamespace and ${inPublic}
      group by t.typname order by t.typname`),
    tables: await rows(`
      select t.relname as name, t.reloptions as options from pg_class t join pg_namespace n on n.oid = t.relnamespace
      where ${inPublic} and t.relkind in ('r', 'p') and t.relname <> '${migrationsTable}' order by t.relname`),
    columns: await rows<Column & pg.QueryResultRow>(`
      select t.relname as table, a.attname as name, format_type(a.atttypid, a.atttypmod) as type, not a.attnotnull as "isNullable",
        pg_get_expr(d.adbin, d.adrelid) as "defaultValue", a.attgenerated as generated, a.attidentity as identity
      from pg_attribute a ${relation} and t.oid = a.attrelid left join pg_attrdef d on d.adrelid = t.oid and d.adnum = a.attnum
      where t.relkind in ('r', 'p', 'v', 'm') and a.attnum > 0 and not a.attisdropped order by t.relname, a.attnum`),
    constraints: await rows<Constraint & pg.QueryResultRow>(`
      select t.relname as table, c.conname as name, c.contype as kind, pg_get_constraintdef(c.oid, true) as definition,
        array(select a.attname::text from pg_attribute a where a.attrelid = t.oid and a.attnum = any (c.conkey) order by a.attnum) as columns
      from pg_constraint c ${relation} and t.oid = c.conrelid where c.contype in ('p', 'u', 'f', 'c', 'x')
      order by t.relname, position(c.contype::text in 'puxcf'), c.conname`),
    indexes: await rows(`
      select t.relname as table, pg_get_indexdef(i.indexrelid) as definition
      from pg_index i join pg_class x on x.oid = i.indexrelid ${relation} and t.oid = i.indrelid
      where not exists (select from pg_constraint c where c.conindid = i.indexrelid and c.contype in ('p', 'u', 'x'))
      order by t.relname, x.relname`),
    views: await rows(`
      select t.relname as name, pg_get_viewdef(t.oid, true) as definition from pg_class t join pg_namespace n on n.oid = t.relnamespace
      where ${inPublic} and t.relkind in ('v', 'm') order by t.relname`),
    functions: await rows(`
      select pg_get_functiondef(p.oid) as definition from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where ${inPublic} and p.prokind in ('f', 'p') and not ${madeByExtension} order by p.proname, p.oid::regprocedure::text`),
    triggers: await rows(`
      select t.relname as table, pg_get_triggerdef(g.oid, true) as definition
      from pg_trigger g ${relation} and t.oid = g.tgrelid where not g.tgisinternal order by t.relname, g.tgname`),
  }
}

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import type { Report } from './report.ts'

const auditPath = join(import.meta.dirname, 'audit.sql')

/** A way into the database that the members of a stage use. */
export type ConnectionSource = () => Promise<pg.ClientConfig>

/** How to reach the embedded Postgres of a data folder, as whoever may read that folder. */
export function embeddedIn(dataDir: string): ConnectionSource {
  return async () => {
    const cluster = join(dataDir, 'postgres')
    const password = (await readFile(join(cluster, 'atelier.password'), 'utf8')).trim()
    const [, , , , host = ''] = (await readFile(join(cluster, 'postmaster.pid'), 'utf8')).split('\n')
    return { host, port: 5432, user: 'atelier', password, database: 'postgres' }
  }
}

/** Rows of one query over a connection of its own. */
export async function query<Row extends pg.QueryResultRow>(
  source: ConnectionSource,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client(await source())
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Row>(text, values)).rows
  } finally {
    await client.end()
  }
}

/** Runs audit.sql; each row that it gives is a failure. */
export async function audit(source: ConnectionSource, report: Report): Promise<void> {
  const text = await readFile(auditPath, 'utf8')
  const rows = await query<{ broken: string; id: string; detail: string }>(source, text)
  for (const { broken, id, detail } of rows) report.fail(`audit: ${broken}: ${id} (${detail})`)
  report.count('audits of the whole database')
}

/** What is stored of a generation, as the audit looks at it. */
export interface StoredGeneration {
  id: string
  status: string
  attempts: number
  isJob: boolean
  error: { code: string; message: string } | null
  content: string
  replyOffset: number
  costMicroCredits: number
  inputTokens: number | null
  outputTokens: number | null
  finishReason: string | null
}

/** Some generations by their id. */
export async function readStored(
  source: ConnectionSource,
  ids: readonly string[],
): Promise<Map<string, StoredGeneration>> {
  const rows = await query<StoredGeneration>(
    source,
    `select g.id, g.status, g.attempts, g.is_job as "isJob", g.error, coalesce(m.content, '') as content,
       g.reply_offset as "replyOffset", g.cost_micro_credits::float8 as "costMicroCredits",
       g.input_tokens as "inputTokens", g.output_tokens as "outputTokens", g.finish_reason as "finishReason"
     from generations g left join messages m on m.id = g.reply_id where g.id = any($1::uuid[])`,
    [ids],
  )
  return new Map(rows.map(row => [row.id, row]))
}

/** How often each message is stored, by its text. */
export async function countMessages(
  source: ConnectionSource,
  texts: readonly string[],
): Promise<Map<string, number>> {
  const rows = await query<{ content: string; count: number }>(
    source,
    `select content, count(*)::int as count from messages where role = 'user' and content = any($1::text[]) group by content`,
    [texts],
  )
  return new Map(rows.map(row => [row.content, row.count]))
}

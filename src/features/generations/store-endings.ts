import { type Database, statement } from '../../platform/database/index.ts'
import { settledWith } from '../billing/index.ts'
import type { Status } from './schema.ts'
import { type Progress, storable } from './store.ts'

/** How a run ended. */
export interface Ending extends Progress {
  /** The model that answered in the end. */
  model: string
  status: Status
  finishReason: string | null
  usage: { inputTokens: number; outputTokens: number; cachedInputTokens: number; isEstimated: boolean } | null
  costMicroCredits: number
  error: { code: string; message: string } | null
}

/** What an end is told as, with the types of its columns. */
const columns = {
  id: 'uuid',
  attempts: 'integer',
  model: 'text',
  status: 'text',
  finish_reason: 'text',
  content: 'text',
  marks: 'jsonb',
  last_seq: 'integer',
  input_tokens: 'integer',
  output_tokens: 'integer',
  cached_input_tokens: 'integer',
  usage_estimated: 'boolean',
  cost: 'bigint',
  error: 'jsonb',
}
const described = Object.entries(columns)

function ending(source: string) {
  return statement<{ id: string; finishedAt: Date }>(`with endings as not materialized (
      select * from ${source}
    ), ended as (
      update generations g set status = e.status, finish_reason = e.finish_reason, model = e.model, marks = e.marks,
        last_seq = e.last_seq, input_tokens = e.input_tokens, output_tokens = e.output_tokens,
        cached_input_tokens = e.cached_input_tokens, usage_estimated = e.usage_estimated, cost_micro_credits = e.cost,
        error = e.error, finished_at = now()
      from endings e where g.id = e.id and g.status in ('queued', 'running') and g.attempts = e.attempts returning g.*
    ), written as (
      update messages m set content = e.content, is_whole = true
      from ended join endings e on e.id = ended.id where m.id = ended.reply_id
    ), ${settledWith}
    select ended.id, finished_at as "finishedAt" from ended join settled on settled.id = ended.id`)
}

/** Most ends come alone, and are then half as dear as a list of one. */
const endOne = ending(
  `(values (${described.map(([, type], index) => `$${index + 1}::${type}`)})) as e (${Object.keys(columns)})`,
)
const endSeveral = ending(
  `json_to_recordset($1) as e (${described.map(([name, type]) => `${name} ${type}`)})`,
)

type Told = Record<keyof typeof columns, unknown>

function told(ending: Ending): Told {
  const { usage } = ending
  return {
    id: ending.generationId,
    attempts: ending.attempts,
    model: ending.model,
    status: ending.status,
    finish_reason: ending.finishReason,
    content: storable(ending.content),
    marks: ending.marks,
    last_seq: ending.lastSeq,
    input_tokens: usage?.inputTokens ?? null,
    output_tokens: usage?.outputTokens ?? null,
    cached_input_tokens: usage?.cachedInputTokens ?? null,
    usage_estimated: usage?.isEstimated ?? false,
    cost: ending.costMicroCredits,
    error: ending.error,
  }
}

/** In the order of the columns; an array would go in as one of Postgres. */
function valuesOf(ending: Ending): unknown[] {
  const values = told(ending)
  return Object.values({ ...values, marks: JSON.stringify(values.marks) })
}

/**
 * Ends runs with their texts and settles what they held, in one statement; gives when that was. A run that had already
 * ended, or is in other hands, is left as it is and out.
 */
export async function saveEndings(db: Database, endings: readonly Ending[]): Promise<Map<string, Date>> {
  const [first] = endings
  const rows =
    endings.length === 1 && first
      ? await endOne(db, ...valuesOf(first))
      : await endSeveral(db, JSON.stringify(endings.map(told)))
  return new Map(rows.map(row => [row.id, row.finishedAt]))
}

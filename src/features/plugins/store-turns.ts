import { type Database, statement } from '../../platform/database/index.ts'

export type Purpose = 'draft' | 'final'
export type Outcome = 'open' | 'passed' | 'answered' | 'errors' | 'failed'

/** One wish of a person: its answer, and the repairs of that. */
export interface Turn {
  id: string
  pluginId: string
  purpose: Purpose
  outcome: Outcome
  version: number | null
  /** The answer's generation, then those of its repairs. */
  generationIds: string[]
  createdAt: Date
}

/** What jsonb_build_object makes a turn (`t`) of. */
export const turnColumns = `'id', t.id, 'pluginId', t.plugin_id, 'purpose', t.purpose, 'outcome', t.outcome, 'version', t.version,
  'createdAt', t.created_at, 'generationIds', coalesce((select jsonb_agg(r.generation_id order by r.attempt)
    from plugin_runs r where r.turn_id = t.id), '[]')`

interface TurnRow {
  turn: Turn
}

function dated({ turn }: TurnRow): Turn {
  return { ...turn, createdAt: new Date(turn.createdAt) }
}

const claimOne = statement<{ id: string }>(
  `insert into plugin_turns (id, plugin_id, account_id, purpose, idempotency_key) values ($1, $2, $3, $4, $5)
   on conflict do nothing returning id`,
)

/** Opens a turn; false when the plugin has an open one, or the key was used. */
export async function openTurn(
  db: Database,
  turn: { id: string; pluginId: string; accountId: string; purpose: Purpose; idempotencyKey: string | null },
): Promise<boolean> {
  const { id, pluginId, accountId, purpose, idempotencyKey } = turn
  return (await claimOne(db, id, pluginId, accountId, purpose, idempotencyKey)).length > 0
}

const dropOne = statement('delete from plugin_turns where id = $1')

/** Takes back a turn that did not come to begin. */
export async function dropTurn(db: Database, id: string): Promise<void> {
  await dropOne(db, id)
}

const readOne = statement<TurnRow>(
  `select jsonb_build_object(${turnColumns}) as turn from plugin_turns t where t.id = $1 and t.account_id = $2`,
)

export async function readTurn(db: Database, accountId: string, id: string): Promise<Turn | null> {
  const [row] = await readOne(db, id, accountId)
  return row ? dated(row) : null
}

const readByKey = statement<TurnRow>(
  `select jsonb_build_object(${turnColumns}) as turn from plugin_turns t where t.account_id = $1 and t.idempotency_key = $2`,
)

/** The turn that an account's own key stands for. */
export async function readTurnByKey(db: Database, accountId: string, key: string): Promise<Turn | null> {
  const [row] = await readByKey(db, accountId, key)
  return row ? dated(row) : null
}

const readByRun = statement<TurnRow & { attempt: number }>(
  `select jsonb_build_object(${turnColumns}) as turn, own.attempt
   from plugin_runs own join plugin_turns t on t.id = own.turn_id where own.generation_id = $1`,
)

/** The turn that a run belongs to, and whether it is its answer (0) or a repair (1, 2); null for runs outside of turns. */
export async function readTurnOfRun(
  db: Database,
  generationId: string,
): Promise<{ turn: Turn; attempt: number } | null> {
  const [row] = await readByRun(db, generationId)
  return row ? { turn: dated(row), attempt: row.attempt } : null
}

export interface Run {
  turnId: string
  attempt: number
  generationId: string
  messageId: string
  replyId: string
}

const insertOne = statement(
  `insert into plugin_runs (turn_id, attempt, generation_id, message_id, reply_id)
   select id, $2, $3, $4, $5 from plugin_turns where id = $1 on conflict do nothing`,
)

export async function insertRun(db: Database, run: Run): Promise<void> {
  await insertOne(db, run.turnId, run.attempt, run.generationId, run.messageId, run.replyId)
}

const endOne = statement<{ id: string }>(
  `update plugin_turns set outcome = $2, version = $3, ended_at = now() where id = $1 and outcome = 'open' returning id`,
)

/** Ends a turn; false when it has ended before. */
export async function endTurn(
  db: Database,
  id: string,
  end: { outcome: Exclude<Outcome, 'open'>; version: number | null },
): Promise<boolean> {
  return (await endOne(db, id, end.outcome, end.version)).length > 0
}

const listUnusable = statement<{ accountId: string; generationId: string }>(
  `select t.account_id as "accountId", r.generation_id as "generationId"
   from plugin_turns t join plugin_runs r on r.turn_id = t.id
   where t.outcome = 'errors' and t.ended_at > now() - interval '1 day'
     and exists (select from plugin_runs l where l.turn_id = t.id and l.attempt >= $1) order by t.ended_at, r.attempt`,
)

/** The runs of turns that ended with errors since yesterday, after so many repairs. */
export function listUnusableRuns(
  db: Database,
  repairs: number,
): Promise<{ accountId: string; generationId: string }[]> {
  return listUnusable(db, repairs)
}

const endDead = statement(
  `update plugin_turns t set outcome = 'failed', ended_at = now()
   where t.plugin_id = $1 and t.outcome = 'open' and t.created_at < now() - interval '30 seconds'
     and not exists (select from plugin_runs r join generations g on g.id = r.generation_id
       where r.turn_id = t.id and (g.status in ('queued', 'running') or g.finished_at > now() - interval '30 seconds'))`,
)

/** Ends a turn whose process died between two of its runs: nothing has run for it for half a minute. */
export async function endDeadTurn(db: Database, pluginId: string): Promise<void> {
  await endDead(db, pluginId)
}

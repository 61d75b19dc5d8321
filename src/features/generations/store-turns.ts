import { type Database, type Pair, statement, statementPair } from '../../platform/database/index.ts'
import { heldWith, holdValues, type Payment, takenValues, takenWith } from '../billing/index.ts'
import type { Settings } from './schema.ts'
import { freshWith, type Idempotency, runningWith } from './store.ts'

/** A question and the empty reply that its generation will fill. */
export interface Turn {
  generationId: string
  accountId: string
  kind: string
  conversationId: string
  messageId: string
  replyId: string
  message: string
  model: string
  settings: Settings
  /** The process that runs it at once; null when it waits in the queue. */
  runner: string | null
  idempotency: Idempotency | null
  hold: Payment
}

/** A message as prompts are made of it, with its conversation's system prompt. */
export interface RecentMessage {
  role: 'user' | 'assistant'
  content: string
  position: number
  systemPrompt: string | null
}

interface StoredRun {
  createdAt: Date
  holdMicroCredits: number
}

interface TurnRow extends StoredRun {
  /** The place of the reply. */
  position: number
  systemPrompt: string | null
  /** Newest first; null in a new conversation. */
  earlier: [position: number, role: RecentMessage['role'], content: string][] | null
}

/** How many messages are read with what begins a run. */
export const recentMessages = 40

// A turn is stored by two statements of one transaction. The first takes the hold and reads what the model is to be told,
// so that the model can be asked while the second writes and the disk takes it.

const asked = { account: '$1', generation: '$3', from: 'conversation', firstParameter: 6 }

const conversationBegun = `with conversation as (
    insert into conversations (id, account_id, kind, title, message_count) values ($2, $1, $5, $11, 2)
    returning message_count as position
  ), ${heldWith({ ...asked, characters: '$4::int' })}
  select 2 as position, null as "systemPrompt", null::json as earlier, now() as "createdAt", amount as "holdMicroCredits"
  from held`

/** The question, the instructions and about all that was said before. */
const charactersToAsk = `$4::int + length(coalesce(system_prompt, '')) + (
  select coalesce(sum(length(content)) * greatest(1, max(r.position) / ${recentMessages}.0), 0) from recent r)`

/** The messages before the question come as one value: a row for each would be a third of the work of reading them. */
const conversationContinued = `with conversation as (
    update conversations set message_count = message_count + 2, updated_at = now()
    where id = $2 and account_id = $1 and kind = $5
    returning message_count as position, system_prompt
  ), recent as materialized (
    select position, role, content from messages
    where conversation_id = $2 and not is_superseded order by position desc limit ${recentMessages}
  ), ${heldWith({ ...asked, characters: charactersToAsk })}
  select c.position, c.system_prompt as "systemPrompt", now() as "createdAt", held.amount as "holdMicroCredits",
    (select json_agg(json_build_array(position, role, content) order by position desc) from recent) as earlier
  from conversation c cross join held`

const turnWritten = `with conversation as (
    select message_count as position from conversations where id = $2 and account_id = $1 and kind = $15
  ), ${takenWith('$3', 13)}, ${freshWith('$1', '$11')}, said as (
    insert into messages (id, conversation_id, account_id, position, role, content, generation_id, is_whole)
    select m.id, $2, $1, position - m.back, m.role, m.content, m.generation_id, m.is_whole
    from conversation, (values ($4::uuid, 1, 'user', $6::text, null::uuid, true), ($5, 0, 'assistant', '', $3, false))
      as m (id, back, role, content, generation_id, is_whole)
  )
  insert into generations
    (id, account_id, kind, conversation_id, message_id, reply_id, model, settings, runner, idempotency_key, request_hash,
     hold_micro_credits, counted_on, key_id, status, is_job, attempts, heartbeat_at, started_at)
  select $3, $1, $7, $2, $4, $5, $8, $9, $10, $11, $12, held.amount, held.day, held.key_id, ${runningWith('$10')}
  from conversation, held, fresh`

const firstTurn = statementPair<TurnRow>(conversationBegun, turnWritten)
const furtherTurn = statementPair<TurnRow>(conversationContinued, turnWritten)

function askedValues({ accountId, conversationId, generationId, message, hold }: Turn, kind: string) {
  return [accountId, conversationId, generationId, message.length, kind, ...holdValues(hold)]
}

function writtenValues(turn: Turn, conversationKind: string): unknown[] {
  return [
    turn.accountId,
    turn.conversationId,
    turn.generationId,
    turn.messageId,
    turn.replyId,
    turn.message,
    turn.kind,
    turn.model,
    JSON.stringify(turn.settings),
    turn.runner,
    turn.idempotency?.key ?? null,
    turn.idempotency?.requestHash ?? null,
    ...takenValues(turn.hold),
    conversationKind,
  ]
}

/** A turn whose hold is taken: when it was, and the newest messages of its conversation, newest first, the question among them. */
export interface BegunTurn extends StoredRun {
  /** Null when they could not be read with the hold. */
  recent: readonly RecentMessage[] | null
}

/** A turn on its way to the disk. */
export interface TurnUnderway {
  /** Null when the account has no such conversation of this kind. */
  begun: Promise<BegunTurn | null>
  /** Resolves when the turn is on the disk; rejects when nothing of it is, not even the hold. */
  stored: Promise<void>
}

/** Writes a new conversation with its first question, reply and generation. */
export function insertFirstTurn(
  db: Database,
  turn: Turn,
  { kind, title }: { kind: string; title: string },
): TurnUnderway {
  const pair = firstTurn(db, [...askedValues(turn, kind), title], writtenValues(turn, kind))
  return underway(turn, pair)
}

/** Writes a question, reply and generation into a conversation and reads its newest messages. */
export function insertTurn(db: Database, turn: Turn, kind: string): TurnUnderway {
  return underway(turn, furtherTurn(db, askedValues(turn, kind), writtenValues(turn, kind)))
}

function underway(turn: Turn, { first, committed }: Pair<TurnRow>): TurnUnderway {
  const begun = first.then(([row]) => begunTurn(turn, row))
  begun.catch(() => {})
  return { begun, stored: committed }
}

function begunTurn(turn: Turn, row: TurnRow | undefined): BegunTurn | null {
  if (!row) return null
  const { position, systemPrompt, createdAt, holdMicroCredits } = row
  const earlier = row.earlier ?? []
  const run = { createdAt, holdMicroCredits }
  // A turn that was stored at the same moment is not in what this statement saw.
  if ((earlier[0]?.[0] ?? 0) !== position - 2) return { ...run, recent: null }
  const recent: RecentMessage[] = earlier.map(([at, role, content]) => ({
    role,
    content,
    position: at,
    systemPrompt,
  }))
  recent.unshift({ role: 'user', content: turn.message, position: position - 1, systemPrompt })
  return { ...run, recent }
}

/** SQL: about how many characters a conversation has, from its newest messages. */
export function charactersSaid(conversationId: string): string {
  return `(select coalesce(sum(length(content)) * greatest(1, max(position) / ${recentMessages}.0), 0) from (
    select content, position from messages
    where conversation_id = ${conversationId} and not is_superseded order by position desc limit ${recentMessages}) said)`
}

/** A run that nobody sees as a message: it belongs to a conversation, and its text is for whoever observes it. */
export type LoneRun = Pick<
  Turn,
  'generationId' | 'accountId' | 'kind' | 'conversationId' | 'model' | 'settings' | 'hold'
> & {
  runner: string
}

const insertLone = statement<StoredRun>(`with conversation as (
    select id, message_count from conversations where id = $4 and account_id = $2
  ), ${heldWith({
    account: '$2',
    generation: '$1',
    from: 'conversation',
    characters: charactersSaid('conversation.id'),
    firstParameter: 8,
  })}
  insert into generations
    (id, account_id, kind, conversation_id, model, settings, runner, hold_micro_credits, counted_on, key_id,
     status, is_job, attempts, heartbeat_at, started_at)
  select $1, $2, $3, $4, $5, $6, $7, held.amount, held.day, held.key_id, ${runningWith('$7')} from held
  returning created_at as "createdAt", hold_micro_credits as "holdMicroCredits"`)

/** Writes a run without messages; null when the account has no such conversation. */
export async function insertLoneRun(db: Database, run: LoneRun): Promise<StoredRun | null> {
  const { generationId, accountId, kind, conversationId, model, settings, runner, hold } = run
  const values = [generationId, accountId, kind, conversationId, model, JSON.stringify(settings), runner]
  return (await insertLone(db, ...values, ...holdValues(hold)))[0] ?? null
}

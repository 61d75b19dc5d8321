import { type Database, statement } from '../../platform/database/index.ts'
import { heldWith, holdValues, type Payment } from '../billing/index.ts'
import type { Settings } from './schema.ts'
import { type Idempotency, runningWith } from './store.ts'

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

interface TurnRow {
  position: number
  role: RecentMessage['role'] | null
  content: string | null
  createdAt: Date | null
  holdMicroCredits: number | null
}

/** How many messages are read with what begins a run. */
export const recentMessages = 40

const insertedTurn = `question as (
    insert into messages (id, conversation_id, account_id, position, role, content)
    select $4, $2, $1, position - 1, 'user', $6 from conversation
  ), reply as (
    insert into messages (id, conversation_id, account_id, position, role, content, generation_id, is_whole)
    select $5, $2, $1, position, 'assistant', '', $3, false from conversation
  ), generation as (
    insert into generations
      (id, account_id, kind, conversation_id, message_id, reply_id, model, settings, runner, idempotency_key, request_hash,
       hold_micro_credits, counted_on, key_id, status, is_job, attempts, heartbeat_at, started_at)
    select $3, $1, $7, $2, $4, $5, $8, $9, $10, $11, $12, held.amount, held.day, held.key_id, ${runningWith('$10')}
    from conversation, held
    returning created_at, hold_micro_credits
  )`

const run = { account: '$1', generation: '$3', firstParameter: 13 }

const turnInNew = statement<StoredRun>(`with conversation as (
    insert into conversations (id, account_id, kind, title, message_count) values ($2, $1, $18, $19, 2)
    returning message_count as position
  ), ${heldWith({ ...run, from: 'conversation', characters: 'length($6)' })}, ${insertedTurn}
  select created_at as "createdAt", hold_micro_credits as "holdMicroCredits" from generation`)

/** The question, the instructions and about all that was said before. */
const charactersToAsk = `length($6) + length(coalesce(system_prompt, '')) + (
  select coalesce(sum(length(content)) * greatest(1, max(r.position) / ${recentMessages}.0), 0) from recent r)`

/**
 * The first row is the reply's, with the system prompt as its content; the others are the messages before it, since a
 * statement does not see its own writes.
 */
const turnInExisting = statement<TurnRow>(`with conversation as (
    update conversations set message_count = message_count + 2, updated_at = now()
    where id = $2 and account_id = $1 and kind = $18
    returning message_count as position, system_prompt
  ), recent as materialized (
    select position, role, content from messages
    where conversation_id = $2 and not is_superseded order by position desc limit ${recentMessages}
  ), ${heldWith({ ...run, from: 'conversation', characters: charactersToAsk })}, ${insertedTurn}
  select c.position, null as role, c.system_prompt as content, g.created_at as "createdAt",
    g.hold_micro_credits as "holdMicroCredits"
  from generation g cross join conversation c
  union all
  select r.position, r.role, r.content, null, null from recent r, generation
  order by position desc`)

function turnValues(turn: Turn): unknown[] {
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
    ...holdValues(turn.hold),
  ]
}

/** A stored turn: when it was, and the newest messages of its conversation, newest first, the question among them. */
export interface StoredTurn extends StoredRun {
  /** Null when they could not be read with the insertion. */
  recent: readonly RecentMessage[] | null
}

/** Writes a new conversation with its first question, reply and generation, in one statement. */
export async function insertFirstTurn(
  db: Database,
  turn: Turn,
  conversation: { kind: string; title: string },
): Promise<StoredTurn | null> {
  const [row] = await turnInNew(db, ...turnValues(turn), conversation.kind, conversation.title)
  return row ? { ...row, recent: [questionOf(turn, { position: 1, systemPrompt: null })] } : null
}

/**
 * Writes a question, reply and generation into a conversation and reads its newest messages, in one statement; null when
 * the account has no such conversation of this kind.
 */
export async function insertTurn(db: Database, turn: Turn, kind: string): Promise<StoredTurn | null> {
  const [reply, ...earlier] = await turnInExisting(db, ...turnValues(turn), kind)
  if (!reply?.createdAt) return null
  const stored = { createdAt: reply.createdAt, holdMicroCredits: reply.holdMicroCredits ?? 0 }
  const systemPrompt = reply.content
  // A turn that was stored at the same moment is not in what this statement saw.
  if ((earlier[0]?.position ?? 0) !== reply.position - 2) return { ...stored, recent: null }
  const recent = [questionOf(turn, { position: reply.position - 1, systemPrompt })]
  for (const { role, content, position } of earlier)
    recent.push({ role: role ?? 'user', content: content ?? '', position, systemPrompt })
  return { ...stored, recent }
}

function questionOf(turn: Turn, at: { position: number; systemPrompt: string | null }): RecentMessage {
  return { role: 'user', content: turn.message, position: at.position, systemPrompt: at.systemPrompt }
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

import { type Database, statement } from '../../platform/database/index.ts'
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
}

/** A message as prompts are made of it, with its conversation's system prompt. */
export interface RecentMessage {
  role: 'user' | 'assistant'
  content: string
  position: number
  systemPrompt: string | null
}

interface TurnRow {
  position: number
  role: RecentMessage['role'] | null
  content: string | null
  createdAt: Date | null
}

/** How many messages before a question are read with its insertion. */
const recentMessages = 40

const insertedTurn = `question as (
    insert into messages (id, conversation_id, account_id, position, role, content)
    select $4, $2, $1, position - 1, 'user', $6 from conversation
  ), reply as (
    insert into messages (id, conversation_id, account_id, position, role, content, generation_id)
    select $5, $2, $1, position, 'assistant', '', $3 from conversation
  ), generation as (
    insert into generations
      (id, account_id, kind, conversation_id, message_id, reply_id, model, settings, runner, idempotency_key, request_hash,
       status, is_job, attempts, heartbeat_at, started_at)
    select $3, $1, $7, $2, $4, $5, $8, $9, $10, $11, $12, ${runningWith('$10')} from conversation
    returning created_at
  )`

const turnInNew = statement<{ createdAt: Date }>(`with conversation as (
    insert into conversations (id, account_id, kind, title, message_count) values ($2, $1, $13, $14, 2)
    returning message_count as position
  ), ${insertedTurn}
  select created_at as "createdAt" from generation`)

/**
 * The first row is the reply's, with the system prompt as its content; the others are the messages before it, since a
 * statement does not see its own writes.
 */
const turnInExisting = statement<TurnRow>(`with conversation as (
    update conversations set message_count = message_count + 2, updated_at = now() where id = $2 and account_id = $1
    returning message_count as position, system_prompt
  ), ${insertedTurn}
  select c.position, null as role, c.system_prompt as content, g.created_at as "createdAt"
  from generation g cross join conversation c
  union all (
    select m.position, m.role, m.content, null from messages m, generation
    where m.conversation_id = $2 and not m.is_superseded order by m.position desc limit ${recentMessages}
  ) order by position desc`)

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
  ]
}

/** A stored turn: when it was, and the newest messages of its conversation, newest first, the question among them. */
export interface StoredTurn {
  createdAt: Date
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
  return row
    ? { createdAt: row.createdAt, recent: [questionOf(turn, { position: 1, systemPrompt: null })] }
    : null
}

/**
 * Writes a question, reply and generation into a conversation and reads its newest messages, in one statement; null when
 * the account has no such conversation.
 */
export async function insertTurn(db: Database, turn: Turn): Promise<StoredTurn | null> {
  const [reply, ...earlier] = await turnInExisting(db, ...turnValues(turn))
  if (!reply?.createdAt) return null
  const systemPrompt = reply.content
  // A turn that was stored at the same moment is not in what this statement saw.
  if ((earlier[0]?.position ?? 0) !== reply.position - 2) return { createdAt: reply.createdAt, recent: null }
  const recent = [questionOf(turn, { position: reply.position - 1, systemPrompt })]
  for (const { role, content, position } of earlier)
    recent.push({ role: role ?? 'user', content: content ?? '', position, systemPrompt })
  return { createdAt: reply.createdAt, recent }
}

function questionOf(turn: Turn, at: { position: number; systemPrompt: string | null }): RecentMessage {
  return { role: 'user', content: turn.message, position: at.position, systemPrompt: at.systemPrompt }
}

/** A run that nobody sees as a message: it belongs to a conversation, and its text is for whoever observes it. */
export type LoneRun = Pick<
  Turn,
  'generationId' | 'accountId' | 'kind' | 'conversationId' | 'model' | 'settings'
> & {
  runner: string
}

const insertLone = statement<{ createdAt: Date }>(`insert into generations
    (id, account_id, kind, conversation_id, model, settings, runner, status, is_job, attempts, heartbeat_at, started_at)
  select $1, $2, $3, c.id, $5, $6, $7, ${runningWith('$7')} from conversations c where c.id = $4 and c.account_id = $2
  returning created_at as "createdAt"`)

/** Writes a run without messages; null when the account has no such conversation. */
export async function insertLoneRun(db: Database, run: LoneRun): Promise<Date | null> {
  const { generationId, accountId, kind, conversationId, model, settings, runner } = run
  const values = [generationId, accountId, kind, conversationId, model, JSON.stringify(settings), runner]
  return (await insertLone(db, ...values))[0]?.createdAt ?? null
}

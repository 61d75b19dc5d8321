import { type Database, statement } from '../../platform/database/index.ts'
import { heldWith, holdValues, type Payment } from '../billing/index.ts'
import type { Settings } from './schema.ts'
import { freshWith, type Idempotency, runningWith } from './store.ts'
import { charactersSaid } from './store-turns.ts'

/** A run that answers an old question once more, or goes on with an old reply. */
export interface AgainTurn {
  generationId: string
  accountId: string
  /** The generation that is repeated or continued. */
  earlierId: string
  /** The new reply when regenerating; the old one when continuing. */
  replyId: string
  model: string
  settings: Settings
  runner: string | null
  idempotency: Idempotency | null
  replyOffset: number
  hold: Payment
}

export interface AgainRow {
  createdAt: Date
  kind: string
  conversationId: string
  messageId: string
  holdMicroCredits: number
}

const insertedGeneration = `insert into generations
    (id, account_id, kind, conversation_id, message_id, reply_id, model, settings, runner, reply_offset,
     idempotency_key, request_hash, hold_micro_credits, counted_on, key_id, status, is_job, attempts, heartbeat_at, started_at)
  select $1, $2, kind, conversation_id, message_id, $4, $5, $6, $7, $8, $9, $10, held.amount, held.day, held.key_id,
    ${runningWith('$7')} from target, held, fresh
  returning created_at as "createdAt", kind, conversation_id as "conversationId", message_id as "messageId",
    hold_micro_credits as "holdMicroCredits"`

const held = `${heldWith({
  account: '$2',
  generation: '$1',
  from: 'target',
  characters: charactersSaid('target.conversation_id'),
  firstParameter: 11,
})}, ${freshWith('$2', '$9')}`

/** Only the newest reply of a conversation can be regenerated or continued, and only when nothing is writing it. */
const lastReply = `select g.kind, g.conversation_id, g.message_id, m.position, m.version, m.id as reply_id
    from generations g
    join messages m on m.id = g.reply_id and not m.is_superseded
    join conversations c on c.id = g.conversation_id and c.message_count = m.position
    where g.id = $3 and g.account_id = $2
      and not exists (select from generations o where o.reply_id = m.id and o.status in ('queued', 'running'))
    for update of m, c`

const regenerate = statement<AgainRow>(`with target as (${lastReply}), ${held}, superseded as (
    update messages set is_superseded = true from target where messages.id = target.reply_id
  ), touched as (
    update conversations set updated_at = now() from target where conversations.id = target.conversation_id
  ), reply as (
    insert into messages (id, conversation_id, account_id, position, version, role, content, generation_id, is_whole)
    select $4, conversation_id, $2, position, version + 1, 'assistant', '', $1, false from target
  )
  ${insertedGeneration}`)

const goOn = statement<AgainRow>(`with target as (${lastReply}), ${held}, written as (
    update messages set generation_id = $1, is_whole = false from target where messages.id = target.reply_id
  )
  ${insertedGeneration}`)

function values(turn: AgainTurn): unknown[] {
  return [
    turn.generationId,
    turn.accountId,
    turn.earlierId,
    turn.replyId,
    turn.model,
    JSON.stringify(turn.settings),
    turn.runner,
    turn.replyOffset,
    turn.idempotency?.key ?? null,
    turn.idempotency?.requestHash ?? null,
    ...holdValues(turn.hold),
  ]
}

/** Starts a new answer to an old question; the old answer is kept as superseded. Null when the state does not allow it. */
export async function insertRegeneration(db: Database, turn: AgainTurn): Promise<AgainRow | null> {
  return (await regenerate(db, ...values(turn)))[0] ?? null
}

/** Starts a run that writes on in an old reply. Null when the state does not allow it. */
export async function insertContinuation(db: Database, turn: AgainTurn): Promise<AgainRow | null> {
  return (await goOn(db, ...values(turn)))[0] ?? null
}

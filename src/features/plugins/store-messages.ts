import { type Database, statement } from '../../platform/database/index.ts'
import type { Generation } from '../generations/index.ts'

export type Sender = 'user' | 'plugin_generator'

/** A message of a plugin's history, wherever it is kept. */
export interface HistoryRow {
  id: string
  sender: Sender
  origin: 'person' | 'model' | 'checks' | 'client'
  content: string
  version: number | null
  generationId: string | null
  /** How far the run of an answer is, and why it failed; null for what is no answer of the model. */
  status: Generation['status'] | null
  error: Generation['error']
  createdAt: Date
}

const readAll = statement<HistoryRow>(
  `select m.id, case m.role when 'user' then 'user' else 'plugin_generator' end as sender,
     case when m.role = 'assistant' then 'model' when r.attempt > 0 then 'checks' else 'person' end as origin,
     m.content, v.version, m.generation_id as "generationId", g.status, g.error,
     m.created_at as "createdAt", m.position as place, 0 as beside
   from plugins p join messages m on m.conversation_id = p.conversation_id and not m.is_superseded
     left join plugin_runs r on r.message_id = m.id
     left join plugin_versions v on v.generation_id = m.generation_id
     left join generations g on g.id = m.generation_id and m.role = 'assistant'
   where p.id = $1
   union all
   select m.id, m.sender, 'client', m.content, null, null, null, null, m.created_at, m.after_position, 1
   from plugin_client_messages m where m.plugin_id = $1
   order by place, beside, "createdAt", id limit 2000`,
)

/** The whole history in its order: what was said to and by the model, and what clients put beside it. */
export function listHistory(db: Database, pluginId: string): Promise<HistoryRow[]> {
  return readAll(db, pluginId)
}

const insertOne = statement(
  `insert into plugin_client_messages (id, plugin_id, account_id, sender, content, after_position)
   select $1, p.id, p.account_id, $3, $4, c.message_count
   from plugins p join conversations c on c.id = p.conversation_id where p.id = $2`,
)

/** Puts a client's message behind what is there now. */
export async function insertClientMessage(
  db: Database,
  message: { id: string; pluginId: string; sender: Sender; content: string },
): Promise<void> {
  await insertOne(db, message.id, message.pluginId, message.sender, message.content)
}

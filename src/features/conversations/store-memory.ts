import { type Database, statement } from '../../platform/database/index.ts'

/** What the messages up to a position came to. */
export interface Summary {
  text: string
  until: number
}

const readOne = statement<Summary>(
  `select summary as text, summary_until as until from conversations where id = $1 and summary is not null`,
)

/** The summary of a conversation, or null when there is none yet. */
export async function readSummary(db: Database, conversationId: string): Promise<Summary | null> {
  return (await readOne(db, conversationId))[0] ?? null
}

const readAfter = statement<{ role: 'user' | 'assistant'; content: string; position: number }>(
  `select role, content, position from messages
   where conversation_id = $1 and position > $2 and not is_superseded and content <> '' order by position limit 400`,
)

/** The messages after a position, oldest first, at most 400: more are summed up the next time. */
export function listUnsummarised(db: Database, conversationId: string, after: number) {
  return readAfter(db, conversationId, after)
}

const saveOne = statement(
  `update conversations set summary = $2, summary_until = $3 where id = $1 and summary_until < $3`,
)

/** Keeps a summary unless a later one is there. */
export async function saveSummary(
  db: Database,
  conversationId: string,
  { text, until }: Summary,
): Promise<void> {
  await saveOne(db, conversationId, text, until)
}

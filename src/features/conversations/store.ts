import { sql } from 'kysely'
import { type Database, statement } from '../../platform/database/index.ts'

export interface Conversation {
  id: string
  kind: string
  title: string
  systemPrompt: string | null
  description: string | null
  messageCount: number
  createdAt: Date
  updatedAt: Date
}

export interface Message {
  id: string
  role: 'user' | 'assistant'
  content: string
  position: number
  version: number
  generationId: string | null
  createdAt: Date
}

const columns = [
  'id',
  'kind',
  'title',
  'system_prompt as systemPrompt',
  'description',
  'message_count as messageCount',
  'created_at as createdAt',
  'updated_at as updatedAt',
] as const

/** Where a page of conversations begins: after the one with this time (microseconds since 1970) and id. */
export interface Cursor {
  updatedAtMicros: number
  id: string
}

export interface Page {
  accountId: string
  limit: number
  after: Cursor | null
  search: string | null
}

/** Conversations of an account, the one last written to first. */
export async function listConversations(
  db: Database,
  page: Page,
): Promise<(Conversation & { updatedAtMicros: number })[]> {
  let query = db
    .selectFrom('conversations')
    .select(columns)
    .select(sql<number>`(extract(epoch from updated_at) * 1000000)::bigint`.as('updatedAtMicros'))
    .where('account_id', '=', page.accountId)
    .where('kind', '=', 'chat')
    .orderBy('updated_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
  if (page.after) {
    const { updatedAtMicros, id } = page.after
    query = query.where(
      sql<boolean>`(updated_at, id) < (timestamptz 'epoch' + ${updatedAtMicros} * interval '1 microsecond', ${id}::uuid)`,
    )
  }
  if (page.search) {
    query = query.where(matching(page.search))
  }
  return query.execute()
}

/** A conversation with the message that was written last. */
export interface ConversationWithLast extends Conversation {
  lastMessage: { content: string; role: 'user' | 'assistant'; createdAt: Date } | null
}

export interface NumberedPage {
  accountId: string
  kind: string
  limit: number
  offset: number
  search: string | null
}

const lastMessageLength = 500

/** A numbered page of conversations of a kind, the one last written to first, and how many there are. */
export async function listNumbered(
  db: Database,
  page: NumberedPage,
): Promise<{ rows: ConversationWithLast[]; totalCount: number }> {
  let found = db
    .selectFrom('conversations')
    .where('account_id', '=', page.accountId)
    .where('kind', '=', page.kind as 'chat')
  if (page.search) found = found.where(matching(page.search))
  const { count } = await found.select(sql<number>`count(*)::int`.as('count')).executeTakeFirstOrThrow()
  const rows = await found
    .select(columns)
    .select(
      sql<
        ConversationWithLast['lastMessage']
      >`(select json_build_object('content', left(m.content, ${lastMessageLength}),
        'role', m.role, 'createdAt', m.created_at) from messages m
        where m.conversation_id = conversations.id and not m.is_superseded order by m.position desc limit 1)`.as(
        'lastMessage',
      ),
    )
    .orderBy('updated_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
    .offset(page.offset)
    .execute()
  return { rows: rows.map(withDate), totalCount: count }
}

function withDate(row: ConversationWithLast): ConversationWithLast {
  const { lastMessage } = row
  return lastMessage
    ? { ...row, lastMessage: { ...lastMessage, createdAt: new Date(lastMessage.createdAt) } }
    : row
}

/** Holds for conversations that have a text in their title or in a message. */
function matching(search: string) {
  const pattern = `%${escapeLike(search)}%`
  return sql<boolean>`(title ilike ${pattern} or exists (
    select from messages m where m.conversation_id = conversations.id and m.content ilike ${pattern}))`
}

/** Text as a literal inside a LIKE pattern. */
function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}

export async function insertConversation(
  db: Database,
  conversation: {
    id: string
    accountId: string
    kind: string
    title: string
    titleSource: 'auto' | 'user'
    systemPrompt: string | null
    description: string | null
  },
): Promise<Conversation> {
  return db
    .insertInto('conversations')
    .values({
      id: conversation.id,
      account_id: conversation.accountId,
      kind: conversation.kind as 'chat',
      title: conversation.title,
      title_source: conversation.titleSource,
      system_prompt: conversation.systemPrompt,
      description: conversation.description,
    })
    .returning(columns)
    .executeTakeFirstOrThrow()
}

export async function readConversation(
  db: Database,
  accountId: string,
  id: string,
): Promise<Conversation | null> {
  const row = await db
    .selectFrom('conversations')
    .select(columns)
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .where('kind', '<>', 'content')
    .executeTakeFirst()
  return row ?? null
}

export async function updateConversation(
  db: Database,
  {
    accountId,
    id,
    title,
    systemPrompt,
  }: { accountId: string; id: string; title?: string | undefined; systemPrompt?: string | null | undefined },
): Promise<Conversation | null> {
  const row = await db
    .updateTable('conversations')
    .set({
      ...(title === undefined ? {} : { title, title_source: 'user' as const }),
      ...(systemPrompt === undefined ? {} : { system_prompt: systemPrompt }),
      updated_at: sql<Date>`now()`,
    })
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .where('kind', '<>', 'content')
    .returning(columns)
    .executeTakeFirst()
  return row ?? null
}

export async function deleteConversation(db: Database, accountId: string, id: string): Promise<boolean> {
  const result = await db
    .deleteFrom('conversations')
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .where('kind', '<>', 'content')
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

const counts = statement<{ conversations: number; plugins: number; questions: number; answers: number }>(
  `select count(distinct c.id) filter (where c.kind = 'chat') as conversations,
     count(distinct c.id) filter (where c.kind = 'plugin') as plugins, count(*) filter (where m.role = 'user') as questions,
     count(*) filter (where m.role = 'assistant' and not m.is_superseded) as answers
   from conversations c left join messages m on m.conversation_id = c.id where c.account_id = $1 and c.kind <> 'content'`,
)

/** How many chats, plugins, questions and answers an account has. */
export async function countOf(db: Database, accountId: string): Promise<Record<string, number>> {
  return (await counts(db, accountId))[0] ?? {}
}

/** Ids of the generations of a conversation that have not ended. */
export async function listRunning(
  db: Database,
  accountId: string,
  conversationId: string,
): Promise<string[]> {
  const rows = await db
    .selectFrom('generations')
    .select('id')
    .where('conversation_id', '=', conversationId)
    .where('account_id', '=', accountId)
    .where('status', 'in', ['queued', 'running'])
    .execute()
  return rows.map(row => row.id)
}

const messageColumns = [
  'id',
  'role',
  'content',
  'position',
  'version',
  'generation_id as generationId',
  'created_at as createdAt',
] as const

/** A message of an account with its conversation; null when absent or foreign. */
export async function readMessage(
  db: Database,
  accountId: string,
  id: string,
): Promise<(Message & { conversationId: string }) | null> {
  const row = await db
    .selectFrom('messages')
    .select(messageColumns)
    .select('conversation_id as conversationId')
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .executeTakeFirst()
  return row ?? null
}

/** A question of an account with its conversation, and how its newest run stands. */
export interface MessageProgress {
  id: string
  role: 'user' | 'assistant'
  content: string
  createdAt: Date
  conversationId: string
  conversationTitle: string
  status: string | null
  startedAt: Date | null
}

const progress = statement<MessageProgress>(
  `select m.id, m.role, m.content, m.created_at as "createdAt", c.id as "conversationId", c.title as "conversationTitle",
     g.status, g.started_at as "startedAt"
   from messages m join conversations c on c.id = m.conversation_id and c.kind = 'chat'
     left join lateral (select status, started_at from generations
       where conversation_id = c.id and (message_id = m.id or id = m.generation_id) order by created_at desc limit 1) g on true
   where m.id = $1 and c.account_id = $2`,
)

/** A message of one of the account's chats, or null. */
export async function readProgress(
  db: Database,
  accountId: string,
  id: string,
): Promise<MessageProgress | null> {
  return (await progress(db, id, accountId))[0] ?? null
}

/** Every answer that was given at a position, oldest first: the one in the conversation and those it took the place of. */
export function listVersions(db: Database, conversationId: string, position: number): Promise<Message[]> {
  return db
    .selectFrom('messages')
    .select(messageColumns)
    .where('conversation_id', '=', conversationId)
    .where('position', '=', position)
    .orderBy('version')
    .execute()
}

/** The messages before a position, newest first; superseded answers are left out. */
export async function listMessages(
  db: Database,
  { conversationId, before, limit }: { conversationId: string; before: number | null; limit: number },
): Promise<Message[]> {
  let query = db
    .selectFrom('messages')
    .select(messageColumns)
    .where('conversation_id', '=', conversationId)
    .where('is_superseded', '=', false)
    .orderBy('position', 'desc')
    .limit(limit)
  if (before !== null) query = query.where('position', '<', before)
  return query.execute()
}

export interface ContextMessage {
  role: 'user' | 'assistant'
  content: string
  position: number
  systemPrompt: string | null
}

/**
 * The messages of a conversation ($1) up to a position ($2) and not beyond a reply ($4, or null), newest first, at most
 * $3, with the conversation's system prompt beside each. One prepared statement: it is on the main path.
 */
export const listContext = statement<ContextMessage>(
  `select m.role, m.content, m.position, c.system_prompt as "systemPrompt"
   from messages m join conversations c on c.id = m.conversation_id
   where m.conversation_id = $1 and not m.is_superseded
     and m.position <= least($2, (select r.position from messages r where r.id = $4))
   order by m.position desc limit $3`,
)

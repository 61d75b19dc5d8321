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

/** The columns of a conversation under the names of its fields. */
export const conversationColumns = [
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
}

/** A conversation with the time that a cursor is made of. */
export type ListedConversation = Conversation & { updatedAtMicros: number }

/** Conversations of an account, the one last written to first. */
export function listConversations(db: Database, page: Page): Promise<ListedConversation[]> {
  return listedFrom(chatsOf(db, page)).limit(page.limit).execute()
}

/** Which chats are meant: those of an account after one of them and before another. */
export interface Stretch extends Pick<Page, 'accountId' | 'after'> {
  before?: Cursor | null
}

/** The chats of a stretch, in no order. */
export function chatsOf(db: Database, { accountId, after, before }: Stretch) {
  let chats = db.selectFrom('conversations').where('account_id', '=', accountId).where('kind', '=', 'chat')
  if (after) chats = chats.where(sql<boolean>`(updated_at, id) < ${placeOf(after)}`)
  if (before) chats = chats.where(sql<boolean>`(updated_at, id) > ${placeOf(before)}`)
  return chats
}

function placeOf({ updatedAtMicros, id }: Cursor) {
  return sql`(timestamptz 'epoch' + ${updatedAtMicros} * interval '1 microsecond', ${id}::uuid)`
}

const micros = sql<number>`(extract(epoch from updated_at) * 1000000)::bigint`.as('updatedAtMicros')

/** What a list tells of chats, the one last written to first. */
export function listedFrom(chats: ReturnType<typeof chatsOf>) {
  return chats.select(conversationColumns).select(micros).orderBy('updated_at', 'desc').orderBy('id', 'desc')
}

/** The chat that so many others of the stretch were written to after; null when there are fewer. */
export async function chatAt(db: Database, stretch: Stretch, offset: number): Promise<Cursor | null> {
  const chats = chatsOf(db, stretch).select('id').select(micros)
  const found = chats.orderBy('updated_at', 'desc').orderBy('id', 'desc').limit(1).offset(offset)
  return (await found.executeTakeFirst()) ?? null
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
    .returning(conversationColumns)
    .executeTakeFirstOrThrow()
}

export async function readConversation(
  db: Database,
  accountId: string,
  id: string,
): Promise<Conversation | null> {
  const row = await db
    .selectFrom('conversations')
    .select(conversationColumns)
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
    .returning(conversationColumns)
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

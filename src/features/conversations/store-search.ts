import { type RawBuilder, sql } from 'kysely'
import { containing, type Database, withinTime } from '../../platform/database/index.ts'
import {
  type Conversation,
  type Cursor,
  chatAt,
  chatsOf,
  conversationColumns,
  type ListedConversation,
  listedFrom,
  type Page,
} from './store.ts'

// Conversations in whose title or messages a text occurs. Common texts fill a page from the newest conversations; for others
// the indexes of parts name all hits, which are not too many then. What is neither is given up in time.

const fewNewest = 200
const manyNewest = 2000
const manyMs = 50

/** For how long the index is asked; a text that it cannot help with reads all chats, and is given up soon. */
const indexMsOf = (search: string) => (/[\p{L}\p{N}]{3}/u.test(search) ? 1000 : 180)

/** Holds for conversations that have a text in their title or in a message. */
function holding(pattern: string): RawBuilder<boolean> {
  return sql<boolean>`(title ilike ${pattern} or exists (
    select from messages m where m.conversation_id = conversations.id and m.content ilike ${pattern}))`
}

/**
 * The ids of all chats of an account that hold a text. What is looked for stands in selects of its own, so that the planner
 * does not know it: it would read everything for a common text.
 */
function hits(accountId: string, pattern: string): RawBuilder<string> {
  return sql<string>`
    select id from conversations where account_id = ${accountId} and kind = 'chat' and title ilike (select ${pattern}::text)
    union select conversation_id from messages
      where account_id = ${accountId} and is_whole and content ilike (select ${pattern}::text)
    union select conversation_id from messages
      where account_id = ${accountId} and not is_whole and content ilike (select ${pattern}::text)`
}

/** Chats that hold a text, the one last written to first; null when they cannot be found in time. */
export async function searchConversations(
  db: Database,
  page: Page & { search: string },
): Promise<ListedConversation[] | null> {
  const { accountId, limit } = page
  const pattern = containing(page.search)
  const lookThrough = (on: Database, before: Cursor | null) =>
    listedFrom(chatsOf(on, { ...page, before }).where(holding(pattern)))
      .limit(limit)
      .execute()
  const next = await chatAt(db, page, fewNewest)
  const first = await lookThrough(db, next)
  if (first.length === limit || next === null) return first
  if ((first.length * manyNewest) / fewNewest > limit * 1.5) {
    const more = await withinTime(db, manyMs, async on => lookThrough(on, await chatAt(on, page, manyNewest)))
    if (more?.length === limit) return more
  }
  return withinTime(db, indexMsOf(page.search), on =>
    listedFrom(chatsOf(on, page).where(sql<boolean>`id = any (array(${hits(accountId, pattern)}))`))
      .limit(limit)
      .execute(),
  )
}

/** A conversation with the message that was written last. */
export interface ConversationWithLast extends Conversation {
  lastMessage: { content: string; role: 'user' | 'assistant'; createdAt: Date } | null
}

export interface NumberedPage {
  accountId: string
  limit: number
  offset: number
  search: string | null
}

interface Counted {
  count: number
  ids: string[]
}

/**
 * A numbered page of chats, the one last written to first, and how many there are. Null when they cannot be found in
 * time.
 */
export async function listNumbered(
  db: Database,
  page: NumberedPage,
): Promise<{ rows: ConversationWithLast[]; totalCount: number } | null> {
  const { accountId, search } = page
  const all = { accountId, after: null }
  const pattern = search === null ? null : containing(search)
  const wanted = pattern === null ? chatsOf(db, all) : chatsOf(db, all).where(holding(pattern))
  if (search === null || pattern === null || !(await chatAt(db, all, fewNewest))) {
    const { count } = await wanted.select(sql<number>`count(*)::int`.as('count')).executeTakeFirstOrThrow()
    return { rows: await withLast(wanted.limit(page.limit).offset(page.offset)), totalCount: count }
  }
  const found = await withinTime(
    db,
    indexMsOf(search),
    async on => (await countHits(pattern, page).execute(on)).rows[0],
  )
  if (!found) return null
  const rows = found.ids.length === 0 ? [] : await withLast(chatsOf(db, all).where('id', 'in', found.ids))
  return { rows, totalCount: found.count }
}

function countHits(pattern: string, { accountId, limit, offset }: NumberedPage) {
  return sql<Counted>`with found as materialized (
      select id, updated_at from conversations
      where account_id = ${accountId} and kind = 'chat' and id = any (array(${hits(accountId, pattern)}))
    )
    select (select count(*)::int from found) as count,
      array(select id from found order by updated_at desc, id desc limit ${limit} offset ${offset}) as ids`
}

const lastMessageLength = 500

async function withLast(chats: ReturnType<typeof chatsOf>): Promise<ConversationWithLast[]> {
  const rows = await chats
    .select(conversationColumns)
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
    .execute()
  return rows.map(withDate)
}

function withDate(row: ConversationWithLast): ConversationWithLast {
  const { lastMessage } = row
  return lastMessage
    ? { ...row, lastMessage: { ...lastMessage, createdAt: new Date(lastMessage.createdAt) } }
    : row
}

import { type Database, statement } from '../../platform/database/index.ts'

/** An entry of the library. */
export interface Entry {
  id: string
  title: string
  type: string
  body: string
  /** The job, run and model that wrote it first; null for what a person wrote. */
  jobId: string | null
  generationId: string | null
  model: string | null
  version: number
  createdAt: Date
  updatedAt: Date
}

const columns = `id, title, type, body, job_id as "jobId", generation_id as "generationId", model, version,
  created_at as "createdAt", updated_at as "updatedAt"`

const insertOne = statement<Entry>(
  `insert into library_entries (id, account_id, title, type, body) values ($1, $2, $3, $4, $5) returning ${columns}`,
)

export type NewEntry = Pick<Entry, 'id' | 'title' | 'type' | 'body'> & { accountId: string }

export async function insertEntry(db: Database, entry: NewEntry): Promise<Entry | null> {
  const { id, accountId, title, type, body } = entry
  return (await insertOne(db, id, accountId, title, type, body))[0] ?? null
}

const saveOne = statement<Entry>(
  `insert into library_entries (id, account_id, title, type, body, job_id, generation_id, model)
   select $1, g.account_id, $4, $5, m.content, g.conversation_id, g.id, g.model
   from generations g join messages m on m.id = g.reply_id
   where g.id = $2 and g.account_id = $3 and g.status = 'completed'
   on conflict (account_id, generation_id) where generation_id is not null do nothing
   returning ${columns}`,
)

const readSaved = statement<Entry>(
  `select ${columns} from library_entries where generation_id = $1 and account_id = $2`,
)

/** Keeps what a completed run wrote, byte by byte; once, however often it is asked. Null when it has not completed. */
export async function insertResult(
  db: Database,
  result: { id: string; accountId: string; generationId: string; title: string; type: string },
): Promise<Entry | null> {
  const { id, accountId, generationId, title, type } = result
  const [saved] = await saveOne(db, id, generationId, accountId, title, type)
  return saved ?? (await readSaved(db, generationId, accountId))[0] ?? null
}

const readOne = statement<Entry>(`select ${columns} from library_entries where id = $1 and account_id = $2`)

export async function readEntry(db: Database, accountId: string, id: string): Promise<Entry | null> {
  return (await readOne(db, id, accountId))[0] ?? null
}

const updateOne = statement<Entry>(
  `update library_entries set title = coalesce($3, title), type = coalesce($4, type), body = coalesce($5, body),
     version = version + 1, updated_at = now()
   where id = $1 and account_id = $2 and ($6::int is null or version = $6) returning ${columns}`,
)

export interface EntryChange {
  title?: string | undefined
  type?: string | undefined
  body?: string | undefined
  /** The version that was edited; without it the last writer wins. */
  version?: number | undefined
}

/** Null when the account has no such entry, or only one of another version. */
export async function updateEntry(
  db: Database,
  { accountId, id, ...change }: EntryChange & { accountId: string; id: string },
): Promise<Entry | null> {
  const { title = null, type = null, body = null, version = null } = change
  return (await updateOne(db, id, accountId, title, type, body, version))[0] ?? null
}

const deleteOne = statement<{ id: string }>(
  `delete from library_entries where id = $1 and account_id = $2 returning id`,
)

export async function deleteEntry(db: Database, accountId: string, id: string): Promise<boolean> {
  return (await deleteOne(db, id, accountId)).length > 0
}

const readPage = statement<Entry>(
  `select ${columns} from library_entries where account_id = $1 and ($2::uuid is null or id < $2)
   order by id desc limit $3`,
)

export interface EntryPage {
  accountId: string
  before: string | null
  limit: number
}

/** Entries of an account, newest first. */
export function listEntries(db: Database, { accountId, before, limit }: EntryPage): Promise<Entry[]> {
  return readPage(db, accountId, before, limit)
}

/** What is looked for: words (a prefix each, all of them), or the whole text inside another. */
export interface Search {
  /** As to_tsquery reads it, empty when the text holds no word; null when everything that it finds has the part. */
  words: string | null
  /** For like, in whatever case; null when it is too short for the index of parts. */
  part: string | null
}

const lookThrough = statement<Entry>(
  `select ${columns} from (
     select * from library_entries where account_id = $1 and ($4::uuid is null or id < $4) order by id desc limit $6
   ) newest where folded like lower($3) or words @@ $2::tsquery order by id desc limit $5`,
)

// What is looked for stands in selects of its own, so that the planner, who would read every entry for a common word, does
// not know it. The parts of the union are apart, since entries that the index of words names need not be read for that.
const hits = `select id from library_entries where account_id = $1 and ($4::uuid is null or id < $4)`
const findAll = statement<Entry>(
  `select ${columns} from library_entries where id = any (array(
     select id from (
       ${hits} and words @@ (select $2::tsquery) union ${hits} and folded like (select lower($3))
     ) hit order by id desc limit $5
   )) order by id desc`,
)

const fewNewest = 400
const manyNewest = 2000

/**
 * Entries of an account in which a text occurs, newest first. Common texts fill a page from the newest entries; for others all
 * hits are sorted, which are not too many then.
 */
export async function searchEntries(db: Database, search: Search, page: EntryPage): Promise<Entry[]> {
  const { limit } = page
  const values = [page.accountId, search.words, search.part, page.before, limit]
  const first = await lookThrough(db, ...values, fewNewest)
  if (first.length === limit) return first
  const isLikelyFilled = (first.length * manyNewest) / fewNewest > limit * 1.5
  const more = isLikelyFilled ? await lookThrough(db, ...values, manyNewest) : first
  return more.length === limit ? more : findAll(db, ...values)
}

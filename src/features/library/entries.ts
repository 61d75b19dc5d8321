import { AppError, missing } from '../../lib/errors.ts'
import { isId, newId } from '../../lib/ids.ts'
import { containing, type Database } from '../../platform/database/index.ts'
import { cursorOf } from './content.ts'
import {
  deleteEntry,
  type Entry,
  type EntryChange,
  insertEntry,
  insertResult,
  listEntries,
  readEntry,
  type Search,
  searchEntries,
  updateEntry,
} from './store.ts'

/** Keeps something that a person wrote. */
export async function createEntry(
  db: Database,
  entry: { accountId: string; title: string; type: string; body: string },
): Promise<Entry> {
  const stored = await insertEntry(db, { id: newId(), ...entry })
  if (!stored) throw missing('Account')
  return stored
}

/** An entry of the account. Throws AppError missing. */
export async function readOwnEntry(db: Database, accountId: string, id: string): Promise<Entry> {
  const entry = isId(id) ? await readEntry(db, accountId, id) : null
  if (!entry) throw missing('Entry')
  return entry
}

/** Changes an entry. Throws AppError missing, and conflict when `version` is not the newest. */
export async function changeEntry(
  db: Database,
  { accountId, id, ...change }: EntryChange & { accountId: string; id: string },
): Promise<Entry> {
  const entry = isId(id) ? await updateEntry(db, { accountId, id, ...change }) : null
  if (entry) return entry
  await readOwnEntry(db, accountId, id)
  throw new AppError(
    'conflict',
    'EDITED_MEANWHILE',
    'This entry has been edited elsewhere; load it again first',
  )
}

export async function removeEntry(db: Database, accountId: string, id: string): Promise<void> {
  if (!isId(id) || !(await deleteEntry(db, accountId, id))) throw missing('Entry')
}

export interface EntriesRequest {
  accountId: string
  limit: number
  cursor?: string | undefined
  /** Words or their beginnings, or a part of the text; in title, type and body, whatever the case. */
  search?: string | undefined
}

/** A page of entries, newest first. */
export async function findEntries(db: Database, request: EntriesRequest) {
  const { accountId, limit } = request
  const page = { accountId, before: cursorOf(request.cursor), limit: limit + 1 }
  const text = request.search?.trim() ?? ''
  const rows = text === '' ? await listEntries(db, page) : await searchEntries(db, searchOf(text), page)
  const entries = rows.slice(0, limit)
  return { entries, nextCursor: rows.length > limit ? (entries.at(-1)?.id ?? null) : null }
}

/** The index of parts knows three letters or digits in a row; without them it would read every text. */
const indexedPart = /[\p{L}\p{N}]{3}/u

/** What to look for; a text without letters and digits occurs nowhere. */
function searchOf(text: string): Search {
  const words = text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? []
  const part = indexedPart.test(text) ? containing(text) : null
  // What begins with a word has it as a part.
  if (part !== null && words[0] === text) return { words: null, part }
  return { words: words.map(word => `'${word}':*`).join(' & '), part }
}

export interface ResultToSave {
  accountId: string
  generationId: string
  title: string
  type: string
}

/** Keeps what a run wrote. Null when it is not complete. */
export function keepResult(db: Database, result: ResultToSave): Promise<Entry | null> {
  return insertResult(db, { id: newId(), ...result })
}

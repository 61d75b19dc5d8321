import type { DialectParts } from '../parts.ts'
import { presentEntry } from './present.ts'

const mostEntries = 500

/** What a client may say of an entry; whatever else it sends, an owner above all, is passed over. */
interface Said {
  title: string
  type: string
  body: string
}

export async function listEntries({ library }: DialectParts, accountId: string, search: string | undefined) {
  const { entries } = await library.listEntries({ accountId, limit: mostEntries, search })
  return entries.map(entry => presentEntry(accountId, entry))
}

export async function readEntry({ library }: DialectParts, accountId: string, id: string) {
  return presentEntry(accountId, await library.readEntry(accountId, id))
}

export async function createEntry({ library }: DialectParts, accountId: string, { title, type, body }: Said) {
  return presentEntry(accountId, await library.createEntry({ accountId, title, type, body }))
}

export async function updateEntry(
  { library }: DialectParts,
  accountId: string,
  { id, title, type, body }: Partial<Said> & { id: string },
) {
  const change = {
    ...(title === undefined ? {} : { title }),
    ...(type === undefined ? {} : { type }),
    ...(body === undefined ? {} : { body }),
  }
  const isChange = Object.keys(change).length > 0
  const entry = isChange
    ? await library.updateEntry({ accountId, id, ...change })
    : await library.readEntry(accountId, id)
  return presentEntry(accountId, entry)
}

export async function removeEntry({ library }: DialectParts, accountId: string, id: string) {
  await library.deleteEntry(accountId, id)
  return { id }
}

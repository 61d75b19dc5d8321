import { createHash } from 'node:crypto'
import type { Files } from '../../platform/files/index.ts'
import type { ArtifactWithFiles, StoredFile } from './store.ts'

const root = 'artifacts'
const textType = 'text/plain; charset=utf-8'

/** Which conversation's objects are meant. */
export interface Place {
  accountId: string
  conversationId: string
}

/** What all keys of a conversation begin with. The ids are ours, so no text of a person or model is ever part of a key. */
export function prefixOf(place: Place): string {
  return `${root}/${place.accountId}/${place.conversationId}/`
}

/** What all keys of an account begin with. */
export function accountPrefix(accountId: string): string {
  return `${root}/${accountId}/`
}

type NamedContent = Pick<StoredFile, 'path' | 'sha256'>

/** What the names of all builds of a content begin with. */
export function buildsOf(contents: readonly NamedContent[]): string {
  const names = contents.map(({ path, sha256 }) => [path, sha256])
  return `build-${createHash('sha256').update(JSON.stringify(names)).digest('hex').slice(0, 40)}-`
}

/** The last part of the key of a build: by content, by what built it, and how. */
export function buildName(
  contents: readonly NamedContent[],
  { fingerprint, minify }: { fingerprint: string; minify: boolean },
): string {
  return `${buildsOf(contents)}${fingerprint}${minify ? '-min' : ''}`
}

/** The last part of the key of an artifact's project, packed. */
export function archiveName(id: string): string {
  return `${id}-project.zip`
}

/** How many of a conversation's artifacts, the newest, keep their builds. */
const mostBuilt = 50

/**
 * Names of all objects that artifacts of one conversation, newest first, need: contents by hash, archives by artifact, and
 * for the newest of them what the present bundler built.
 */
export function neededNames(
  artifacts: readonly { id: string; files: readonly NamedContent[] }[],
  fingerprint: string,
): Set<string> {
  const names = new Set<string>()
  for (const [index, { id, files }] of artifacts.entries()) {
    for (const { sha256 } of files) names.add(sha256)
    names.add(archiveName(id))
    if (index >= mostBuilt) continue
    for (const minify of [false, true]) names.add(buildName(files, { fingerprint, minify }))
  }
  return names
}

/** Stores contents; the same bytes in one conversation are one object. Gives the files in the same order. */
export async function putContents(
  files: Files,
  place: Place,
  contents: readonly { path: string; language: string; content: string }[],
): Promise<StoredFile[]> {
  const stored: StoredFile[] = []
  for (const { path, language, content } of contents) {
    const bytes = Buffer.from(content, 'utf8')
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    await files.put(prefixOf(place) + sha256, bytes, { contentType: textType })
    stored.push({ path, language, size: bytes.length, sha256 })
  }
  return stored
}

/** Contents of an artifact's files in their order; null when an object is no longer there. */
export async function getContents(
  files: Files,
  artifact: ArtifactWithFiles,
): Promise<(StoredFile & { content: string })[] | null> {
  const all = await Promise.all(artifact.files.map(file => files.get(prefixOf(artifact) + file.sha256)))
  const result = artifact.files.flatMap((file, index) => {
    const bytes = all[index]
    return bytes ? [{ ...file, content: Buffer.from(bytes).toString('utf8') }] : []
  })
  return result.length === artifact.files.length ? result : null
}

/** Removes every object under a prefix and says how many there were. */
export async function removeAll(files: Files, prefix: string): Promise<number> {
  const keys: string[] = []
  for await (const key of files.list(prefix)) keys.push(key)
  for (const key of keys) await files.delete(key)
  return keys.length
}

/** The keys of one conversation. */
export interface PlacedKeys {
  conversationId: string
  keys: string[]
}

/** Objects by conversation, for the search for orphans. Keys of any other form are passed over. */
export async function* listByConversation(files: Files): AsyncGenerator<PlacedKeys> {
  let current: PlacedKeys = { conversationId: '', keys: [] }
  for await (const key of files.list(`${root}/`)) {
    const [, , conversationId = '', name] = key.split('/')
    if (name === undefined) continue
    if (current.conversationId !== conversationId) {
      if (current.keys.length > 0) yield current
      current = { conversationId, keys: [] }
    }
    current.keys.push(key)
  }
  if (current.keys.length > 0) yield current
}

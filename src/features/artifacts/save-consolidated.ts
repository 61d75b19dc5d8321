import { createHash } from 'node:crypto'
import { AppError } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import type { Bundler } from '../../platform/bundler/index.ts'
import { type Database, isForeignKeyViolation } from '../../platform/database/index.ts'
import type { Files } from '../../platform/files/index.ts'
import { consolidate, type Merged } from './consolidation/index.ts'
import type { Block } from './detection.ts'
import { prefixOf, putContents } from './objects.ts'
import type { Origin } from './save.ts'
import type { ArtifactSummary } from './schema.ts'
import {
  type ArtifactWithFiles,
  deleteArtifact,
  insertArtifact,
  linkConsolidated,
  listWholeOfMessages,
  lockConversation,
  newestVersion,
  type StoredFile,
} from './store.ts'
import { fileNameFor } from './titles.ts'

export interface ConsolidateDeps {
  db: Database
  files: Files
  bundler: Pick<Bundler, 'outline'>
}

/** How long the end of an answer may wait for its blocks to be read, also when others are read before. */
const longestMs = 8000

/**
 * Merges what the unnamed blocks of a reply make together, each as the next version of its leading block; the blocks stay
 * as they are and tell what they became. An answer is never held up for long or spoiled by it: what cannot be read in time
 * stays apart.
 */
export async function saveConsolidated(
  deps: ConsolidateDeps,
  origin: Origin,
  blocks: readonly Block[],
): Promise<ArtifactSummary[]> {
  const merged = await within(longestMs, consolidate(deps.bundler, blocks)).catch(error => {
    if (error instanceof AppError && error.kind !== 'internal') return []
    throw error
  })
  const saved: ArtifactSummary[] = []
  for (const each of merged) {
    const summary = await saveMerged(deps, origin, each)
    if (summary) saved.push(summary)
  }
  return saved
}

/** The result, or AppError timeout when it takes too long; what comes later is forgotten. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const refusal = new AppError('timeout', 'BUILD_TIMEOUT', 'Merging the blocks took too long')
  const timer = setTimeout(() => late.reject(refusal), ms)
  work.catch(() => undefined)
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer))
}

async function saveMerged(
  deps: ConsolidateDeps,
  origin: Origin,
  merged: Merged,
): Promise<ArtifactSummary | null> {
  const { content, language, type } = merged
  const path = fileNameFor(merged.root.block.title, { language, type, content })
  const contents = [{ path, language, content }, ...(merged.beside ?? [])]
  const files = await putContents(deps.files, origin, contents)
  try {
    return await deps.db.transaction().execute(db => write(db, origin, { merged, files }))
  } catch (error) {
    if (!isForeignKeyViolation(error)) throw error
    for (const file of files) await deps.files.delete(prefixOf(origin) + file.sha256)
    return null
  }
}

interface Made {
  merged: Merged
  files: StoredFile[]
}

/** Null when a block has gone meanwhile, or when the same was merged before. */
async function write(db: Database, origin: Origin, { merged, files }: Made): Promise<ArtifactSummary | null> {
  await lockConversation(db, origin.conversationId)
  const artifacts = await listWholeOfMessages(db, origin.accountId, [origin.messageId])
  const parts = merged.parts.map(part => artifactOf(part.block, artifacts))
  const root = parts[merged.parts.indexOf(merged.root)]
  if (!root || parts.some(part => part === null)) return null
  if (artifacts.some(known => known.consolidatedFrom.length > 0 && isSame(known.files, files))) return null
  const id = newId()
  const { lineageId, title } = root
  const version = (await newestVersion(db, lineageId)) + 1
  const { type, language } = merged
  const artifact = {
    id,
    ...origin,
    lineageId,
    version,
    title,
    type,
    language,
    isComplete: true,
    files,
  }
  await insertArtifact(db, artifact)
  const consolidatedFrom = parts.flatMap(part => (part ? [part.id] : []))
  // What an earlier run of the same reply merged, when it had fewer of the blocks, says nothing any more.
  for (const earlier of artifacts)
    if (isPartOf(earlier.consolidatedFrom, consolidatedFrom))
      await deleteArtifact(db, origin.accountId, earlier.id)
  await linkConsolidated(db, consolidatedFrom, id)
  return {
    id,
    title,
    type,
    language,
    version,
    consolidatedFrom,
    consolidatedInto: null,
    fileCount: files.length,
  }
}

function isSame(files: readonly StoredFile[], others: readonly StoredFile[]): boolean {
  return files.length === others.length && files.every((file, index) => file.sha256 === others[index]?.sha256)
}

/** Whether there are some, and all of them are among the others. */
function isPartOf(ids: readonly string[], others: readonly string[]): boolean {
  return ids.length > 0 && ids.every(id => others.includes(id))
}

/** The artifact that was made of an unnamed block: the one with its bytes, the newest if there are several. */
function artifactOf(block: Block, artifacts: readonly ArtifactWithFiles[]): ArtifactWithFiles | null {
  const sha256 = createHash('sha256').update(Buffer.from(block.content, 'utf8')).digest('hex')
  return (
    artifacts.findLast(
      ({ files, consolidatedFrom }) =>
        files.length === 1 && consolidatedFrom.length === 0 && files[0]?.sha256 === sha256,
    ) ?? null
  )
}

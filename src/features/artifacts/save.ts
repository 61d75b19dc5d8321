import { newId } from '../../lib/ids.ts'
import { type Database, isForeignKeyViolation } from '../../platform/database/index.ts'
import type { Files } from '../../platform/files/index.ts'
import type { Block } from './detection.ts'
import { pathKey } from './names.ts'
import { type Place, prefixOf, putContents } from './objects.ts'
import type { ArtifactSummary, ArtifactType } from './schema.ts'
import {
  type ArtifactWithFiles,
  findByPaths,
  findByTitle,
  insertArtifact,
  lockConversation,
  type NewArtifact,
  type StoredFile,
} from './store.ts'

/** Where an artifact comes from. */
export interface Origin extends Place {
  messageId: string
  generationId: string
}

export interface SaveDeps {
  db: Database
  files: Files
}

const mostFiles = 500

/**
 * Stores blocks as one artifact, as the next version of what they change in their conversation: for named files the thing
 * that has any of their paths (its other files stay), else the one with the same title and type. Null when the
 * conversation has gone meanwhile.
 */
export async function saveArtifact(
  deps: SaveDeps,
  origin: Origin,
  blocks: readonly [Block, ...Block[]],
): Promise<ArtifactSummary | null> {
  const stored = await putContents(deps.files, origin, blocks)
  try {
    return await deps.db.transaction().execute(db => write(db, origin, { blocks, stored }))
  } catch (error) {
    if (!isForeignKeyViolation(error)) throw error
    for (const file of stored) await deps.files.delete(prefixOf(origin) + file.sha256)
    return null
  }
}

interface Made {
  blocks: readonly [Block, ...Block[]]
  stored: readonly StoredFile[]
}

async function write(db: Database, origin: Origin, { blocks, stored }: Made): Promise<ArtifactSummary> {
  await lockConversation(db, origin.conversationId)
  const earlier = await findEarlier(db, origin, blocks)
  const files = blocks[0].isNamed ? mergeFiles(earlier?.files ?? [], stored) : [...stored]
  const main = mainOf(blocks)
  const id = newId()
  const artifact: NewArtifact = {
    id,
    ...origin,
    lineageId: earlier?.lineageId ?? id,
    version: (earlier?.version ?? 0) + 1,
    title: earlier && blocks[0].isNamed ? earlier.title : titleFor(blocks, main),
    type: earlier && blocks[0].isNamed ? leading([earlier.type, main.type]) : main.type,
    language: main.language,
    isComplete: blocks.every(block => block.isComplete),
    files,
  }
  await insertArtifact(db, artifact)
  const { title, type, language, version } = artifact
  const consolidation = { consolidatedFrom: [], consolidatedInto: null }
  return { id, title, type, language, version, ...consolidation, fileCount: files.length }
}

function findEarlier(
  db: Database,
  origin: Origin,
  blocks: readonly [Block, ...Block[]],
): Promise<ArtifactWithFiles | null> {
  const [first] = blocks
  if (!first.isNamed) return findByTitle(db, origin.conversationId, { title: first.title, type: first.type })
  return findByPaths(
    db,
    origin.conversationId,
    blocks.map(block => block.path.toLowerCase()),
  )
}

/** The files of a thing after some were written anew: in their old order, new ones behind. */
function mergeFiles(earlier: readonly StoredFile[], now: readonly StoredFile[]): StoredFile[] {
  const merged = new Map(earlier.map(file => [pathKey(file.path), file]))
  for (const file of now) {
    const key = pathKey(file.path)
    merged.set(key, { ...file, path: merged.get(key)?.path ?? file.path })
  }
  return [...merged.values()].slice(0, mostFiles)
}

const order: readonly ArtifactType[] = [
  'REACT',
  'HTML',
  'TYPESCRIPT',
  'JAVASCRIPT',
  'PYTHON',
  'CODE',
  'CSS',
  'OTHER',
]

/** What a project is, when its files are of several types. */
function leading(types: readonly ArtifactType[]): ArtifactType {
  return order.find(type => types.includes(type)) ?? 'OTHER'
}

function mainOf(blocks: readonly [Block, ...Block[]]): Block {
  const type = leading(blocks.map(block => block.type))
  return (
    blocks.find(block => block.type === type && /(?:^|\/)(?:main|index|app)\.\w+$/i.test(block.path)) ??
    blocks.find(block => block.type === type) ??
    blocks[0]
  )
}

function titleFor(blocks: readonly Block[], main: Block): string {
  if (blocks.length === 1) return main.title
  const manifest = blocks.find(block => /(?:^|\/)package\.json$/.test(block.path))
  const name = /"name"\s*:\s*"([^"\\]{1,80})"/.exec(manifest?.content.slice(0, 5000) ?? '')?.[1]
  return name ?? main.title
}

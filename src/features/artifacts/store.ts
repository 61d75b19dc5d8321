import { type Database, statement } from '../../platform/database/index.ts'
import type { ArtifactType } from './schema.ts'

/** One file of an artifact; its bytes are an object named by `sha256`. */
export interface StoredFile {
  path: string
  language: string
  size: number
  sha256: string
}

export interface ArtifactRow {
  id: string
  accountId: string
  conversationId: string
  messageId: string
  generationId: string
  lineageId: string
  version: number
  title: string
  type: ArtifactType
  language: string
  isComplete: boolean
  createdAt: Date
  /** The artifacts that were merged into this one, in the order of their writing. */
  consolidatedFrom: string[]
  consolidatedInto: string | null
}

export interface ArtifactWithFiles extends ArtifactRow {
  files: StoredFile[]
}

export interface SummaryRow {
  id: string
  messageId: string
  title: string
  type: ArtifactType
  language: string
  version: number
  fileCount: number
  consolidatedFrom: string[]
  consolidatedInto: string | null
}

/** Where an artifact stands in a consolidation, of a row called `a`. */
export const consolidationColumns = `a.consolidated_into as "consolidatedInto",
  (select coalesce(json_agg(c.id order by c.created_at, c.id), '[]') from artifacts c
    where c.consolidated_into = a.id) as "consolidatedFrom"`

const columns = `a.id, a.account_id as "accountId", a.conversation_id as "conversationId", a.message_id as "messageId",
  a.generation_id as "generationId", a.lineage_id as "lineageId", a.version, a.title, a.type, a.language,
  a.is_complete as "isComplete", a.created_at as "createdAt", ${consolidationColumns},
  (select coalesce(json_agg(json_build_object('path', f.path, 'language', f.language, 'size', f.size, 'sha256', f.sha256)
    order by f.position), '[]') from artifact_files f where f.artifact_id = a.id) as files`

const one = statement<ArtifactWithFiles>(
  `select ${columns} from artifacts a where a.id = $1 and a.account_id = $2`,
)

/** An artifact of an account with its files in their order; null when absent or foreign. */
export async function readArtifact(
  db: Database,
  accountId: string,
  id: string,
): Promise<ArtifactWithFiles | null> {
  return (await one(db, id, accountId))[0] ?? null
}

const ofMessages =
  statement<SummaryRow>(`select a.id, a.message_id as "messageId", a.title, a.type, a.language, a.version, ${consolidationColumns},
    (select count(*)::int from artifact_files f where f.artifact_id = a.id) as "fileCount"
  from artifacts a where a.message_id = any($1::uuid[]) and a.account_id = $2 order by a.created_at, a.id`)

/** Artifacts of messages of an account, in the order of their making. */
export function listOfMessages(
  db: Database,
  accountId: string,
  messageIds: readonly string[],
): Promise<SummaryRow[]> {
  return ofMessages(db, [...messageIds], accountId)
}

const wholeOfMessages = statement<ArtifactWithFiles>(
  `select ${columns} from artifacts a where a.message_id = any($1::uuid[]) and a.account_id = $2 order by a.created_at, a.id`,
)

/** Artifacts of messages of an account with their files, in the order of their making. */
export function listWholeOfMessages(
  db: Database,
  accountId: string,
  messageIds: readonly string[],
): Promise<ArtifactWithFiles[]> {
  return wholeOfMessages(db, [...messageIds], accountId)
}

const countInConversation = statement<{ count: number }>(
  'select count(*)::int as count from artifacts where conversation_id = $1 and account_id = $2',
)

/** How many artifacts a conversation of an account has, all versions counted. */
export async function countArtifacts(
  db: Database,
  accountId: string,
  conversationId: string,
): Promise<number> {
  return (await countInConversation(db, conversationId, accountId))[0]?.count ?? 0
}

const lock = statement(`select pg_advisory_xact_lock(hashtextextended('artifacts:' || $1, 0))`)

/** Lets one writer at a time decide about versions in a conversation; held until the transaction ends. */
export async function lockConversation(db: Database, conversationId: string): Promise<void> {
  await lock(db, conversationId)
}

const newestOfLineage =
  'not exists (select from artifacts n where n.lineage_id = a.lineage_id and n.version > a.version)'

const byTitle = statement<ArtifactWithFiles>(`select ${columns} from artifacts a
  where a.conversation_id = $1 and a.title = $2 and a.type = $3 and ${newestOfLineage}
  order by a.created_at desc, a.id desc limit 1`)

/** The newest version of the thing with this title and type in a conversation. */
export async function findByTitle(
  db: Database,
  conversationId: string,
  thing: { title: string; type: ArtifactType },
): Promise<ArtifactWithFiles | null> {
  return (await byTitle(db, conversationId, thing.title, thing.type))[0] ?? null
}

const byPaths = statement<ArtifactWithFiles>(`select ${columns} from artifacts a
  where a.conversation_id = $1 and ${newestOfLineage}
    and exists (select from artifact_files f where f.artifact_id = a.id and lower(f.path) = any($2::text[]))
  order by a.created_at desc, a.id desc limit 1`)

/** The newest version of the thing that has any of these paths (lower case) in a conversation. */
export async function findByPaths(
  db: Database,
  conversationId: string,
  paths: readonly string[],
): Promise<ArtifactWithFiles | null> {
  return (await byPaths(db, conversationId, [...paths]))[0] ?? null
}

/** An artifact that is to be written; the blocks that it was merged from are linked by `linkConsolidated`. */
export type NewArtifact = Omit<ArtifactWithFiles, 'createdAt' | 'consolidatedFrom' | 'consolidatedInto'>

/** Writes an artifact and its files. Throws a foreign key violation when its conversation has gone. */
export async function insertArtifact(db: Database, artifact: NewArtifact): Promise<void> {
  await db
    .insertInto('artifacts')
    .values({
      id: artifact.id,
      account_id: artifact.accountId,
      conversation_id: artifact.conversationId,
      message_id: artifact.messageId,
      generation_id: artifact.generationId,
      lineage_id: artifact.lineageId,
      version: artifact.version,
      title: artifact.title,
      type: artifact.type,
      language: artifact.language,
      is_complete: artifact.isComplete,
    })
    .execute()
  await db
    .insertInto('artifact_files')
    .values(artifact.files.map((file, position) => ({ artifact_id: artifact.id, position, ...file })))
    .execute()
}

/** Says of some artifacts that they were merged into another. */
export async function linkConsolidated(db: Database, ids: readonly string[], into: string): Promise<void> {
  await db.updateTable('artifacts').set({ consolidated_into: into }).where('id', 'in', ids).execute()
}

const newestOf = statement<{ version: number }>(
  'select coalesce(max(version), 0)::int as version from artifacts where lineage_id = $1',
)

/** The highest version of one thing; 0 when there is none. */
export async function newestVersion(db: Database, lineageId: string): Promise<number> {
  return (await newestOf(db, lineageId))[0]?.version ?? 0
}

/** Forgets what an earlier attempt at the same generation had saved. */
export async function deleteOfGeneration(
  db: Database,
  messageId: string,
  generationId: string,
): Promise<void> {
  await db
    .deleteFrom('artifacts')
    .where('message_id', '=', messageId)
    .where('generation_id', '=', generationId)
    .execute()
}

/** Removes one artifact of an account; false when there was none. */
export async function deleteArtifact(db: Database, accountId: string, id: string): Promise<boolean> {
  const result = await db
    .deleteFrom('artifacts')
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

const filesInConversation = statement<{ id: string; files: { path: string; sha256: string }[] }>(`select a.id,
    (select coalesce(json_agg(json_build_object('path', f.path, 'sha256', f.sha256) order by f.position), '[]')
      from artifact_files f where f.artifact_id = a.id) as files
  from artifacts a where a.conversation_id = $1 order by a.created_at desc, a.id desc`)

/** What a conversation's artifacts consist of, newest first. */
export function listContents(
  db: Database,
  conversationId: string,
): Promise<{ id: string; files: { path: string; sha256: string }[] }[]> {
  return filesInConversation(db, conversationId)
}

import { type Database, statement } from '../../platform/database/index.ts'
import type { ArtifactType } from './schema.ts'
import { consolidationColumns } from './store.ts'

/** An artifact as a list shows it, with where it comes from. */
export interface ListedArtifact {
  id: string
  messageId: string
  generationId: string
  /** The model that wrote it; null when its generation has gone. */
  model: string | null
  lineageId: string
  version: number
  title: string
  type: ArtifactType
  language: string
  fileCount: number
  /** Bytes of all its files. */
  size: number
  createdAt: Date
  consolidatedFrom: string[]
  consolidatedInto: string | null
}

const select = `select a.id, a.message_id as "messageId", a.generation_id as "generationId", g.model,
    a.lineage_id as "lineageId", a.version, a.title, a.type, a.language, a.created_at as "createdAt",
    ${consolidationColumns},
    (select count(*)::int from artifact_files f where f.artifact_id = a.id) as "fileCount",
    (select coalesce(sum(f.size), 0)::int from artifact_files f where f.artifact_id = a.id) as size
  from artifacts a left join generations g on g.id = a.generation_id`

const ofConversation = statement<ListedArtifact>(
  `${select} where a.conversation_id = $1 and a.account_id = $2 order by a.created_at, a.id limit 1000`,
)

/** The first 1,000 artifacts of a conversation of an account, in the order of their making. */
export function listOfConversation(
  db: Database,
  accountId: string,
  conversationId: string,
): Promise<ListedArtifact[]> {
  return ofConversation(db, conversationId, accountId)
}

const ofLineage = statement<ListedArtifact>(
  `${select} where a.lineage_id = $1 and a.account_id = $2 order by a.version limit 1000`,
)

/** Every version of one thing, oldest first. */
export function listOfLineage(db: Database, accountId: string, lineageId: string): Promise<ListedArtifact[]> {
  return ofLineage(db, lineageId, accountId)
}

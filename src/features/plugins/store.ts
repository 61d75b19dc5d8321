import { type Database, statement } from '../../platform/database/index.ts'
import type { Report } from './schema.ts'
import { type Turn, turnColumns } from './store-turns.ts'

export interface VersionSummaryRow {
  version: number
  origin: 'model' | 'client'
  errors: number
  warnings: number
  isFinal: boolean
  generationId: string | null
  createdAt: Date
}

export interface Plugin {
  id: string
  accountId: string
  conversationId: string
  name: string
  messageCount: number
  versionCount: number
  finalVersion: number | null
  savedVersion: number | null
  latest: VersionSummaryRow | null
  openTurn: Turn | null
  createdAt: Date
  updatedAt: Date
}

const pluginColumns = `p.id, p.account_id as "accountId", p.conversation_id as "conversationId", c.title as name,
  c.message_count as "messageCount", p.version_count as "versionCount", p.final_version as "finalVersion",
  p.saved_version as "savedVersion", p.created_at as "createdAt", c.updated_at as "updatedAt",
  (select jsonb_build_object('version', v.version, 'origin', v.origin, 'errors', v.errors, 'warnings', v.warnings,
     'isFinal', v.version is not distinct from p.final_version, 'generationId', v.generation_id, 'createdAt', v.created_at)
   from plugin_versions v where v.plugin_id = p.id and v.version = p.version_count) as latest,
  (select jsonb_build_object(${turnColumns}) from plugin_turns t where t.plugin_id = p.id and t.outcome = 'open') as "openTurn"`
const fromPlugins = 'from plugins p join conversations c on c.id = p.conversation_id'

type PluginRow = Plugin

/** Times inside JSON come as text. */
function dated(row: PluginRow): Plugin {
  const { latest, openTurn } = row
  return {
    ...row,
    latest: latest && { ...latest, createdAt: new Date(latest.createdAt) },
    openTurn: openTurn && { ...openTurn, createdAt: new Date(openTurn.createdAt) },
  }
}

const insertOne = statement('insert into plugins (id, account_id, conversation_id) values ($1, $2, $3)')

export async function insertPlugin(
  db: Database,
  plugin: { id: string; accountId: string; conversationId: string },
): Promise<void> {
  await insertOne(db, plugin.id, plugin.accountId, plugin.conversationId)
}

const readOne = statement<PluginRow>(
  `select ${pluginColumns} ${fromPlugins} where p.id = $1 and p.account_id = $2`,
)

/** A plugin of an account, or null. */
export async function readPlugin(db: Database, accountId: string, id: string): Promise<Plugin | null> {
  const [row] = await readOne(db, id, accountId)
  return row ? dated(row) : null
}

const readByConversation = statement<PluginRow>(
  `select ${pluginColumns} ${fromPlugins} where p.conversation_id = $1`,
)

/** The plugin that a conversation is about, or null. */
export async function readPluginOf(db: Database, conversationId: string): Promise<Plugin | null> {
  const [row] = await readByConversation(db, conversationId)
  return row ? dated(row) : null
}

const readPage = statement<PluginRow>(
  `select ${pluginColumns} ${fromPlugins} where p.account_id = $1 and ($2::uuid is null or p.id < $2)
   order by p.id desc limit $3`,
)

/** Plugins of an account, the newest first, after one of them. */
export async function listPlugins(
  db: Database,
  { accountId, after, limit }: { accountId: string; after: string | null; limit: number },
): Promise<Plugin[]> {
  return (await readPage(db, accountId, after, limit)).map(dated)
}

export interface Version extends VersionSummaryRow {
  code: string
  report: Report
  afterPosition: number
}

const summaryColumns = `v.version, v.origin, v.errors, v.warnings, v.generation_id as "generationId",
  v.created_at as "createdAt", v.version is not distinct from p.final_version as "isFinal"`
const fromVersions = 'from plugin_versions v join plugins p on p.id = v.plugin_id'

const readVersions = statement<VersionSummaryRow>(
  `select ${summaryColumns} ${fromVersions} where v.plugin_id = $1 order by v.version desc limit 1000`,
)

/** Versions of a plugin, the newest first, without their code. */
export function listVersions(db: Database, pluginId: string): Promise<VersionSummaryRow[]> {
  return readVersions(db, pluginId)
}

const readOneVersion = statement<Version>(
  `select ${summaryColumns}, v.code, v.report, v.after_position as "afterPosition"
   ${fromVersions} where v.plugin_id = $1 and v.version = $2`,
)

export async function readVersion(db: Database, pluginId: string, version: number): Promise<Version | null> {
  return (await readOneVersion(db, pluginId, version))[0] ?? null
}

export interface NewVersion {
  pluginId: string
  origin: 'model' | 'client'
  code: string
  report: Report
  generationId: string | null
}

const forgetOfRun = statement('delete from plugin_versions where generation_id = $1')
const insertNext = statement<{ version: number }>(
  `with counted as (
     update plugins set version_count = version_count + 1 where id = $1 returning id, account_id, version_count, conversation_id
   ), touched as (
     update conversations c set updated_at = now() from counted where c.id = counted.conversation_id
   )
   insert into plugin_versions (plugin_id, account_id, version, origin, code, report, errors, warnings, generation_id, after_position)
   select counted.id, account_id, version_count, $2, $3, $4, $5, $6, $7,
     (select message_count from conversations c where c.id = counted.conversation_id) from counted
   returning version`,
)

/** Keeps code as the next version; a run that is done again gives up its earlier one. Null when the plugin has gone. */
export async function insertVersion(db: Database, made: NewVersion): Promise<number | null> {
  const { pluginId, origin, code, report, generationId } = made
  if (generationId !== null) await forgetOfRun(db, generationId)
  const values = [origin, code, JSON.stringify(report), report.errors, report.warnings, generationId]
  return (await insertNext(db, pluginId, ...values))[0]?.version ?? null
}

const makeFinal = statement('update plugins set final_version = $2, saved_version = $2 where id = $1')
const makeSaved = statement('update plugins set saved_version = $2 where id = $1')

/** Marks a version as the checked final one. */
export async function markFinal(db: Database, pluginId: string, version: number): Promise<void> {
  await makeFinal(db, pluginId, version)
}

/** Marks a version as what the published API calls the generated plugin; our own final stays what it is. */
export async function markSaved(db: Database, pluginId: string, version: number): Promise<void> {
  await makeSaved(db, pluginId, version)
}

import { AppError, invalidField, missing } from '../../lib/errors.ts'
import { isId, newId } from '../../lib/ids.ts'
import type { Database } from '../../platform/database/index.ts'
import type { Billing } from '../billing/index.ts'
import type { Conversations } from '../conversations/index.ts'
import type { Generations } from '../generations/index.ts'
import { createChecker } from './checker.ts'
import { forgiveLeftOver } from './forgive.ts'
import { finishRun, type ObserveDeps, observePlugins } from './observe.ts'
import { packPlugin } from './package.ts'
import { shapeFor } from './prompt.ts'
import { splitReply } from './reply.ts'
import type { Finding, Report } from './schema.ts'
import {
  insertPlugin,
  insertVersion,
  listPlugins,
  listVersions,
  markSaved,
  type Plugin,
  readPluginOf,
  readVersion,
  type Version,
} from './store.ts'
import { insertClientMessage, listHistory, type Sender } from './store-messages.ts'
import { type Outcome, readTurn, readTurnOfRun, type Turn } from './store-turns.ts'
import { finalize, readOwn, sendMessage, type TurnRequest, waitForTurn } from './turns.ts'

export { slugOf } from './package.ts'
export { splitReply } from './reply.ts'
export type { Plugin, Version, VersionSummaryRow } from './store.ts'
export type { Turn } from './store-turns.ts'
export type { StartedTurn, TurnRequest } from './turns.ts'

export interface PluginsDeps {
  db: Database
  generations: Generations
  conversations: Conversations
  billing: Pick<Billing, 'forgive'>
  /** Told of what goes wrong where nobody waits for an answer. */
  report(error: unknown, what: string): void
}

export type Plugins = ReturnType<typeof createPlugins>

/** What a turn came to: the last answer of it, and whether its code holds. */
export interface TurnResult {
  turn: Turn
  outcome: Outcome
  /** The generation that said the last word. */
  generationId: string | null
  /** The answer without its code; empty when there was none. */
  prose: string
  /** The last code of this turn; null when the model only spoke. */
  code: string | null
  version: number | null
  /** Finalized, with no errors. */
  isFinal: boolean
  report: Report | null
  findings: Finding[]
  /** Why the last run ended without a whole answer. */
  failure: { code: string; message: string } | null
}

/** Largest code that a client may hand in, in bytes. */
export const largestCodeBytes = 1024 * 1024

/** WooCommerce plugins: talked about, drafted by a model, checked, mended, finished, packed. Foreign is absent. */
export function createPlugins(deps: PluginsDeps) {
  const { db, generations, conversations } = deps
  const checker = createChecker()
  const watching: ObserveDeps = { ...deps, checker }
  defineKind(deps)
  generations.observe(run => observePlugins(watching, run))
  generations.onRescued(({ prefix, text, ...run }) =>
    finishRun(watching, { ...run, emit() {} }, { status: 'interrupted', content: prefix + text }),
  )
  return {
    create: (accountId: string, given: { name: string }) => create(deps, accountId, given.name),
    /** A page of the account's plugins, the newest first. */
    list: (request: { accountId: string; limit: number; cursor?: string | undefined }) => list(deps, request),
    read: (accountId: string, id: string) => readOwn(db, accountId, id),
    async rename(accountId: string, id: string, name: string): Promise<Plugin> {
      const plugin = await readOwn(db, accountId, id)
      await conversations.update(accountId, plugin.conversationId, { title: nameOf(name) })
      return readOwn(db, accountId, id)
    },
    /** Stops what still runs of it, then removes it with its messages and versions. */
    async remove(accountId: string, id: string): Promise<void> {
      const plugin = await readOwn(db, accountId, id)
      await conversations.remove(accountId, plugin.conversationId)
    },
    /** Says something about the plugin and begins the turn that answers it. */
    send: (request: TurnRequest & { message: string }) => sendMessage(deps, request),
    /** Asks for the finished plugin; a second caller joins the turn of the first. */
    finalize: (request: TurnRequest) => finalize(deps, request),
    readTurn: async (accountId: string, turnId: string): Promise<Turn> => {
      const turn = isId(turnId) ? await readTurn(db, accountId, turnId) : null
      if (!turn) throw missing('Turn')
      return turn
    },
    /** Resolves when a turn has ended, repairs included. Its text as it comes: `generations.follow` of its generations. */
    wait: (request: { accountId: string; turnId: string; signal?: AbortSignal | undefined }) =>
      waitForResult(deps, request),
    /** Everything that was said, in its order, with what clients put beside it. */
    async history(accountId: string, id: string) {
      const plugin = await readOwn(db, accountId, id)
      const rows = await listHistory(db, plugin.id)
      return rows.map(row => ({ ...row, ...splitReply(row.content) }))
    },
    /** Puts a client's message into the history; the model is never told of it. */
    async addClientMessage(accountId: string, id: string, given: { sender: Sender; content: string }) {
      const plugin = await readOwn(db, accountId, id)
      if (!given.content.isWellFormed() || given.content.includes('\0'))
        throw invalidField('content', 'must be well-formed Unicode without NUL')
      await insertClientMessage(db, { id: newId(), pluginId: plugin.id, ...given })
    },
    /** Keeps a client's own code as a version with its report; `asSaved` makes it the published "generated plugin". */
    saveClientCode: (accountId: string, id: string, given: { code: string; asSaved?: boolean }) =>
      saveClientCode(watching, { accountId, id, ...given }),
    /** Summaries of all versions, the newest first. */
    async versions(accountId: string, id: string) {
      return listVersions(db, (await readOwn(db, accountId, id)).id)
    },
    /** One version with its code and report. */
    version: (accountId: string, id: string, version: number) => versionOf(deps, { accountId, id, version }),
    /** The zip for "Upload plugin" of the final version, or of another one. */
    zip: (accountId: string, id: string, version?: number) => zipOf(deps, { accountId, id, version }),
    /** Gives back what a server that stopped too early did not. */
    tidy: () => forgiveLeftOver(deps),
    close: () => checker.close(),
  }
}

/** Says how plugins are prompted: our instructions, the conversation without its old code, and the newest draft. */
function defineKind({ db, generations, conversations }: PluginsDeps): void {
  generations.define('plugin', {
    conversationKind: 'plugin',
    title: message => message.slice(0, 50),
    async prompt(generation, limits) {
      const plugin = generation.conversationId ? await readPluginOf(db, generation.conversationId) : null
      const place = await readTurnOfRun(db, generation.id)
      const earlier = (place?.turn ?? plugin?.openTurn)?.generationIds
        .filter(id => id !== generation.id)
        .at(-1)
      // A repair begins before the answer that it mends is stored.
      if (earlier) await generations.wait(generation.accountId, earlier)
      const draft = plugin?.versionCount ? await readVersion(db, plugin.id, plugin.versionCount) : null
      const recent = earlier ? null : limits.recent
      return conversations.prompt(generation, { ...limits, recent }, shapeFor(draft))
    },
  })
}

function nameOf(name: string): string {
  const trimmed = name.trim()
  if (trimmed === '' || trimmed.length > 200) throw invalidField('name', 'must have 1 to 200 characters')
  if (!trimmed.isWellFormed() || /\p{Cc}/u.test(trimmed))
    throw invalidField('name', 'must be one line of well-formed text')
  return trimmed
}

async function create({ db, conversations }: PluginsDeps, accountId: string, name: string): Promise<Plugin> {
  const title = nameOf(name)
  const id = newId()
  await db.transaction().execute(async within => {
    const conversation = await conversations.begin(within, { accountId, kind: 'plugin', title })
    await insertPlugin(within, { id, accountId, conversationId: conversation.id })
  })
  return readOwn(db, accountId, id)
}

async function list(
  { db }: PluginsDeps,
  { accountId, limit, cursor }: { accountId: string; limit: number; cursor?: string | undefined },
) {
  if (cursor !== undefined && !isId(cursor))
    throw invalidField('cursor', 'must be the nextCursor of an earlier page')
  const rows = await listPlugins(db, { accountId, limit: limit + 1, after: cursor ?? null })
  const page = rows.slice(0, limit)
  return { plugins: page, nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null }
}

async function versionOf(
  { db }: PluginsDeps,
  { accountId, id, version }: { accountId: string; id: string; version: number },
): Promise<Version> {
  const plugin = await readOwn(db, accountId, id)
  const found = await readVersion(db, plugin.id, version)
  if (!found) throw missing('Version')
  return found
}

async function saveClientCode(
  { db, checker }: ObserveDeps,
  given: { accountId: string; id: string; code: string; asSaved?: boolean },
): Promise<Version> {
  const { code } = given
  const plugin = await readOwn(db, given.accountId, given.id)
  if (code.trim() === '') throw invalidField('code', 'must not be empty')
  if (!code.isWellFormed() || code.includes('\0'))
    throw invalidField('code', 'must be well-formed Unicode without NUL')
  if (Buffer.byteLength(code) > largestCodeBytes) {
    const message = 'code must have at most 1 MB'
    throw new AppError('too-large', 'CODE_TOO_LARGE', message, { details: [{ field: 'code', message }] })
  }
  const report = await checker.check(code, given.accountId)
  const version = await db.transaction().execute(async within => {
    const made = { pluginId: plugin.id, origin: 'client', code, report, generationId: null } as const
    const number = await insertVersion(within, made)
    if (number !== null && given.asSaved) await markSaved(within, plugin.id, number)
    return number
  })
  const kept = version === null ? null : await readVersion(db, plugin.id, version)
  if (!kept) throw missing('Plugin')
  return kept
}

async function zipOf(
  deps: PluginsDeps,
  { accountId, id, version }: { accountId: string; id: string; version: number | undefined },
) {
  const plugin = await readOwn(deps.db, accountId, id)
  const wanted = version ?? plugin.finalVersion
  if (wanted === null) {
    const message = 'This plugin is not final yet. Finalize it, or ask for one of its versions.'
    throw new AppError('conflict', 'NOT_FINAL', message)
  }
  const { code } = await versionOf(deps, { accountId, id, version: wanted })
  return packPlugin({ name: plugin.name, code })
}

async function waitForResult(
  deps: PluginsDeps,
  request: { accountId: string; turnId: string; signal?: AbortSignal | undefined },
): Promise<TurnResult> {
  const turn = await waitForTurn(deps, request)
  const generationId = turn.generationIds.at(-1) ?? null
  const { accountId } = request
  const ended = generationId ? await deps.generations.wait(accountId, generationId, request.signal) : null
  const kept = turn.version === null ? null : await readVersion(deps.db, turn.pluginId, turn.version)
  const { prose } = splitReply(ended?.content ?? '')
  return {
    turn,
    outcome: turn.outcome,
    generationId,
    prose,
    code: kept?.code ?? null,
    version: turn.version,
    isFinal: turn.purpose === 'final' && turn.outcome === 'passed',
    report: kept?.report ?? null,
    findings: kept?.report.findings ?? [],
    failure: ended?.error ?? null,
  }
}

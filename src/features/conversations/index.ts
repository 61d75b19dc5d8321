import { invalidField, missing } from '../../lib/errors.ts'
import { isId, newId } from '../../lib/ids.ts'
import type { Database } from '../../platform/database/index.ts'
import type { Artifacts, ListedArtifact } from '../artifacts/index.ts'
import {
  type Generation,
  type Generations,
  type PromptLimits,
  presentGeneration,
} from '../generations/index.ts'
import { buildPrompt, type PromptShape } from './context.ts'
import { type ConversationExport, exportOf } from './export.ts'
import { createMemory } from './memory.ts'
import {
  type Conversation,
  type Cursor,
  countOf,
  deleteConversation,
  insertConversation,
  listConversations,
  listMessages,
  listRunning,
  listVersions,
  type Message,
  readConversation,
  readMessage,
  readProgress,
  updateConversation,
} from './store.ts'
import { listNumbered, searchConversations } from './store-search.ts'
import { titleOf } from './title.ts'

export type { PromptShape } from './context.ts'

export interface ConversationsDeps {
  db: Database
  generations: Generations
  artifacts: Artifacts
}

export type { Conversation, MessageProgress } from './store.ts'

export type Conversations = ReturnType<typeof createConversations>

/** Conversations of accounts, their messages, and what a model is told of them. */
export function createConversations(deps: ConversationsDeps) {
  const { db, generations } = deps
  const memory = createMemory(db, generations)
  generations.define('chat', {
    conversationKind: 'chat',
    title: titleOf,
    prompt: (generation, limits) => buildPrompt({ db, memory }, generation, limits),
  })
  return {
    /** A numbered page of conversations with the last message of each, and how many there are. */
    listNumbered: (request: NumberedRequest) => listPage(deps, request),
    /** A message of the account; AppError missing otherwise. */
    readMessage: async (accountId: string, id: string) => {
      const message = isId(id) ? await readMessage(db, accountId, id) : null
      if (!message) throw missing('Message')
      return message
    },
    /** A page of conversations, the one last written to first. */
    list: (request: ListRequest) => list(deps, request),
    create: (
      accountId: string,
      given: {
        title?: string | undefined
        systemPrompt?: string | null | undefined
        description?: string | null | undefined
      },
    ) =>
      insertConversation(db, {
        id: newId(),
        accountId,
        kind: 'chat',
        title: given.title ?? 'New conversation',
        titleSource: given.title === undefined ? 'auto' : 'user',
        systemPrompt: given.systemPrompt ?? null,
        description: given.description ?? null,
      }),
    /** Begins the conversation that another feature's thing is talked about in, within its transaction. */
    begin: async (within: Database, given: { accountId: string; kind: string; title: string }) =>
      insertConversation(within, {
        ...given,
        id: newId(),
        titleSource: 'user',
        systemPrompt: null,
        description: null,
      }),
    /** What the model is told of a conversation, for recipes of other kinds. */
    prompt: (generation: Generation, limits: PromptLimits, shape: PromptShape) =>
      buildPrompt({ db, memory }, generation, { ...limits, shape }),
    /** A conversation with a page of its messages, oldest first. */
    read: (request: ReadRequest) => read(deps, request),
    /** A message of a chat of the account, with how its answer stands. Throws 404. */
    progress: async (accountId: string, id: string) => {
      const found = isId(id) ? await readProgress(db, accountId, id) : null
      if (!found) throw missing('Message')
      return found
    },
    /** Everything that its answers made, in the order of their making. */
    async artifacts(accountId: string, id: string): Promise<ListedArtifact[]> {
      if (!isId(id) || !(await readConversation(db, accountId, id))) refuse()
      return deps.artifacts.listByConversation(accountId, id)
    },
    /** The whole conversation (at most 10,000 messages, the newest), with links to what was made. */
    export: (accountId: string, id: string) => exportWhole(deps, accountId, id),
    /** Every answer at a position, oldest first: regenerating keeps the earlier ones. */
    versions: (accountId: string, at: { id: string; position: number }) => versions(deps, accountId, at),
    update: async (
      accountId: string,
      id: string,
      change: { title?: string | undefined; systemPrompt?: string | null | undefined },
    ): Promise<Conversation> => {
      const conversation = isId(id) ? await updateConversation(db, { accountId, id, ...change }) : null
      return conversation ?? refuse()
    },
    /** How much an account has: chats (as `conversations`), plugins, and the questions and answers of both. */
    statistics: (accountId: string) => countOf(db, accountId),
    /** Stops what still runs in it, then removes it with its messages, generations and artifacts; says how many of these. */
    remove: (accountId: string, id: string) => remove(deps, accountId, id),
  }
}

function refuse(): never {
  throw missing('Conversation')
}

export interface ListRequest {
  accountId: string
  limit: number
  cursor?: string | undefined
  /** A part of a title or message. Throws AppError invalid when it cannot be found in time. */
  search?: string | undefined
}

async function list({ db }: ConversationsDeps, request: ListRequest) {
  const wanted = {
    accountId: request.accountId,
    limit: request.limit + 1,
    after: request.cursor === undefined ? null : parseCursor(request.cursor),
  }
  const search = request.search?.trim()
  const rows = search
    ? ((await searchConversations(db, { ...wanted, search })) ?? refuseSearch())
    : await listConversations(db, wanted)
  const page = rows.slice(0, request.limit)
  const last = page.at(-1)
  return {
    conversations: page,
    nextCursor: rows.length > page.length && last ? `${last.updatedAtMicros}_${last.id}` : null,
  }
}

export interface NumberedRequest {
  accountId: string
  /** From 1. */
  page: number
  limit: number
  search?: string | undefined
}

async function listPage({ db }: ConversationsDeps, { accountId, page, limit, search }: NumberedRequest) {
  const wanted = { accountId, limit, offset: (page - 1) * limit, search: search?.trim() || null }
  return (await listNumbered(db, wanted)) ?? refuseSearch()
}

function refuseSearch(): never {
  throw invalidField(
    'search',
    'is in too many of your conversations, or too short to be found: use a longer text',
  )
}

function parseCursor(text: string): Cursor {
  const [micros = '', id = ''] = text.split('_')
  if (!/^\d{1,16}$/.test(micros) || !isId(id))
    throw invalidField('cursor', 'must be the nextCursor of an earlier page')
  return { updatedAtMicros: Number(micros), id }
}

export interface ReadRequest {
  accountId: string
  id: string
  limit: number
  before?: number | undefined
}

async function read({ db, generations, artifacts }: ConversationsDeps, request: ReadRequest) {
  const { accountId, id } = request
  const conversation = isId(id) ? await readConversation(db, accountId, id) : null
  if (!conversation) return refuse()
  const before = request.before ?? null
  const rows = await listMessages(db, { conversationId: id, before, limit: request.limit + 1 })
  const page = rows.slice(0, request.limit).toReversed()
  return {
    conversation,
    messages: await complete({ generations, artifacts }, accountId, page),
    hasMore: rows.length > page.length,
  }
}

const mostExported = 10_000

async function exportWhole(
  { db, artifacts }: ConversationsDeps,
  accountId: string,
  id: string,
): Promise<ConversationExport> {
  const conversation = isId(id) ? await readConversation(db, accountId, id) : null
  if (!conversation) return refuse()
  const rows = await listMessages(db, { conversationId: id, before: null, limit: mostExported })
  return exportOf(artifacts, accountId, { conversation, rows: rows.toReversed() })
}

/** All answers at one position of a conversation, oldest first. */
async function versions(
  deps: ConversationsDeps,
  accountId: string,
  { id, position }: { id: string; position: number },
) {
  const conversation = isId(id) ? await readConversation(deps.db, accountId, id) : null
  if (!conversation) return refuse()
  const rows = await listVersions(deps.db, id, position)
  if (rows.length === 0) throw missing('Message')
  return complete(deps, accountId, rows)
}

/** Messages with the runs that wrote them and the artifacts in them. */
async function complete(
  { generations, artifacts }: Pick<ConversationsDeps, 'generations' | 'artifacts'>,
  accountId: string,
  rows: readonly Message[],
) {
  const answers = rows.filter(message => message.role === 'assistant')
  const [runs, made] = await Promise.all([
    generations.readMany(
      accountId,
      answers.flatMap(message => message.generationId ?? []),
    ),
    artifacts.listByMessages(
      accountId,
      answers.map(message => message.id),
    ),
  ])
  const runById = new Map(runs.map(run => [run.id, presentGeneration(run)]))
  return rows.map(message => ({
    ...message,
    generation: (message.generationId && runById.get(message.generationId)) || null,
    artifacts: made.get(message.id) ?? [],
  }))
}

async function remove(
  { db, generations, artifacts }: ConversationsDeps,
  accountId: string,
  id: string,
): Promise<{ deletedArtifacts: number }> {
  if (!isId(id) || !(await readConversation(db, accountId, id))) refuse()
  for (const generationId of await listRunning(db, accountId, id))
    await generations.cancel(accountId, generationId)
  const deletedArtifacts = await artifacts.countIn(accountId, id)
  await artifacts.removeConversation(accountId, id)
  if (!(await deleteConversation(db, accountId, id))) refuse()
  return { deletedArtifacts }
}

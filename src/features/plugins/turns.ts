import { AppError, missing } from '../../lib/errors.ts'
import { isId, newId } from '../../lib/ids.ts'
import type { Database } from '../../platform/database/index.ts'
import type { Generations, Started, StartRequest } from '../generations/index.ts'
import { finalizeText } from './prompt.ts'
import { type Plugin, readPlugin } from './store.ts'
import {
  dropTurn,
  endDeadTurn,
  insertRun,
  openTurn,
  type Purpose,
  readTurn,
  readTurnByKey,
  type Turn,
} from './store-turns.ts'

export interface TurnDeps {
  db: Database
  generations: Generations
}

/** How a turn is asked for: settings of its generation, and the client's own name for it. */
export type TurnRequest = Omit<StartRequest, 'kind' | 'message' | 'conversationId'> & { pluginId: string }

/** A turn with its first generation, as `generations.start` gives it. */
export interface StartedTurn extends Started {
  turnId: string
  message: string
}

/** A plugin of the account. Throws AppError missing. */
export async function readOwn(db: Database, accountId: string, id: string): Promise<Plugin> {
  const plugin = isId(id) ? await readPlugin(db, accountId, id) : null
  if (!plugin) throw missing('Plugin')
  return plugin
}

/** Says something to the model about a plugin. Throws AppError conflict TURN_IN_PROGRESS while it is being written. */
export function sendMessage(
  deps: TurnDeps,
  request: TurnRequest & { message: string },
): Promise<StartedTurn> {
  return begin(deps, request, 'draft')
}

/**
 * Asks for the finished plugin. Whoever asks while that is being written joins it: two windows make one final version.
 * Throws AppError conflict NOTHING_TO_FINALIZE before the first message.
 */
export function finalize(deps: TurnDeps, request: TurnRequest): Promise<StartedTurn> {
  return begin(deps, { ...request, message: finalizeText }, 'final')
}

async function begin(
  deps: TurnDeps,
  request: TurnRequest & { message: string },
  purpose: Purpose,
): Promise<StartedTurn> {
  const { db } = deps
  const { pluginId, accountId, idempotencyKey = null } = request
  const plugin = await readOwn(db, accountId, pluginId)
  const before = idempotencyKey === null ? null : await readTurnByKey(db, accountId, idempotencyKey)
  if (before) return start(deps, { request, plugin, turnId: before.id })
  const hasNothing = purpose === 'final' && plugin.messageCount === 0 && plugin.versionCount === 0
  // While a turn is open, its question may be on its way to the disk.
  if (hasNothing && !plugin.openTurn) throw nothingToFinalize()
  await endDeadTurn(db, plugin.id)
  const turnId = newId()
  if (!(await openTurn(db, { id: turnId, pluginId: plugin.id, accountId, purpose, idempotencyKey }))) {
    return join(deps, { request, plugin, purpose })
  }
  try {
    if (hasNothing) throw nothingToFinalize()
    return await start(deps, { request, plugin, turnId })
  } catch (error) {
    await dropTurn(db, turnId)
    throw error
  }
}

interface Beginning {
  request: TurnRequest & { message: string }
  plugin: Plugin
  turnId: string
}

async function start(
  { db, generations }: TurnDeps,
  { request, plugin, turnId }: Beginning,
): Promise<StartedTurn> {
  const { pluginId, ...asked } = request
  const { conversationId } = plugin
  const started = await generations.start({ ...asked, kind: 'plugin', conversationId })
  const { generation, messageId, replyId } = started
  await insertRun(db, { turnId, attempt: 0, generationId: generation.id, messageId, replyId })
  return { ...started, turnId, message: request.message }
}

const joinTries = 20
const joinEveryMs = 100

/** What a second caller gets while a turn is open: the same one if both finalize, or used the same key. */
async function join(
  deps: TurnDeps,
  { request, plugin, purpose }: Omit<Beginning, 'turnId'> & { purpose: Purpose },
): Promise<StartedTurn> {
  const { db, generations } = deps
  const { accountId, idempotencyKey } = request
  for (let attempt = 0; attempt < joinTries; attempt++) {
    const same = idempotencyKey === undefined ? null : await readTurnByKey(db, accountId, idempotencyKey)
    if (same) return start(deps, { request, plugin, turnId: same.id })
    const { openTurn: open } = await readOwn(db, accountId, plugin.id)
    // It has ended right now: the way is free.
    if (!open) return begin(deps, request, purpose)
    if (purpose !== 'final' || open.purpose !== 'final') break
    const [first] = open.generationIds
    if (first) {
      const generation = await generations.read(accountId, first)
      const { conversationId, messageId, replyId } = generation
      return {
        generation,
        turnId: open.id,
        message: request.message,
        conversationId: conversationId ?? plugin.conversationId,
        messageId: messageId ?? '',
        replyId: replyId ?? '',
      }
    }
    // It has been claimed, but not begun yet.
    await new Promise(resolve => setTimeout(resolve, joinEveryMs))
  }
  throw new AppError(
    'conflict',
    'TURN_IN_PROGRESS',
    'This plugin is being written. Wait until that is done, or stop it.',
  )
}

function nothingToFinalize(): AppError {
  return new AppError('conflict', 'NOTHING_TO_FINALIZE', 'Say first what the plugin should do')
}

const waitEveryMs = 150

/** Resolves with a turn when it has ended, repairs included, or when the signal says that nobody waits any more. */
export async function waitForTurn(
  { db, generations }: TurnDeps,
  { accountId, turnId, signal }: { accountId: string; turnId: string; signal?: AbortSignal | undefined },
): Promise<Turn> {
  for (;;) {
    const turn = isId(turnId) ? await readTurn(db, accountId, turnId) : null
    if (!turn) throw missing('Turn')
    if (turn.outcome !== 'open' || signal?.aborted) return turn
    const last = turn.generationIds.at(-1)
    if (last) await generations.wait(accountId, last, signal)
    await new Promise(resolve => setTimeout(resolve, waitEveryMs))
    await endDeadTurn(db, turn.pluginId)
  }
}

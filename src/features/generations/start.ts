import { AppError, invalidField, missing } from '../../lib/errors.ts'
import { isId, newId } from '../../lib/ids.ts'
import type { Payment } from '../billing/index.ts'
import type { Engine } from './engine.ts'
import { idempotencyOf, once } from './idempotency.ts'
import { launch } from './launch.ts'
import { decidePayer } from './payers.ts'
import type { AgainRequest, Started, StartRequest } from './requests.ts'
import { defaultSettings, type Settings } from './schema.ts'
import { type Generation, readStoredLog } from './store.ts'
import { type AgainTurn, insertContinuation, insertRegeneration } from './store-again.ts'
import { insertFirstTurn, insertLoneRun, insertTurn, type Turn } from './store-turns.ts'

/** The settings that a request names; the others are left out, so that they do not hide a default. */
function given(request: Partial<Settings>): Partial<Settings> {
  const { temperature, topK, topP, maxOutputTokens, onDisconnect, fallbackModels } = request
  const { notBefore, attributes } = request
  const settings = {
    ...{ temperature, topK, topP, maxOutputTokens, onDisconnect, fallbackModels },
    ...{ notBefore, attributes },
  }
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

function refuseWhenClosing(engine: Engine): void {
  if (engine.isClosing) {
    throw new AppError('unavailable', 'SHUTTING_DOWN', 'The server is restarting; try again in a moment', {
      retryAfterSeconds: 2,
    })
  }
}

/** Stores a question with its empty reply, and begins to answer it. */
export async function start(engine: Engine, request: StartRequest): Promise<Started> {
  refuseWhenClosing(engine)
  const recipe = engine.recipes.get(request.kind)
  if (!recipe) throw invalidField('kind', 'is not a known kind of generation')
  if (request.conversationId !== undefined && !isId(request.conversationId)) throw missing('Conversation')
  if (!request.message.isWellFormed()) throw invalidField('message', 'must be well-formed Unicode')
  const { accountId, kind, message, conversationId, isCounted = true } = request
  const settings = { ...defaultSettings, ...given(request) }
  const { model, hold } = await decidePayer(engine, { accountId, model: request.model, settings, isCounted })
  const turn: Turn = {
    generationId: newId(),
    accountId,
    kind,
    conversationId: conversationId ?? newId(),
    messageId: newId(),
    replyId: newId(),
    message,
    model: model.id,
    settings,
    runner: request.asJob ? null : engine.self,
    idempotency: idempotencyOf(request, [kind, message, conversationId ?? null]),
    hold,
  }
  return once(engine, turn, async () => {
    const title = conversationId === undefined ? recipe.title(message) : null
    const { begun, stored } =
      title === null
        ? insertTurn(engine.db, turn, recipe.conversationKind)
        : insertFirstTurn(engine.db, turn, { kind: recipe.conversationKind, title })
    const row = await begun
    if (!row) throw missing('Conversation')
    const { recent, ...run } = row
    const generation = freshGeneration({ ...turn, ...run, id: turn.generationId, replyOffset: 0 })
    // A model is asked while the question goes to the disk; not by a job, nor before it is known to be asked once.
    if (generation.isJob || turn.idempotency) await stored
    await launch(engine, { generation, model, recipe, title, prefix: '', recent, stored })
    await stored
    return {
      generation,
      conversationId: turn.conversationId,
      messageId: turn.messageId,
      replyId: turn.replyId,
    }
  })
}

type Fresh = Pick<
  Generation,
  | 'id'
  | 'accountId'
  | 'kind'
  | 'conversationId'
  | 'messageId'
  | 'replyId'
  | 'model'
  | 'settings'
  | 'replyOffset'
  | 'createdAt'
  | 'holdMicroCredits'
> & { runner: string | null; hold: Payment }

function freshGeneration(fresh: Fresh): Generation {
  const isJob = fresh.runner === null
  const { id, accountId, kind, conversationId, messageId, replyId, model, settings } = fresh
  const { replyOffset, createdAt, holdMicroCredits } = fresh
  return {
    ...{ id, accountId, kind, conversationId, messageId, replyId, model, settings, replyOffset, createdAt },
    holdMicroCredits,
    keyId: 'keyId' in fresh.hold ? fresh.hold.keyId : null,
    status: isJob ? 'queued' : 'running',
    isJob,
    attempts: isJob ? 0 : 1,
    finishReason: null,
    inputTokens: null,
    outputTokens: null,
    cachedInputTokens: null,
    usageEstimated: false,
    costMicroCredits: 0,
    error: null,
    lastSeq: 0,
    startedAt: isJob ? null : createdAt,
    finishedAt: null,
  }
}

/** Answers the last question once more, or goes on with the last answer. */
export async function again(
  engine: Engine,
  request: AgainRequest,
  how: 'regenerate' | 'continue',
): Promise<Started> {
  refuseWhenClosing(engine)
  const earlier = isId(request.generationId)
    ? await readStoredLog(engine.db, request.generationId, request.accountId)
    : null
  if (!earlier?.replyId) throw missing('Generation')
  const recipe = engine.recipes.get(earlier.kind)
  if (!recipe) throw missing('Generation')
  if (how === 'continue') refuseWhole(earlier)
  const prefix = how === 'continue' ? earlier.content : ''
  const settings = { ...earlier.settings, ...given(request) }
  const { accountId } = request
  // Going on is the same message; answering once more is another.
  const wish = { accountId, model: request.model ?? earlier.model, settings, isCounted: how === 'regenerate' }
  const { model, hold } = await decidePayer(engine, wish)
  const turn: AgainTurn = {
    generationId: newId(),
    accountId,
    earlierId: earlier.id,
    replyId: how === 'continue' ? earlier.replyId : newId(),
    model: model.id,
    settings,
    runner: request.asJob ? null : engine.self,
    replyOffset: prefix.length,
    idempotency: idempotencyOf(request, [how, earlier.id]),
    hold,
  }
  return once(engine, turn, async () => {
    const insert = how === 'continue' ? insertContinuation : insertRegeneration
    const row = await insert(engine.db, turn)
    if (!row) throw notTheLast()
    const generation = freshGeneration({ ...turn, ...row, id: turn.generationId })
    await launch(engine, { generation, model, recipe, title: null, prefix })
    return { generation, conversationId: row.conversationId, messageId: row.messageId, replyId: turn.replyId }
  })
}

function notTheLast(): AppError {
  const rule = 'Only the last answer can be done again, and only when it has ended'
  return new AppError('conflict', 'NOT_THE_LAST_ANSWER', rule)
}

function refuseWhole(earlier: Generation): void {
  const isCut = ['interrupted', 'cancelled'].includes(earlier.status) || earlier.finishReason === 'length'
  if (!isCut)
    throw new AppError(
      'conflict',
      'NOTHING_TO_CONTINUE',
      'This answer is complete; there is nothing to continue',
    )
}

/** Runs a model for a conversation without a question or a reply; observers of its kind use the text. */
export async function startAlone(
  engine: Engine,
  request: { accountId: string; kind: string; conversationId: string; model?: string },
): Promise<Generation> {
  refuseWhenClosing(engine)
  const { accountId, kind, conversationId } = request
  const recipe = engine.recipes.get(kind)
  if (!recipe) throw invalidField('kind', 'is not a known kind of generation')
  const settings = { ...defaultSettings, temperature: 0.2, maxOutputTokens: 2048 }
  const wish = { accountId, model: request.model, settings, isCounted: false }
  const { model, hold } = await decidePayer(engine, wish)
  const run = {
    generationId: newId(),
    accountId,
    kind,
    conversationId,
    model: model.id,
    settings,
    runner: engine.self,
    hold,
  }
  const stored = await engine.billing.explaining(accountId, () => insertLoneRun(engine.db, run))
  if (!stored) throw missing('Conversation')
  const fresh = { ...run, ...stored, id: run.generationId, messageId: null, replyId: null, replyOffset: 0 }
  const generation = freshGeneration(fresh)
  await launch(engine, { generation, model, recipe, title: null, prefix: '' })
  return generation
}

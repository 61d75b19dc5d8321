import { setTimeout as sleep } from 'node:timers/promises'
import { toAppError } from '../../lib/errors.ts'
import type { Endings } from './endings.ts'
import type { ObserverFactory, Prompt, PromptLimits, Recipe } from './recipes.ts'
import { type RelayDeps, relay } from './relay.ts'
import { type Run, RunLost, RunStopped } from './run.ts'
import type { Status } from './schema.ts'
import { crashSpan } from './schema.ts'
import type { StoredLog } from './store.ts'
import type { Ending } from './store-endings.ts'
import { putBack } from './store-jobs.ts'

export interface ExecuteDeps extends RelayDeps {
  endings: Endings
  isClosing: boolean
}

export interface Execution {
  run: Run
  recipe: Recipe
  observers: readonly ObserverFactory[]
  title: string | null
  /** The newest messages of its conversation where they are known. */
  recent: PromptLimits['recent']
  /** Whether another attempt follows when this one fails; then a failure is not an end. */
  mayTryAgain?: boolean
}

/**
 * Runs one generation from prompt to stored end, and gives what is stored; null when that is not known here. Never
 * throws: whatever happens is the generation's end.
 */
export async function execute(deps: ExecuteDeps, execution: Execution): Promise<StoredLog | null> {
  const { run } = execution
  begin(execution)
  let prompt: Prompt | null = null
  let thrown: unknown = null
  try {
    const outputTokens = Math.min(run.generation.settings.maxOutputTokens, run.model.maxOutputTokens)
    const budgetTokens = Math.max(256, run.model.contextTokens - outputTokens)
    prompt = await execution.recipe.prompt(run.generation, { budgetTokens, recent: execution.recent })
    await relay(deps, run, prompt)
  } catch (error) {
    if (!(await isStored(run))) return leave(deps, run)
    thrown = error ?? new Error('stopped')
    report(deps, run, error)
  }
  if (thrown instanceof RunLost) {
    deps.log.warn({ generationId: run.generationId }, 'a generation is run by another process now')
    return leave(deps, run)
  }
  const isAgain = execution.mayTryAgain === true && isWorthAnotherAttempt(run, thrown)
  await tellObservers(deps, run, isAgain ? 'queued' : run.outcome(thrown))
  if (isAgain) {
    await persist(deps, run.generationId, () => putBack(deps.db, run.progress()))
    run.abandon()
    return null
  }
  const ending = run.ending(thrown, prompt)
  const finishedAt = await persist(deps, run.generationId, () => deps.endings.save(ending))
  if (finishedAt === null) {
    deps.log.warn({ generationId: run.generationId }, 'a generation had already ended')
    // What is stored is the truth, so that is what readers are told.
    run.abandon()
    return null
  }
  run.finish(ending)
  return finishedAt ? storedAs(run, ending, finishedAt) : null
}

/** Whether the generation came to be; whoever asked for one that did not was told why. */
function isStored(run: Run): Promise<boolean> {
  return run.stored.then(
    () => true,
    () => false,
  )
}

/** Leaves a run to the process that has it now, or to nobody. */
async function leave(deps: ExecuteDeps, run: Run): Promise<null> {
  await tellObservers(deps, run, 'queued')
  run.abandon()
  return null
}

/** A generation as it is stored once its end is. */
function storedAs({ generation, key }: Run, ending: Ending, finishedAt: Date): StoredLog {
  const keyId = key?.id ?? null
  const { status, finishReason, model, costMicroCredits, error, lastSeq, content, usage } = ending
  return {
    ...generation,
    keyId,
    ...{ status, finishReason, model, costMicroCredits, error, lastSeq, content, finishedAt },
    inputTokens: usage?.inputTokens ?? null,
    outputTokens: usage?.outputTokens ?? null,
    cachedInputTokens: usage?.cachedInputTokens ?? null,
    usageEstimated: usage?.isEstimated ?? false,
    marks: [...ending.marks],
  }
}

/** A job is tried again after trouble upstream, after a bug, and when its process must stop; never when it was cancelled. */
function isWorthAnotherAttempt(run: Run, thrown: unknown): boolean {
  if (thrown instanceof RunStopped) return thrown.status === 'interrupted'
  return thrown === null ? run.wasCut : toAppError(thrown).isRetryable
}

function begin({ run, observers, title }: Execution): void {
  const { id, conversationId, messageId, replyId, model, replyOffset, attempts, lastSeq } = run.generation
  if (attempts > 1) {
    // Times the attempts: one that died before its first checkpoint has moved its readers, but not `lastSeq`.
    run.emit({ type: 'generation-restart', span: lastSeq + crashSpan * attempts, attempt: attempts })
  }
  run.emit({
    type: 'generation-start',
    generationId: id,
    conversationId,
    messageId,
    replyId,
    model,
    title,
    replyOffset,
  })
  for (const create of observers) {
    const observer = create(run)
    if (observer) run.observers.push(observer)
  }
}

function report(deps: ExecuteDeps, run: Run, thrown: unknown): void {
  if (run.controller.signal.aborted) return
  const error = toAppError(thrown)
  const fields = { generationId: run.generationId, model: run.model.id, code: error.code }
  if (error.kind === 'internal') deps.log.error({ ...fields, err: error.cause }, 'a generation hit a bug')
  else deps.log.warn(fields, 'a generation ended early')
}

async function tellObservers(deps: ExecuteDeps, run: Run, status: Status): Promise<void> {
  for (const observer of run.observers) {
    try {
      await observer.end({ status, text: run.text })
    } catch (err) {
      deps.log.error({ generationId: run.generationId, err }, 'an observer of a generation failed')
    }
  }
}

/** Five minutes, and when the process must stop sixteen seconds. */
const persistTries = 65
const persistTriesWhenClosing = 8

/** Stores how a run went, through losses of the database; after that the reaper finds the last checkpoint. */
async function persist<T>(
  deps: ExecuteDeps,
  generationId: string,
  write: () => Promise<T>,
): Promise<T | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write()
    } catch (err) {
      if (attempt >= (deps.isClosing ? persistTriesWhenClosing : persistTries)) {
        deps.log.error({ generationId, err }, 'the end of a generation could not be stored')
        return undefined
      }
      await sleep(Math.min(100 * 2 ** attempt, 5000))
    }
  }
}

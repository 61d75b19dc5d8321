import type { AppError } from '../../lib/errors.ts'
import type { Job } from '../../platform/queue/index.ts'
import { giveUp, type ProviderLimiters, runJob } from './attempt.ts'
import { createBreakers } from './breakers.ts'
import { startCheckpoints } from './checkpoints.ts'
import { createEndings } from './endings.ts'
import type { Engine, GenerationsDeps, Rescuer } from './engine.ts'
import { type FollowRequest, follow, poll, readJobState, readOwn, wait } from './follow.ts'
import type { ObserverFactory, Recipe } from './recipes.ts'
import { recoverOrphans, runnerName } from './recovery.ts'
import type { AgainRequest, StartRequest } from './requests.ts'
import { createSharedLogs } from './shared-logs.ts'
import { again, start, startAlone } from './start.ts'
import { cancel, cancelAll, close, listenForCancels } from './stop.ts'
import { readGenerations } from './store.ts'

export type { ProviderLimiters } from './attempt.ts'
export { deliver, submission, untilReaderGone } from './deliver.ts'
export type { GenerationsDeps } from './engine.ts'
export { failureOf } from './failure.ts'
export { presentGeneration } from './present.ts'
export { estimateTokens } from './prices.ts'
export type { ObservedRun, ObserverFactory, Prompt, PromptLimits, Recipe, RunObserver } from './recipes.ts'
export type { Started, StartRequest } from './requests.ts'
export type { Generation } from './store.ts'

export type Generations = ReturnType<typeof createGenerations>

/** Runs models for accounts: start, follow from any position, cancel; each run reaches exactly one end. */
export function createGenerations(deps: GenerationsDeps) {
  const engine: Engine = {
    ...deps,
    self: runnerName(),
    runs: new Map(),
    recipes: new Map(),
    observers: [],
    breakers: createBreakers(),
    endings: createEndings(deps.db),
    sharedLogs: createSharedLogs(deps.db),
    rescuers: [],
    isClosing: false,
  }
  const checkpoints = startCheckpoints(engine)
  const listening = listenForCancels(engine)
  listening.catch(err => engine.log.warn({ err }, 'cancels from other processes are not heard'))
  return {
    /** Says how generations of a kind are prompted and titled. */
    define: (kind: string, recipe: Recipe): void => void engine.recipes.set(kind, recipe),
    /** Watches every run that begins from now on. */
    observe: (create: ObserverFactory): void => void engine.observers.push(create),
    /** Looks after answers whose process died, found by `recover`. */
    onRescued: (rescuer: Rescuer): void => void engine.rescuers.push(rescuer),
    /** Stores a question and begins to answer it. Resolves when both are promised. */
    start: (request: StartRequest) => start(engine, request),
    /** Answers the last question of a conversation once more; the earlier answer is kept. */
    regenerate: (request: AgainRequest) => again(engine, request, 'regenerate'),
    /** Goes on with an answer that was cut. */
    continue: (request: AgainRequest) => again(engine, request, 'continue'),
    /** Runs a model for a conversation without a message of it; observers of its kind use the text. */
    startAlone: (request: Parameters<typeof startAlone>[1]) => startAlone(engine, request),
    /** A generation of the account; AppError missing otherwise. */
    read: (accountId: string, id: string) => readOwn(engine, accountId, id),
    /** What the queue knows of a generation of the account; AppError missing when it was not queued. */
    readJob: (accountId: string, id: string) => readJobState(engine, accountId, id),
    queueCounts: () => engine.queue.counts(),
    readMany: (accountId: string, ids: readonly string[]) => readGenerations(deps.db, accountId, ids),
    /** Events after a position until the end, live or stored. Throws before the first event when it is not there. */
    follow: (request: FollowRequest) => follow(engine, request),
    /** Events after a position, as far as there are any now. */
    poll: (accountId: string, id: string, after: number) => poll(engine, accountId, id, after),
    /** Resolves with the generation and its whole reply when it has ended. */
    wait: (accountId: string, id: string, signal?: AbortSignal) => wait(engine, { accountId, id, signal }),
    /** Stops a run; its text stays. A generation that has ended is returned as it is. */
    cancel: (accountId: string, id: string) => cancel(engine, accountId, id),
    /** Stops every run of an account, for example when it is deleted. */
    cancelAll: (accountId: string) => cancelAll(engine, accountId),
    /** Ends what died with another process. Called at start and now and then. */
    recover: () => recoverOrphans(engine),
    /** One attempt of a queued generation, for the worker that got it. */
    attempt: (job: Job, limiters: ProviderLimiters) => runJob(engine, limiters, job),
    /** Ends a queued generation that the queue has given up. */
    giveUp: (id: string, error: AppError) => giveUp(engine, id, error),
    async close() {
      await close(engine, checkpoints)
      await (await listening.catch(() => null))?.()
    },
  }
}

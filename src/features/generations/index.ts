import { startCheckpoints } from './checkpoints.ts'
import type { Engine, GenerationsDeps } from './engine.ts'
import { type FollowRequest, follow, poll, readOwn, wait } from './follow.ts'
import type { ObserverFactory, Recipe } from './recipes.ts'
import { recoverOrphans, runnerName } from './recovery.ts'
import { type AgainRequest, again, type StartRequest, start } from './start.ts'
import { cancel, cancelAll, close } from './stop.ts'
import { readGenerations } from './store.ts'

export type { GenerationsDeps } from './engine.ts'
export { presentGeneration } from './present.ts'
export { estimateTokens } from './prices.ts'
export type { ObservedRun, ObserverFactory, Prompt, Recipe, RunObserver } from './recipes.ts'
export type { Started, StartRequest } from './start.ts'
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
    isClosing: false,
  }
  const checkpoints = startCheckpoints(engine)
  return {
    /** Says how generations of a kind are prompted and titled. */
    define: (kind: string, recipe: Recipe): void => void engine.recipes.set(kind, recipe),
    /** Watches every run that begins from now on. */
    observe: (create: ObserverFactory): void => void engine.observers.push(create),
    /** Stores a question and begins to answer it. Resolves when both are promised. */
    start: (request: StartRequest) => start(engine, request),
    /** Answers the last question of a conversation once more; the earlier answer is kept. */
    regenerate: (request: AgainRequest) => again(engine, request, 'regenerate'),
    /** Goes on with an answer that was cut. */
    continue: (request: AgainRequest) => again(engine, request, 'continue'),
    /** A generation of the account; AppError missing otherwise. */
    read: (accountId: string, id: string) => readOwn(engine, accountId, id),
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
    recover: () => recoverOrphans(deps.db, engine.self),
    close: () => close(engine, checkpoints),
  }
}

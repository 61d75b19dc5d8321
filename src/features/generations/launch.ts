import type { CatalogueModel } from '../../platform/models/index.ts'
import type { Engine } from './engine.ts'
import { type Execution, execute } from './execute.ts'
import type { Recipe } from './recipes.ts'
import { Run } from './run.ts'
import type { Generation } from './store.ts'

/** A generation that is stored, or about to be, with what its run needs. */
export interface Launch {
  generation: Generation
  model: CatalogueModel
  recipe: Recipe
  /** Title of the conversation that it begins, if it does. */
  title: string | null
  /** What the reply holds already. */
  prefix: string
  /** The newest messages of its conversation where the start has read them. */
  recent?: Execution['recent']
  /** Whether another attempt follows when this one fails. */
  mayTryAgain?: boolean
  /** Settles when it is known whether the generation is stored; it is already where this is missing. */
  stored?: Promise<void>
}

/** Begins to run a stored generation: here at once, or as a job by whichever worker is free. */
export async function launch(engine: Engine, job: Launch): Promise<void> {
  if (job.generation.isJob) await enqueue(engine, job.generation)
  else runHere(engine, job)
}

/** Puts a job into the queue. When the queue cannot be reached the row waits, and is added when it can. */
export async function enqueue(
  engine: Engine,
  { id, accountId }: Pick<Generation, 'id' | 'accountId'>,
): Promise<void> {
  try {
    await engine.queue.add({ id, group: accountId })
  } catch (err) {
    engine.log.warn({ generationId: id, err }, 'a job could not be queued yet; it is tried again')
  }
}

/** Runs a generation in this process; its end can be awaited at `done`. */
export function runHere(engine: Engine, job: Launch): Run {
  const { generation, recipe, title, recent = null, mayTryAgain = false, stored } = job
  const { observers } = engine
  const run = new Run(generation, job.model, engine.events.open(generation.id), job.prefix)
  const enlist = () => void engine.runs.set(run.generationId, run)
  if (stored) {
    run.stored = stored
    // Nothing can be asked of it before: nobody knows it, and it has no row to keep alive.
    stored.then(enlist, error => run.controller.abort(error))
  } else enlist()
  run.done = execute(engine, { run, recipe, observers, title, recent, mayTryAgain }).then(end => {
    engine.runs.delete(run.generationId)
    return end
  })
  return run
}

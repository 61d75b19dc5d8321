import { setTimeout as sleep } from 'node:timers/promises'
import { toAppError } from '../../lib/errors.ts'
import type { Database } from '../../platform/database/index.ts'
import type { Models } from '../../platform/models/index.ts'
import type { ObserverFactory, Prompt, Recipe } from './recipes.ts'
import type { Run } from './run.ts'
import { type Ending, saveEnding } from './store.ts'
import { type Deadlines, upstream } from './upstream.ts'

/** The little of a logger that the engine uses. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface ExecuteDeps {
  db: Database
  models: Models
  deadlines: Deadlines
  log: Log
}

export interface Execution {
  run: Run
  recipe: Recipe
  observers: readonly ObserverFactory[]
  title: string | null
}

/** Runs one generation from prompt to stored end. Never throws: whatever happens is the generation's end. */
export async function execute(deps: ExecuteDeps, execution: Execution): Promise<void> {
  const { run } = execution
  begin(execution)
  let prompt: Prompt | null = null
  let thrown: unknown = null
  try {
    const { settings } = run.generation
    const budgetTokens = Math.max(256, run.model.contextTokens - settings.maxOutputTokens)
    prompt = await execution.recipe.prompt(run.generation, budgetTokens)
    await relay(deps, run, prompt)
  } catch (error) {
    thrown = error ?? new Error('stopped')
    report(deps, run, error)
  }
  await tellObservers(deps, run, run.ending(thrown, prompt))
  const ending = run.ending(thrown, prompt)
  await keep(deps, ending)
  run.finish(ending)
}

function begin({ run, observers, title }: Execution): void {
  const { id, conversationId, messageId, replyId, replyOffset, model } = run.generation
  const ids = { generationId: id, conversationId, messageId, replyId }
  // A reader that joins a continued answer must know how much of the reply was there before this run's text.
  const goingOn = replyOffset > 0 ? { replyOffset } : {}
  run.emit({ type: 'generation-start', ...ids, model, title, ...goingOn })
  for (const create of observers) {
    const observer = create(run)
    if (observer) run.observers.push(observer)
  }
}

async function relay(deps: ExecuteDeps, run: Run, prompt: Prompt): Promise<void> {
  const { temperature, topK, topP, maxOutputTokens } = run.generation.settings
  const parts = upstream({
    adapter: deps.models.adapterOf(run.model),
    request: {
      model: run.model.name,
      ...prompt,
      temperature,
      topK,
      topP,
      maxOutputTokens: Math.min(maxOutputTokens, run.model.maxOutputTokens),
    },
    deadlines: deps.deadlines,
    signal: run.controller.signal,
    onRetry: (error, attempt) => {
      deps.log.warn(
        { generationId: run.generationId, code: error.code, attempt },
        'asking the provider again',
      )
    },
  })
  for await (const batch of parts) run.take(batch)
}

function report(deps: ExecuteDeps, run: Run, thrown: unknown): void {
  if (run.controller.signal.aborted) return
  const error = toAppError(thrown)
  const fields = { generationId: run.generationId, model: run.model.id, code: error.code }
  if (error.kind === 'internal') deps.log.error({ ...fields, err: error.cause }, 'a generation hit a bug')
  else deps.log.warn(fields, 'a generation ended early')
}

async function tellObservers(deps: ExecuteDeps, run: Run, ending: Ending): Promise<void> {
  for (const observer of run.observers) {
    try {
      await observer.end({ status: ending.status, text: run.text })
    } catch (err) {
      deps.log.error({ generationId: run.generationId, err }, 'an observer of a generation failed')
    }
  }
}

const keepTries = 8

/** Stores the end, through short losses of the database; after that the reaper finds the last checkpoint. */
async function keep(deps: ExecuteDeps, ending: Ending): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const isOurs = await saveEnding(deps.db, ending)
      if (!isOurs) deps.log.warn({ generationId: ending.generationId }, 'a generation had already ended')
      return
    } catch (err) {
      if (attempt === keepTries) {
        deps.log.error(
          { generationId: ending.generationId, err },
          'the end of a generation could not be stored',
        )
        return
      }
      await sleep(Math.min(100 * 2 ** attempt, 5000))
    }
  }
}

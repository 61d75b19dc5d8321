import { type AppError, toAppError } from '../../lib/errors.ts'
import type { CatalogueModel, Models } from '../../platform/models/index.ts'
import type { Breakers } from './breakers.ts'
import type { Prompt } from './recipes.ts'
import type { Run } from './run.ts'
import { type Deadlines, upstream } from './upstream.ts'

/** The little of a logger that the engine uses. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface RelayDeps {
  models: Models
  deadlines: Deadlines
  breakers: Breakers
  log: Log
}

/** Relays what the run's model says; a model that does not begin to answer gives way to the next fallback. */
export async function relay(deps: RelayDeps, run: Run, prompt: Prompt): Promise<void> {
  const fallbacks = [...(run.generation.settings.fallbackModels ?? [])]
  for (;;) {
    try {
      await relayModel(deps, run, prompt)
      return
    } catch (thrown) {
      const next = fallbacks.shift()
      if (next === undefined || run.hasOutput || run.controller.signal.aborted || !isProviders(thrown))
        throw thrown
      run.switchTo(deps.models.find(next))
      deps.log.warn({ generationId: run.generationId, model: next }, 'falling back to another model')
    }
  }
}

/** Whether it is the provider's trouble, so that another provider may do better. */
function isProviders(thrown: unknown): boolean {
  const { kind } = toAppError(thrown)
  return kind === 'upstream' || kind === 'unavailable'
}

async function relayModel(deps: RelayDeps, run: Run, prompt: Prompt): Promise<void> {
  const { model } = run
  const breaker = deps.breakers.of(model.provider)
  breaker.check()
  try {
    await upstream({
      adapter: deps.models.adapterOf(model),
      request: requestOf(run, model, prompt),
      deadlines: deps.deadlines,
      signal: run.controller.signal,
      maxAttempts: run.generation.isJob ? 1 : 4,
      take: parts => run.take(parts),
      onRetry: (error, attempt) => tellRetry(deps, run, { error, attempt }),
    })
    breaker.succeeded()
  } catch (thrown) {
    if (!run.controller.signal.aborted) breaker.failed(toAppError(thrown))
    throw thrown
  }
}

function requestOf(run: Run, model: CatalogueModel, prompt: Prompt) {
  const { temperature, topK, topP, maxOutputTokens } = run.generation.settings
  return {
    ...prompt,
    model: model.name,
    temperature,
    topK,
    topP,
    maxOutputTokens: Math.min(maxOutputTokens, model.maxOutputTokens),
  }
}

function tellRetry(
  deps: RelayDeps,
  run: Run,
  { error, attempt }: { error: AppError; attempt: number },
): void {
  const fields = { generationId: run.generationId, code: error.code, attempt }
  deps.log.warn(fields, 'asking the provider again')
}

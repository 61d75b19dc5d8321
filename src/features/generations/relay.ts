import { type AppError, toAppError } from '../../lib/errors.ts'
import type { Keys } from '../keys/index.ts'
import type { Breakers } from './breakers.ts'
import { explainTrouble, openPayer, type PayersDeps, payRefused, switchModel } from './payers.ts'
import type { Prompt } from './recipes.ts'
import type { Run } from './run.ts'
import { type Deadlines, upstream } from './upstream.ts'

/** The little of a logger that the engine uses. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface RelayDeps extends PayersDeps {
  keys: Pick<Keys, 'active' | 'open' | 'noteUse'>
  deadlines: Deadlines
  breakers: Breakers
  log: Log
}

/**
 * Relays what the run's model says, at the cost of its payer. A refused key gives way to credits where its owner wants that,
 * a model that does not begin to answer to the next fallback that somebody pays for.
 */
export async function relay(deps: RelayDeps, run: Run, prompt: Prompt): Promise<void> {
  const fallbacks = [...(run.generation.settings.fallbackModels ?? [])]
  await openPayer(deps, run)
  for (;;) {
    try {
      await relayModel(deps, run, prompt)
      return
    } catch (thrown) {
      await run.stored
      if (run.hasOutput || run.controller.signal.aborted) throw thrown
      if (await payRefused(deps, run, { thrown, prompt, fallbacks })) continue
      if (!isProviders(thrown) || !(await switchToNext(deps, run, { thrown, prompt, fallbacks })))
        throw explainTrouble(run.key, thrown)
    }
  }
}

/** Goes on with the first of the fallbacks that somebody pays for; false when none is left. */
async function switchToNext(
  deps: RelayDeps,
  run: Run,
  { thrown, prompt, fallbacks }: { thrown: unknown; prompt: Prompt; fallbacks: string[] },
): Promise<boolean> {
  for (let next = fallbacks.shift(); next !== undefined; next = fallbacks.shift()) {
    if (!(await switchModel(deps, run, next, { thrown, prompt, fallbacks }))) continue
    deps.log.warn({ generationId: run.generationId, model: next }, 'falling back to another model')
    return true
  }
  return false
}

/** Whether it is the provider's trouble, so that another provider may do better. */
function isProviders(thrown: unknown): boolean {
  const { kind } = toAppError(thrown)
  return kind === 'upstream' || kind === 'unavailable'
}

async function relayModel(deps: RelayDeps, run: Run, prompt: Prompt): Promise<void> {
  const { model, key } = run
  // A breaker is for our own account at a provider: where own keys lead, and how they do, says nothing about that.
  const breaker = key ? null : deps.breakers.of(model.provider)
  breaker?.check()
  try {
    await upstream({
      adapter: deps.models.adapterOf(model),
      request: requestOf(run, prompt),
      deadlines: deps.deadlines,
      signal: run.controller.signal,
      maxAttempts: run.generation.isJob ? 1 : 4,
      mayTake: run.stored,
      take: parts => run.take(parts),
      onRetry: (error, attempt) => tellRetry(deps, run, { error, attempt }),
    })
    breaker?.succeeded()
    await noteUse(deps, run, { prompt, error: null })
  } catch (thrown) {
    const error = run.controller.signal.aborted ? null : toAppError(thrown)
    if (error) breaker?.failed(error)
    await noteUse(deps, run, { prompt, error })
    throw thrown
  }
}

/** Counts what an own key was used for; that it cannot be counted does not stop an answer. */
async function noteUse(
  deps: RelayDeps,
  run: Run,
  { prompt, error }: { prompt: Prompt; error: AppError | null },
): Promise<void> {
  if (!run.key) return
  const { inputTokens, outputTokens } = run.used(prompt) ?? { inputTokens: 0, outputTokens: 0 }
  const told = error && { code: error.code, message: error.message }
  await deps.keys
    .noteUse(run.key.id, { inputTokens, outputTokens, error: told })
    .catch(err => deps.log.warn({ generationId: run.generationId, err }, 'the use of a key was not counted'))
}

function requestOf({ generation, model, key }: Run, prompt: Prompt) {
  const { temperature, topK, topP, maxOutputTokens } = generation.settings
  return {
    ...prompt,
    model: model.name,
    temperature,
    topK,
    topP,
    maxOutputTokens: Math.min(maxOutputTokens, model.maxOutputTokens),
    ...(key ? { apiKey: key.apiKey } : {}),
    ...(key && key.baseUrl !== null ? { baseUrl: key.baseUrl } : {}),
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

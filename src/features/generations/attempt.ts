import { AppError } from '../../lib/errors.ts'
import type { Limiter } from '../../platform/cache/index.ts'
import type { Job, Postponement } from '../../platform/queue/index.ts'
import type { Engine } from './engine.ts'
import { runHere } from './launch.ts'
import { estimateTokens } from './prices.ts'
import { isKnownDead, ownProvider } from './recovery.ts'
import { isFinal } from './replay.ts'
import { type Run, RunStopped } from './run.ts'
import { crashSpan } from './schema.ts'
import type { StoredLog } from './store.ts'
import { claimJob, readJob, type TakenJob, takeNewJob } from './store-jobs.ts'

/** Calls a minute that a provider may get from jobs; providers without a limiter are not limited. */
export type ProviderLimiters = Readonly<Record<string, Limiter>>

const elsewhereMs = 3000
const goneMs = 20_000
const longestNapMs = 3_600_000

/** One attempt of one job. Throws when it failed; the queue decides whether there is another attempt. */
export async function runJob(
  engine: Engine,
  limiters: ProviderLimiters,
  job: Job,
): Promise<Postponement | undefined> {
  const limited = Object.keys(limiters)
  const taken =
    (await takeNewJob(engine.db, { id: job.id, runner: engine.self, limited })) ??
    (await takeJob(engine, limiters, job.id))
  if (!taken || 'againInMs' in taken) return taken ?? undefined
  const { recent, ...generation } = taken
  const recipe = engine.recipes.get(generation.kind)
  if (!recipe) throw new AppError('invalid', 'UNKNOWN_KIND', 'No feature makes generations of this kind')
  const run = runHere(engine, {
    generation,
    model: engine.models.find(generation.model, ownProvider(generation)),
    recipe,
    title: null,
    prefix: generation.content.slice(0, generation.replyOffset),
    recent,
    mayTryAgain: job.attempt < job.maxAttempts,
  })
  // A queue that forgot the job (Redis was wiped) is no reason to stop: who may run it is decided by the claim.
  const stop = () => {
    if (!wasForgotten(job)) run.controller.abort(new RunStopped('interrupted', 'this process must stop'))
  }
  job.signal.addEventListener('abort', stop, { once: true })
  const telling = tellProgress(job, run)
  let ended: StoredLog | null
  try {
    ended = await run.done
  } finally {
    clearInterval(telling)
    job.signal.removeEventListener('abort', stop)
  }
  if (job.signal.aborted && !wasForgotten(job)) throw job.signal.reason
  refuseFailure(ended ?? (await readJob(engine.db, job.id)))
  return undefined
}

/** Takes a job that is not simply new: for another attempt, from a dead process, of a limited provider, or not yet. */
async function takeJob(
  engine: Engine,
  limiters: ProviderLimiters,
  id: string,
): Promise<TakenJob | Postponement | null> {
  const stored = await readJob(engine.db, id)
  if (!stored || isFinal(stored.status)) return null
  const deadRunner = stored.status === 'running' ? deadOf(stored) : null
  if (stored.status === 'running' && deadRunner === null) {
    return { againInMs: elsewhereMs, reason: 'another process runs it' }
  }
  const earlyMs = Date.parse(stored.settings.notBefore ?? '') - Date.now()
  if (earlyMs > 0) return { againInMs: Math.min(earlyMs, longestNapMs), reason: 'scheduled for later' }
  const model = engine.models.find(stored.model, ownProvider(stored))
  // What its own key pays for is no matter of our limit at the provider.
  const wait = stored.keyId === null ? await limitOf(limiters, model.provider) : null
  if (wait) return wait
  const prefix = stored.content.slice(0, stored.replyOffset)
  const claim = await claimJob(engine.db, { id, runner: engine.self, deadRunner, prefix })
  if (!claim) return { againInMs: elsewhereMs, reason: 'another process was faster' }
  return { ...stored, ...claim, status: 'running', recent: null }
}

const tellEveryMs = 1000

/** Tells the queue now and then how much of the longest possible answer is written. */
function tellProgress(job: Job, run: Run): NodeJS.Timeout {
  const { maxOutputTokens } = run.generation.settings
  return setInterval(() => {
    const share = estimateTokens(run.text) / maxOutputTokens
    void job.report(Math.min(99, Math.floor(share * 100))).catch(() => {})
  }, tellEveryMs).unref()
}

function wasForgotten(job: Job): boolean {
  return (job.signal.reason as { code?: string } | undefined)?.code === 'JOB_LOST'
}

/** A failure is thrown, so that the queue shows it and tries again when the generation waits for that. */
function refuseFailure(stored: StoredLog | null): void {
  if (stored?.status === 'queued') {
    throw new AppError('upstream', 'ATTEMPT_FAILED', 'This attempt failed; another follows')
  }
  if (stored?.status === 'failed') {
    const { code = 'FAILED', message = 'The generation failed' } = stored.error ?? {}
    throw new AppError('unprocessable', code, message)
  }
}

function deadOf(stored: { runner: string | null; heartbeatAt: Date | null }): string | null {
  if (stored.runner === null) return null
  const isStale = stored.heartbeatAt !== null && stored.heartbeatAt.getTime() < Date.now() - goneMs
  return isStale || isKnownDead(stored.runner) ? stored.runner : null
}

async function limitOf(limiters: ProviderLimiters, provider: string): Promise<Postponement | null> {
  const state = await limiters[provider]?.consume('all')
  if (!state || state.isAllowed) return null
  return { againInMs: Math.max(50, state.resetMs), reason: `${provider} gets no more jobs this minute` }
}

/** The queue has given up a job, after crashes for example: its generation ends as failed. */
export async function giveUp(engine: Engine, id: string, error: AppError): Promise<void> {
  const stored = await readJob(engine.db, id)
  if (!stored || isFinal(stored.status)) return
  await engine.endings.save(failedEnding(stored, error))
}

function failedEnding(stored: StoredLog, error: AppError) {
  const told = { code: error.code, message: error.message }
  const lastSeq = stored.lastSeq + crashSpan
  const end = {
    type: 'generation-end',
    span: crashSpan,
    status: 'failed',
    finishReason: null,
    error: told,
    usage: null,
    costMicroCredits: 0,
  }
  return {
    generationId: stored.id,
    attempts: stored.attempts,
    content: stored.content,
    model: stored.model,
    marks: [...stored.marks, { seq: lastSeq, ...end }],
    lastSeq,
    status: 'failed' as const,
    finishReason: null,
    usage: null,
    costMicroCredits: 0,
    error: told,
  }
}

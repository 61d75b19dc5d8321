import { setTimeout as sleep } from 'node:timers/promises'
import { DelayedError, UnrecoverableError } from 'bullmq'
import { AppError, toAppError } from '../../lib/errors.ts'
import {
  type Backing,
  maxAttempts,
  type StoredJob,
  type StoredWorker,
  type WorkerSettings,
} from './backing.ts'
import type { Handler, QueueLog, Worker, WorkOptions } from './index.ts'
import { GroupSlots } from './slots.ts'

/** How long a job of a group that has all it may have keeps its slot, in case that one of the group's own ends. */
const holdMs = 100
/** How long it is put off then, so that the next in the queue can be looked at. */
const putOffMs = 1000
const graceMs = 1000
const closeMs = 1000

interface WorkerParts {
  handler: Handler
  onFailed: WorkOptions['onFailed']
  log: QueueLog
}

interface Running {
  controller: AbortController
  done: Promise<unknown>
}

/** Starts a BullMQ worker that keeps the promises of the port. */
export async function startWorker(
  backing: Backing,
  settings: WorkerSettings,
  parts: WorkerParts,
): Promise<Worker> {
  const shift = new Shift(settings.concurrency, parts)
  const bull = await backing.createWorker((job, token = '') => shift.process(job, token), settings)
  const complain = quietly(error => parts.log.warn({ err: error }, 'the queue had trouble'))
  bull.on('error', complain)
  bull.on('lockRenewalFailed', ids => shift.lose(ids))
  bull.on('failed', job => {
    if (job?.deferredFailure) shift.tellStalled(job)
  })
  bull.run().catch(complain)
  return { close: ({ drainMs }) => close(bull, shift, drainMs) }
}

/** The jobs that this process has, and what happens to each. */
class Shift {
  readonly running = new Map<string, Running>()
  isStopping = false
  readonly #slots: GroupSlots
  readonly #parts: WorkerParts

  constructor(concurrency: number, parts: WorkerParts) {
    this.#slots = new GroupSlots(concurrency)
    this.#parts = parts
  }

  /** What BullMQ calls for each job; it learns from the error what to do with it. */
  async process(job: StoredJob, token: string): Promise<null> {
    if (this.isStopping) return postpone(job, token, 0)
    const { group } = job.data
    if (!(await this.#slots.take(group, holdMs))) return postpone(job, token, putOffMs)
    try {
      if (this.isStopping) return await postpone(job, token, 0)
      const controller = new AbortController()
      const done = this.#attempt(job, token, controller.signal)
      this.running.set(idOf(job), { controller, done: done.catch(() => {}) })
      return await done
    } finally {
      this.running.delete(idOf(job))
      this.#slots.free(group)
    }
  }

  async #attempt(job: StoredJob, token: string, signal: AbortSignal): Promise<null> {
    const id = idOf(job)
    const { group } = job.data
    const attempt = Math.min(maxAttempts, job.attemptsMade + job.stalledCounter + 1)
    let percent = 0
    const report = async (progress: number) => {
      percent = progress
      await job.updateProgress({ percent, reason: null })
    }
    try {
      const postponement = await this.#parts.handler({ id, group, attempt, maxAttempts, signal, report })
      if (!postponement) return null
      await job.updateProgress({ percent, reason: postponement.reason })
      return await postpone(job, token, postponement.againInMs)
    } catch (thrown) {
      if (thrown instanceof DelayedError) throw thrown
      if (this.isStopping && signal.aborted) return postpone(job, token, 0)
      throw await this.#verdict({ id, group }, thrown, attempt === maxAttempts)
    }
  }

  /** The error for BullMQ, after a failure for good was told. */
  async #verdict(job: { id: string; group: string }, thrown: unknown, isLast: boolean): Promise<Error> {
    const error = toAppError(thrown)
    const isFinal = isLast || !error.isRetryable
    const fields = {
      jobId: job.id,
      code: error.code,
      ...(error.kind === 'internal' && { err: error.cause ?? error }),
    }
    this.#parts.log.warn(fields, isFinal ? 'a job failed' : 'a job failed and is tried again')
    if (isFinal) await this.#tell(job, error)
    const reason = `${error.code}: ${error.message}`
    return isFinal ? new UnrecoverableError(reason) : new Error(reason)
  }

  async #tell(job: { id: string; group: string }, error: AppError): Promise<void> {
    try {
      await this.#parts.onFailed?.(job, error)
    } catch (err) {
      this.#parts.log.error({ jobId: job.id, err }, 'the failure of a job could not be told')
    }
  }

  /** A job whose processes died again and again is given up by BullMQ without a further attempt. */
  tellStalled(job: StoredJob): void {
    const error = new AppError(
      'internal',
      'JOB_STALLED',
      'The work was given up because its process kept stopping',
    )
    void this.#tell({ id: idOf(job), group: job.data.group }, error)
  }

  /** Another process may have these jobs now. */
  lose(ids: readonly string[]): void {
    const reason = new AppError(
      'unavailable',
      'JOB_LOST',
      'The queue no longer knows that this process has the job',
    )
    for (const id of ids) this.running.get(id)?.controller.abort(reason)
  }

  /** Resolves when nothing runs, or after a time. */
  async idle(withinMs: number): Promise<void> {
    const timer = new AbortController()
    const all = Promise.all([...this.running.values()].map(({ done }) => done))
    await Promise.race([all, sleep(withinMs, undefined, { signal: timer.signal }).catch(() => {})])
    timer.abort()
  }
}

/** Puts a job back for later, which is no attempt. */
async function postpone(job: StoredJob, token: string, ms: number): Promise<never> {
  await job.moveToDelayed(Date.now() + Math.max(0, ms), token)
  throw new DelayedError()
}

async function close(bull: StoredWorker, shift: Shift, drainMs: number): Promise<void> {
  shift.isStopping = true
  await bull.pause(true)
  await shift.idle(drainMs)
  const reason = new AppError('unavailable', 'SHUTTING_DOWN', 'This process is stopping')
  for (const { controller } of shift.running.values()) controller.abort(reason)
  await shift.idle(graceMs)
  const timer = new AbortController()
  await Promise.race([
    bull.close(shift.running.size > 0),
    sleep(closeMs, undefined, { signal: timer.signal }).catch(() => {}),
  ])
  timer.abort()
}

function idOf(job: StoredJob): string {
  return job.id ?? ''
}

/** Says the same thing once in ten seconds: a store that is away makes many errors. */
function quietly(say: (error: unknown) => void): (error: unknown) => void {
  let last = ''
  let until = 0
  return error => {
    const text = error instanceof Error ? error.message : String(error)
    if (text === last && Date.now() < until) return
    last = text
    until = Date.now() + 10_000
    say(error)
  }
}

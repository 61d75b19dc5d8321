import { AppError } from '../../lib/errors.ts'
import {
  type Backing,
  type JobNote,
  maxAttempts,
  type QueueOptions,
  type StoredJob,
  timingOf,
  workerSettings,
} from './backing.ts'
import type { JobState, JobStatus, Queue } from './index.ts'
import { startWorker } from './worker.ts'

/** BullMQ refuses higher priorities; work of later turns is done in the order it came. */
const lastTurn = 2 ** 21 - 1

const answerMs = 5_000

/** The port over BullMQ on any of its backends. */
export function createQueue(backing: Backing, options: QueueOptions): Queue {
  const { queue } = backing
  const asked = async <Result>(work: Promise<Result>): Promise<Result> => {
    try {
      return await within(work, answerMs)
    } catch (error) {
      throw backing.translate(error)
    }
  }

  return {
    async add({ id, group }) {
      const turn = await asked(backing.takeTurn(group))
      await asked(queue.add('job', { group }, { jobId: id, priority: Math.min(Math.max(1, turn), lastTurn) }))
    },
    async work(handler, { concurrency, onFailed }) {
      const settings = workerSettings(timingOf(options), concurrency)
      return asked(startWorker(backing, settings, { handler, onFailed, log: options.log }))
    },
    async state(id) {
      const job = await asked(queue.getJob(id))
      if (!job) return null
      const status = statuses[await asked(job.getState())]
      if (!status) return null
      // It may have ended between the two questions.
      const isOld = (status === 'completed' || status === 'failed') && job.finishedOn === undefined
      const latest = isOld ? await asked(queue.getJob(id)) : job
      return latest ? stateOf(latest, status) : null
    },
    async counts() {
      const found = await asked(queue.getJobCounts())
      const count = (...names: string[]) => names.reduce((sum, name) => sum + (found[name] ?? 0), 0)
      return {
        waiting: count('waiting', 'wait', 'prioritized', 'paused'),
        active: count('active'),
        delayed: count('delayed'),
        completed: count('completed'),
        failed: count('failed'),
      }
    },
    async remove(id) {
      return (await asked(queue.remove(id))) === 1
    },
    forgetGroup: group => asked(backing.forgetTurns(group)),
    close: () => backing.close(),
  }
}

/** What BullMQ gives, unless it waits for a store that is away: it would do so for ever. */
export async function within<Result>(work: Promise<Result>, ms: number): Promise<Result> {
  const timer = Promise.withResolvers<never>()
  const timeout = setTimeout(() => {
    timer.reject(
      new AppError('unavailable', 'QUEUE_UNAVAILABLE', 'The queue is not available. Please try again.', {
        retryAfterSeconds: 1,
      }),
    )
  }, ms)
  try {
    return await Promise.race([work, timer.promise])
  } finally {
    clearTimeout(timeout)
  }
}

const statuses: Record<string, JobStatus> = {
  waiting: 'waiting',
  prioritized: 'waiting',
  active: 'active',
  delayed: 'delayed',
  completed: 'completed',
  failed: 'failed',
}

function stateOf(job: StoredJob, status: JobStatus): JobState {
  const note = noteOf(job)
  return {
    status,
    attempts: Math.min(maxAttempts, job.attemptsMade + job.stalledCounter + (status === 'active' ? 1 : 0)),
    maxAttempts,
    progress: status === 'completed' ? 100 : note.percent,
    reason: reasonOf(status, note, job.failedReason),
  }
}

function reasonOf(status: JobStatus, note: JobNote, failedReason: string | undefined): string | null {
  if (status === 'completed') return null
  return (status === 'failed' ? failedReason : (note.reason ?? failedReason)) ?? null
}

/** What the handler left at the job. */
function noteOf(job: StoredJob): JobNote {
  const note = job.progress
  return typeof note === 'object' && 'percent' in note
    ? (note as unknown as JobNote)
    : { percent: 0, reason: null }
}

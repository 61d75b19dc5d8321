import type { AppError } from '../../lib/errors.ts'

/** What is queued: identifiers only, never text or secrets, since the queue keeps them readable for a day. */
export interface QueuedJob {
  /** The thing to be worked on; it is queued once, however often it is added. */
  id: string
  /** Whom the work is for: groups take turns. */
  group: string
}

/** A job as its handler gets it. */
export interface Job extends QueuedJob {
  /** 1, 2, 3: the try that this is; one whose process died counts, one that was put off does not. */
  attempt: number
  maxAttempts: number
  /**
   * Aborted with an AppError: `SHUTTING_DOWN` when this process must end (the job then goes back to the queue without
   * counting), `JOB_LOST` when the queue no longer knows that this process has the job, so that another may get it.
   */
  signal: AbortSignal
  /** Tells how far the work is, 0 to 100, to whoever asks for its state. */
  report(progress: number): Promise<void>
}

/** Not now, but later; this does not count as an attempt. */
export interface Postponement {
  againInMs: number
  /** For people who look at the queue, e.g. `provider limit`. */
  reason: string
}

/**
 * Does the work. It may be called again for a job that it has done already (its process died between the work and the
 * word about it), so it looks first what is left to do. Bugs and retryable AppErrors are tried again, others fail at once.
 */
export type Handler = (job: Job) => Promise<Postponement | undefined>

export interface WorkOptions {
  /** At most so many jobs at once in this process; one group gets at most all but one of them. */
  concurrency: number
  /** Called once a job has failed for good: after its last attempt, or at once when trying again is no use. */
  onFailed?: (job: QueuedJob, error: AppError) => Promise<void>
}

export interface Worker {
  /**
   * Takes no new jobs, waits for the running ones, aborts those that take longer, and leaves them to be done again:
   * at once when they heed their signal, else when their lock has run out. Resolves within the time and two seconds.
   */
  close(options: { drainMs: number }): Promise<void>
}

export type JobStatus = 'waiting' | 'active' | 'delayed' | 'completed' | 'failed'

export interface JobState {
  status: JobStatus
  /** Tries begun so far. */
  attempts: number
  maxAttempts: number
  /** 0 to 100, as the handler told. */
  progress: number
  /** Why it failed last, or why it was put off; null when neither. */
  reason: string | null
}

export type JobCounts = Record<JobStatus, number>

/**
 * Work for later, by any process. A job that was accepted is done at least once, within three attempts, and is kept for
 * 24 hours after its end. Unless said otherwise, calls throw AppError unavailable when the store cannot be reached.
 */
export interface Queue {
  /** Resolves when the job is stored. Does nothing when a job of this id is there already, ended or not. */
  add(job: QueuedJob): Promise<void>
  /** Begins to work in this process. */
  work(handler: Handler, options: WorkOptions): Promise<Worker>
  /** Null when no job of this id is known (any more). */
  state(id: string): Promise<JobState | null>
  counts(): Promise<JobCounts>
  /** Forgets a job; false when it is being worked on, which goes on. */
  remove(id: string): Promise<boolean>
  /** Forgets whose turn it was for a group, for example when its account is erased; its jobs are removed one by one. */
  forgetGroup(group: string): Promise<void>
  /** Closes what this queue opened; workers are closed before. */
  close(): Promise<void>
}

/** The little of a logger that queues use. */
export interface QueueLog {
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

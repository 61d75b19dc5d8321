import type { Job as BullJob } from 'bullmq'
import type { QueueLog } from './index.ts'

/** What a BullMQ job carries beside its id. */
export interface JobData {
  group: string
}

/** What handlers leave at a job for those who look. */
export interface JobNote {
  percent: number
  reason: string | null
}

export type StoredJob = BullJob<JobData, null>

export type Process = (job: StoredJob, token?: string) => Promise<null>

/** The part of a BullMQ queue that is used here, the same for each of its backends. */
export interface StoredQueue {
  add(name: string, data: JobData, options: { jobId: string; priority: number }): Promise<unknown>
  getJob(id: string): Promise<StoredJob | undefined>
  getJobCounts(): Promise<Record<string, number>>
  remove(id: string): Promise<number>
}

/** The part of a BullMQ worker that is used here. */
export interface StoredWorker {
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'failed', listener: (job: StoredJob | undefined, error: Error) => void): unknown
  on(event: 'lockRenewalFailed', listener: (ids: string[]) => void): unknown
  run(): Promise<void>
  pause(doNotWaitActive: boolean): Promise<void>
  close(force: boolean): Promise<void>
}

/** One technology under the queue: BullMQ connected to it, and what BullMQ does not do there. */
export interface Backing {
  queue: StoredQueue
  /** A worker that does not run yet; rejects when it could not run. */
  createWorker(process: Process, options: WorkerSettings): Promise<StoredWorker>
  /** The group's next turn: a rising number; jobs with lower ones are done first. */
  takeTurn(group: string): Promise<number>
  /** Forgets the group's turns. */
  forgetTurns(group: string): Promise<void>
  /** Trouble with the connection as AppError unavailable, all else as it is. */
  translate(error: unknown): unknown
  /** Closes all connections, also when the store is away. */
  close(): Promise<void>
}

/** How long things take; tests make them shorter. */
export interface Timing {
  /** How long a job stays with a process that does not say anything any more. */
  lockMs: number
  /** How often is looked for jobs of such processes. A dead one's job is found after at most both together. */
  stalledCheckMs: number
  /** Before the second attempt; doubled for each further one, half of it at random. */
  backoffMs: number
}

export interface QueueOptions {
  /** Queues of different names share nothing but the store. */
  name: string
  log: QueueLog
  timing?: Partial<Timing>
}

export const maxAttempts = 3

const defaultTiming: Timing = { lockMs: 15_000, stalledCheckMs: 10_000, backoffMs: 2_000 }

export function timingOf(options: QueueOptions): Timing {
  return { ...defaultTiming, ...options.timing }
}

const keepSeconds = 24 * 60 * 60

/** What BullMQ is told about every job. */
export function jobDefaults({ backoffMs }: Timing) {
  return {
    attempts: maxAttempts,
    backoff: { type: 'exponential', delay: backoffMs, jitter: 0.5 },
    removeOnComplete: { age: keepSeconds },
    removeOnFail: { age: keepSeconds },
    // Reasons are kept, stacks are logged: they may hold what a queue must not keep.
    stackTraceLimit: 0,
  }
}

/** What BullMQ is told about every worker. */
export function workerSettings({ lockMs, stalledCheckMs }: Timing, concurrency: number) {
  return {
    concurrency,
    autorun: false,
    lockDuration: lockMs,
    stalledInterval: stalledCheckMs,
    maxStalledCount: maxAttempts - 1,
    // After a connection error: the default of 15 s would be most of what a recovery may take.
    runRetryDelay: 500,
    // How long a job may lie unseen when the word that it is there was lost with a connection.
    drainDelay: 2,
  }
}

export type WorkerSettings = ReturnType<typeof workerSettings>

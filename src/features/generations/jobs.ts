import type { Queue, Worker } from '../../platform/queue/index.ts'
import type { Generations, ProviderLimiters } from './index.ts'

export interface WorkSettings {
  /** At most so many jobs at once in this process. */
  concurrency: number
  limiters: ProviderLimiters
}

/** Begins to run queued generations in this process. */
export function workGenerations(
  generations: Generations,
  queue: Queue,
  settings: WorkSettings,
): Promise<Worker> {
  return queue.work(job => generations.attempt(job, settings.limiters), {
    concurrency: settings.concurrency,
    onFailed: (job, error) => generations.giveUp(job.id, error),
  })
}

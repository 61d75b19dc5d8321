import type { Entry, Job } from '../../features/library/index.ts'

/** Where a job is, in the four words of this API: whatever ended without a whole text has failed. */
export function presentStatus({ status }: Job): 'queued' | 'processing' | 'completed' | 'failed' {
  if (status === 'queued' || status === 'completed') return status
  return status === 'running' ? 'processing' : 'failed'
}

/** A job as it is read by its id. */
export function presentJob(job: Job) {
  const { id: jobId, contentType, prompt, scheduledFor, createdAt, finishedAt, text, error } = job
  const status = presentStatus(job)
  return {
    ...{ jobId, status, contentType, prompt, scheduledFor, createdAt },
    ...(status === 'completed' ? { generatedContent: text } : {}),
    ...(status === 'failed' ? { error: error?.message ?? 'This job was stopped.' } : {}),
    ...(finishedAt ? { completedAt: finishedAt } : {}),
  }
}

/** A job as a document of a list. */
export function presentJobDocument(userId: string, job: Job) {
  return { _id: job.id, userId, ...presentJob(job), updatedAt: job.updatedAt, __v: 0 }
}

/** A library entry as a document. */
export function presentEntry(userId: string, { id, title, type, body, createdAt, updatedAt }: Entry) {
  return { _id: id, userId, title, type, body, createdAt, updatedAt, __v: 0 }
}

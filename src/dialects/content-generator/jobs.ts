import { AppError } from '../../lib/errors.ts'
import type { DialectParts } from '../parts.ts'
import { presentEntry, presentJob, presentJobDocument, presentStatus } from './present.ts'

const delaySeconds = 5
/** How long a text usually takes once it has begun; only told, never promised. */
const usualSeconds = 10
const mostJobs = 500

/** Queues a text; its type is told back as it was sent. */
export async function generate(
  { library }: DialectParts,
  accountId: string,
  { prompt, contentType }: { prompt: string; contentType: string },
) {
  const delayMs = delaySeconds * 1000
  const { id: jobId, scheduledFor } = await library.requestContent({
    accountId,
    prompt,
    contentType,
    delayMs,
  })
  const estimatedCompletionTime = new Date(scheduledFor.getTime() + usualSeconds * 1000)
  const message = 'Content generation job queued'
  return { message, jobId, status: 'queued', delaySeconds, scheduledFor, estimatedCompletionTime }
}

export async function listJobs({ library }: DialectParts, accountId: string) {
  const { jobs } = await library.listJobs({ accountId, limit: mostJobs })
  return jobs.map(job => presentJobDocument(accountId, job))
}

export async function readJob({ library }: DialectParts, accountId: string, jobId: string) {
  return presentJob(await library.readJob(accountId, jobId))
}

/** The text of a job as a library entry; a refusal that says where the job is when it is not completed. */
export async function saveJob(
  { library }: DialectParts,
  accountId: string,
  request: { jobId: string; title?: string | undefined },
) {
  const currentStatus = presentStatus(await library.readJob(accountId, request.jobId))
  if (currentStatus !== 'completed') {
    const refusal = new AppError('invalid', 'JOB_NOT_COMPLETED', 'Job is not completed yet')
    return { refusal, currentStatus }
  }
  const entry = await library.saveResult({ accountId, ...request })
  return { message: 'Content saved successfully', content: presentEntry(accountId, entry) }
}

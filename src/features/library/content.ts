import { AppError, invalidField, missing } from '../../lib/errors.ts'
import { isId } from '../../lib/ids.ts'
import type { Database } from '../../platform/database/index.ts'
import type { Generation, Generations, Prompt } from '../generations/index.ts'
import { type JobStatus, longestPrompt } from './schema.ts'
import { deleteJobRow, type JobRow, listJobRows, readAsked, readJobRow } from './store-jobs.ts'
import { instructionsOf, type Length, lengths, templateOf, type Wishes } from './templates.ts'

export interface ContentDeps {
  db: Database
  generations: Generations
  /** Tells the account's clients at once that one of its jobs may have ended. */
  wake: (accountId: string) => void
}

/** A piece of content that is asked for, being written, or written. */
export interface Job {
  id: string
  prompt: string
  /** Exactly as the client sent it. */
  contentType: string
  /** The slug of the type that was meant. */
  type: string
  tone: string | null
  length: Length
  language: string | null
  /** `failed` also when it was cut in the middle; then `text` holds what there is. */
  status: JobStatus
  text: string
  finishReason: string | null
  error: { code: string; message: string } | null
  model: string
  generationId: string
  attempts: number
  costMicroCredits: number
  entryId: string | null
  scheduledFor: Date
  createdAt: Date
  startedAt: Date | null
  finishedAt: Date | null
  updatedAt: Date
}

export interface ContentRequest extends Wishes {
  accountId: string
  prompt: string
  /** A display name or slug, in any case; it is echoed as it is. */
  contentType: string
  model?: string | undefined
  /** Not before this time (ISO 8601). */
  scheduledFor?: string | undefined
  /** The same, from now on; `scheduledFor` wins. */
  delayMs?: number | undefined
  idempotencyKey?: string | undefined
}

const longestWaitMs = 30 * 86_400_000
const maxOutputTokens = 4096

/** Stores what is asked for and queues it. Throws AppError invalid, payment or limited, and then nothing is stored. */
export async function requestContent(deps: ContentDeps, request: ContentRequest): Promise<Job> {
  const { accountId, prompt, contentType, tone, length, language, model, idempotencyKey } = request
  if (prompt.trim() === '') throw invalidField('prompt', 'must not be blank')
  if (prompt.length > longestPrompt)
    throw invalidField('prompt', `must be at most ${longestPrompt} characters long`)
  if (!prompt.isWellFormed()) throw invalidField('prompt', 'must be well-formed Unicode')
  const template = templateOf(contentType)
  if (length !== undefined && !lengths.includes(length))
    throw invalidField('length', `must be one of ${lengths.join(', ')}`)
  const { conversationId } = await deps.generations.start({
    accountId,
    kind: 'content',
    message: prompt,
    model,
    maxOutputTokens,
    asJob: true,
    idempotencyKey,
    notBefore: beginOf(request),
    attributes: {
      contentType,
      type: template.slug,
      ...(tone ? { tone } : {}),
      ...(length ? { length } : {}),
      ...(language ? { language } : {}),
    },
  })
  return readJob(deps, accountId, conversationId)
}

/** When a job may begin; undefined is at once. */
function beginOf({ scheduledFor, delayMs = 0 }: ContentRequest): string | undefined {
  const now = Date.now()
  const at = scheduledFor === undefined ? now + delayMs : Date.parse(scheduledFor)
  if (Number.isNaN(at)) throw invalidField('scheduledFor', 'must be a valid date and time')
  if (at > now + longestWaitMs) throw invalidField('scheduledFor', 'must be within the next 30 days')
  return at > now ? new Date(at).toISOString() : undefined
}

/** A job of the account. Throws AppError missing. */
export async function readJob({ db }: ContentDeps, accountId: string, id: string): Promise<Job> {
  const row = isId(id) ? await readJobRow(db, accountId, id) : null
  if (!row) throw missing('Job')
  return jobOf(row)
}

function jobOf(row: JobRow): Job {
  const { attributes, notBefore, runStatus, error, ...rest } = row
  const { contentType = '', type = '', tone = null, length = 'medium', language = null } = attributes
  const status = runStatus === 'interrupted' ? 'failed' : runStatus
  const told = error ?? (status === 'cancelled' ? { code: 'CANCELLED', message: 'Cancelled' } : null)
  const scheduledFor = notBefore === null ? row.createdAt : new Date(notBefore)
  return {
    ...rest,
    contentType,
    type,
    tone,
    length: length as Length,
    language,
    status,
    error: told,
    scheduledFor,
  }
}

export interface JobsRequest {
  accountId: string
  limit: number
  cursor?: string | undefined
  status?: JobStatus | undefined
}

/** A page of jobs, newest first. */
export async function listJobs({ db }: ContentDeps, request: JobsRequest) {
  const { accountId, limit, status } = request
  const statuses =
    status === undefined ? null : status === 'failed' ? (['failed', 'interrupted'] as const) : [status]
  const rows = await listJobRows(db, {
    accountId,
    before: cursorOf(request.cursor),
    statuses,
    limit: limit + 1,
  })
  const jobs = rows.slice(0, limit).map(jobOf)
  return { jobs, nextCursor: rows.length > limit ? (jobs.at(-1)?.id ?? null) : null }
}

/** Where a page begins. Throws AppError invalid. */
export function cursorOf(text: string | undefined): string | null {
  if (text === undefined) return null
  if (!isId(text)) throw invalidField('cursor', 'must be the nextCursor of an earlier page')
  return text
}

/** Stops a job; what it wrote stays. One that has ended is given as it is. */
export async function cancelJob(deps: ContentDeps, accountId: string, id: string): Promise<Job> {
  const job = await readJob(deps, accountId, id)
  await deps.generations.cancel(accountId, job.generationId)
  deps.wake(accountId)
  return readJob(deps, accountId, id)
}

/** Queues a job anew that failed or was cancelled; the earlier try is kept. Throws AppError conflict otherwise. */
export async function retryJob(deps: ContentDeps, accountId: string, id: string): Promise<Job> {
  const job = await readJob(deps, accountId, id)
  if (job.status !== 'failed' && job.status !== 'cancelled') {
    const rule = `Only a failed or cancelled job can be tried again; this one is ${job.status}`
    throw new AppError('conflict', 'JOB_NOT_FAILED', rule)
  }
  const notBefore = new Date().toISOString()
  await deps.generations.regenerate({ accountId, generationId: job.generationId, asJob: true, notBefore })
  return readJob(deps, accountId, id)
}

/** Removes a job with what it wrote; library entries stay. A running one is stopped first. */
export async function removeJob(deps: ContentDeps, accountId: string, id: string): Promise<void> {
  const job = await readJob(deps, accountId, id)
  await deps.generations.cancel(accountId, job.generationId)
  if (!(await deleteJobRow(deps.db, accountId, id))) throw missing('Job')
}

/** What the model is told for a job. */
export async function promptOf(db: Database, generation: Generation): Promise<Prompt> {
  const asked = await readAsked(db, generation.id)
  const { type = '', tone, length, language } = generation.settings.attributes ?? {}
  const system = instructionsOf(templateOf(type), { tone, length: length as Length | undefined, language })
  const question = { role: 'user' as const, content: asked?.prompt ?? '' }
  const begun = asked?.reply.slice(0, generation.replyOffset) ?? ''
  if (begun === '') return { system, messages: [question] }
  return {
    system,
    messages: [question, { role: 'assistant', content: begun }, { role: 'user', content: goOn }],
  }
}

const goOn = 'Your answer was cut off. Go on exactly where it stopped, without repeating anything.'

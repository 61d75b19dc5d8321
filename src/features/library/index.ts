import { AppError } from '../../lib/errors.ts'
import type { Cache } from '../../platform/cache/index.ts'
import type { Database } from '../../platform/database/index.ts'
import type { Generations } from '../generations/index.ts'
import {
  type ContentRequest,
  cancelJob,
  type JobsRequest,
  listJobs,
  promptOf,
  readJob,
  removeJob,
  requestContent,
  retryJob,
} from './content.ts'
import {
  changeEntry,
  createEntry,
  type EntriesRequest,
  findEntries,
  keepResult,
  readOwnEntry,
  removeEntry,
} from './entries.ts'
import { exportEntry } from './export.ts'
import { createNotices, type NoticeReader } from './notices.ts'
import type { Entry, EntryChange } from './store.ts'
import { templates } from './templates.ts'

export type { ContentRequest, Job } from './content.ts'
export type { JobNotice } from './notices.ts'
export type { Entry } from './store.ts'

export interface LibraryDeps {
  db: Database
  generations: Generations
  cache: Cache
  /** How long a job waits unless it says so itself, in milliseconds. */
  delayMs: number
  report: (error: unknown, what: string) => void
}

export type Library = ReturnType<typeof createLibrary>

/** Written content: jobs that write it, notices of their ends, and the library where it is kept. */
export function createLibrary({ db, generations, cache, delayMs, report }: LibraryDeps) {
  const notices = createNotices({ db, cache, report })
  const deps = { db, generations, wake: notices.wake }
  generations.define('content', {
    conversationKind: 'content',
    title: prompt => prompt.trim().split('\n', 1)[0]?.slice(0, 80) || 'Content',
    prompt: generation => promptOf(db, generation),
  })
  generations.observe(({ kind, accountId, generationId }) => {
    if (kind !== 'content') return null
    return {
      text() {},
      // Asked before the end is stored; the notice is written with it.
      end: async ({ status }) => {
        if (status === 'queued') return
        void generations.wait(accountId, generationId).then(
          () => notices.wake(accountId),
          () => {},
        )
      },
    }
  })
  return {
    /** What can be asked for. */
    types: templates,
    /** How long a job waits unless it says so itself, in milliseconds. */
    delayMs,
    /** Queues a job. Throws AppError invalid, payment or limited; then nothing is stored. */
    requestContent: (request: ContentRequest) => requestContent(deps, { delayMs, ...request }),
    /** A page of jobs, newest first, with their whole texts. */
    listJobs: (request: JobsRequest) => listJobs(deps, request),
    /** A job with what is written so far; AppError missing. */
    readJob: (accountId: string, id: string) => readJob(deps, accountId, id),
    /** Stops a job; one that has ended is given as it is. */
    cancelJob: (accountId: string, id: string) => cancelJob(deps, accountId, id),
    /** Queues a job again that failed or was cancelled; AppError conflict JOB_NOT_FAILED otherwise. */
    retryJob: (accountId: string, id: string) => retryJob(deps, accountId, id),
    removeJob: (accountId: string, id: string) => removeJob(deps, accountId, id),
    /** Keeps a job's result byte by byte, once. AppError missing, or conflict JOB_NOT_COMPLETED. */
    saveResult: (request: SaveRequest) => saveResult(deps, request),
    createEntry: (entry: { accountId: string; title: string; type: string; body: string }) =>
      createEntry(db, entry),
    readEntry: (accountId: string, id: string) => readOwnEntry(db, accountId, id),
    updateEntry: (change: EntryChange & { accountId: string; id: string }) => changeEntry(db, change),
    deleteEntry: (accountId: string, id: string) => removeEntry(db, accountId, id),
    /** A page of entries, newest first; with `search`, those in which it occurs. */
    listEntries: (request: EntriesRequest) => findEntries(db, request),
    /** An entry as a file. */
    exportEntry: async (accountId: string, id: string, format: 'markdown' | 'html') =>
      exportEntry(await readOwnEntry(db, accountId, id), format),
    /** Tells a connection the ends that it missed and those to come. */
    attach: (reader: NoticeReader) => notices.attach(reader),
    tidy: notices.tidy,
    close: notices.close,
  }
}

export interface SaveRequest {
  accountId: string
  jobId: string
  /** `Generated: ` and the prompt's first 50 characters unless given. */
  title?: string | undefined
}

async function saveResult(deps: Parameters<typeof readJob>[0], request: SaveRequest): Promise<Entry> {
  const { accountId, jobId } = request
  const job = await readJob(deps, accountId, jobId)
  const { generationId, contentType } = job
  const title = request.title ?? `Generated: ${Array.from(job.prompt).slice(0, 50).join('')}...`
  const isComplete = job.status === 'completed'
  const entry = isComplete
    ? await keepResult(deps.db, { accountId, generationId, title, type: contentType })
    : null
  if (entry) return entry
  throw new AppError(
    'conflict',
    'JOB_NOT_COMPLETED',
    `Only a completed job can be saved; this one is ${job.status}`,
  )
}

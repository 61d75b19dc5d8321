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

/** Something of an account that was changed by a call; how jobs begin and end is told elsewhere. */
export type LibraryChange = { accountId: string } & ({ jobId: string } | { entryId: string })

export type Library = ReturnType<typeof createLibrary>

/** Written content: jobs that write it, notices of their ends, and the library where it is kept. */
export function createLibrary({ db, generations, cache, delayMs, report }: LibraryDeps) {
  const notices = createNotices({ db, cache, report })
  const deps = { db, generations, wake: notices.wake }
  const watchers = new Set<(change: LibraryChange) => void>()
  const tell = (change: LibraryChange) => {
    for (const watch of watchers) watch(change)
  }
  /** Does something with a job, and tells that it was changed. */
  const changingJob = async <Done>(accountId: string, jobId: string, done: Promise<Done>): Promise<Done> => {
    const result = await done
    tell({ accountId, jobId })
    return result
  }
  const changingEntry = async <Done extends { id: string }>(accountId: string, done: Promise<Done>) => {
    const entry = await done
    tell({ accountId, entryId: entry.id })
    return entry
  }
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
    requestContent: async (request: ContentRequest) => {
      const job = await requestContent(deps, { delayMs, ...request })
      tell({ accountId: request.accountId, jobId: job.id })
      return job
    },
    /** A page of jobs, newest first, with their whole texts. */
    listJobs: (request: JobsRequest) => listJobs(deps, request),
    /** A job with what is written so far; AppError missing. */
    readJob: (accountId: string, id: string) => readJob(deps, accountId, id),
    /** Stops a job; one that has ended is given as it is. */
    cancelJob: (accountId: string, id: string) => changingJob(accountId, id, cancelJob(deps, accountId, id)),
    /** Queues a job again that failed or was cancelled; AppError conflict JOB_NOT_FAILED otherwise. */
    retryJob: (accountId: string, id: string) => changingJob(accountId, id, retryJob(deps, accountId, id)),
    removeJob: (accountId: string, id: string) => changingJob(accountId, id, removeJob(deps, accountId, id)),
    /** Keeps a job's result byte by byte, once. AppError missing, or conflict JOB_NOT_COMPLETED. */
    saveResult: (request: SaveRequest) => {
      const { accountId, jobId } = request
      return changingEntry(accountId, changingJob(accountId, jobId, saveResult(deps, request)))
    },
    createEntry: (entry: { accountId: string; title: string; type: string; body: string }) =>
      changingEntry(entry.accountId, createEntry(db, entry)),
    readEntry: (accountId: string, id: string) => readOwnEntry(db, accountId, id),
    updateEntry: (change: EntryChange & { accountId: string; id: string }) =>
      changingEntry(change.accountId, changeEntry(db, change)),
    deleteEntry: async (accountId: string, id: string) => {
      await removeEntry(db, accountId, id)
      tell({ accountId, entryId: id })
    },
    /** A page of entries, newest first; with `search`, those in which it occurs. */
    listEntries: (request: EntriesRequest) => findEntries(db, request),
    /** An entry as a file. */
    exportEntry: async (accountId: string, id: string, format: 'markdown' | 'html') =>
      exportEntry(await readOwnEntry(db, accountId, id), format),
    /** Tells a connection the ends that it missed and those to come. */
    attach: (reader: NoticeReader) => notices.attach(reader),
    /** Calls back after each change that a call has made. */
    watch: (watcher: (change: LibraryChange) => void): void => void watchers.add(watcher),
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

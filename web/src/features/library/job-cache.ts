import type { InfiniteData } from '@tanstack/react-query'
import { queryClient } from '../../api/queries.ts'

export interface ContentJob {
  id: string
  prompt: string
  contentType: string
  type: string
  status: 'queued' | 'running' | 'completed' | 'failed' | 'cancelled'
  text: string
  finishReason: string | null
  error: { code: string; message: string } | null
  generationId: string
  entryId: string | null
  scheduledFor: string
  createdAt: string
}

export interface JobPage {
  jobs: ContentJob[]
  nextCursor: string | null
}

export const jobsKey = ['content-jobs'] as const
export const entriesKey = ['library'] as const

const gatherMs = 100
let isAboutToRefresh = false

/** Reads the shown jobs again; what is asked for together is read once. */
export function refreshJobs(): void {
  if (isAboutToRefresh) return
  isAboutToRefresh = true
  setTimeout(() => {
    isAboutToRefresh = false
    void queryClient.invalidateQueries({ queryKey: jobsKey })
  }, gatherMs)
}

/** Reads the shown list of entries again; one that is being edited stays as it is. */
export function refreshEntries(): void {
  void queryClient.invalidateQueries({ queryKey: [...entriesKey, 'list'] })
}

/** Changes the jobs that are shown, before the server is asked. */
export function changeJobs(change: (job: ContentJob) => ContentJob): void {
  queryClient.setQueryData<InfiniteData<JobPage>>([...jobsKey, 'list'], shown =>
    shown ? { ...shown, pages: shown.pages.map(page => ({ ...page, jobs: page.jobs.map(change) })) } : shown,
  )
}

import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { request, send } from '../../api/client.ts'
import { queryClient } from '../../api/queries.ts'
import { saveBlob } from '../../save-file.ts'
import { type ContentJob, entriesKey, type JobPage, jobsKey } from './job-cache.ts'
import { useIsLive } from './live-changes.ts'

export type { ContentJob } from './job-cache.ts'

export interface ContentType {
  slug: string
  name: string
  lengths: { short: string; medium: string; long: string }
}

export interface LibraryEntry {
  id: string
  title: string
  type: string
  body: string
  provenance: { jobId: string; generationId: string; model: string } | null
  version: number
  updatedAt: string
}

/** Whether a job's text still changes. */
export function isOpen(job: ContentJob): boolean {
  return job.status === 'queued' || job.status === 'running'
}

export function useContentTypes() {
  return useQuery({
    queryKey: ['content-types'],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) =>
      (await request<{ types: ContentType[] }>('/content/types', { signal })).types,
  })
}

/** How often to ask while nothing is told by itself. */
const askEveryMs = 3_000

/** The jobs, newest first; what changes is told. */
export function useContentJobs() {
  const isLive = useIsLive()
  return useInfiniteQuery({
    queryKey: [...jobsKey, 'list'],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      request<JobPage>(`/content/jobs?limit=20${pageParam && `&cursor=${pageParam}`}`, { signal }),
    getNextPageParam: page => page.nextCursor,
    refetchInterval: isLive ? false : askEveryMs,
  })
}

/** A job with its whole text. */
export function useContentJob(job: ContentJob, isWanted: boolean) {
  return useQuery({
    queryKey: [...jobsKey, job.id, job.status, job.entryId],
    enabled: isWanted,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) =>
      (await request<{ job: ContentJob }>(`/content/jobs/${job.id}`, { signal })).job,
  })
}

export interface ContentWish {
  prompt: string
  contentType: string
  length: string
  tone?: string
  language?: string
}

/** Queues a job. Throws ApiError. */
export async function askForContent(wish: ContentWish, key: string): Promise<void> {
  await request('/content/jobs', { method: 'POST', body: wish, headers: { 'idempotency-key': key } })
  await queryClient.invalidateQueries({ queryKey: jobsKey })
}

/** Cancels, retries or deletes a job. Throws ApiError. */
export async function changeJob(id: string, what: 'cancel' | 'retry' | 'delete'): Promise<void> {
  if (what === 'delete') await request(`/content/jobs/${id}`, { method: 'DELETE' })
  else await request(`/content/jobs/${id}/${what}`, { method: 'POST' })
  await queryClient.invalidateQueries({ queryKey: jobsKey })
}

const longestTitle = 60

/** Keeps what a job has written in the library, under the beginning of what was asked for. Throws ApiError. */
export async function saveJob({ id, prompt }: ContentJob): Promise<void> {
  const words = prompt.trim().replace(/\s+/g, ' ')
  // Cut between words where there are any.
  const start = Array.from(words).slice(0, longestTitle).join('')
  const title = start === words ? words : `${start.replace(/ \S*$/, '')}…`
  await request(`/content/jobs/${id}/save`, { method: 'POST', body: { title } })
  await queryClient.invalidateQueries({ queryKey: jobsKey })
  await queryClient.invalidateQueries({ queryKey: entriesKey })
}

/** The library, or what is found in it, newest first. */
export function useEntries(search: string) {
  const isLive = useIsLive()
  return useInfiniteQuery({
    queryKey: [...entriesKey, 'list', search],
    initialPageParam: '',
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam, signal }) =>
      request<{ entries: LibraryEntry[]; nextCursor: string | null }>(
        `/library?limit=20&search=${encodeURIComponent(search)}${pageParam && `&cursor=${pageParam}`}`,
        { signal },
      ),
    getNextPageParam: page => page.nextCursor,
    refetchInterval: isLive ? false : askEveryMs,
  })
}

export function useEntry(id: string) {
  return useQuery({
    queryKey: [...entriesKey, 'entry', id],
    // What is being edited must not change under the cursor; a conflict is told when it is saved.
    refetchOnWindowFocus: false,
    queryFn: async ({ signal }) =>
      (await request<{ entry: LibraryEntry }>(`/library/${id}`, { signal })).entry,
  })
}

/** Keeps a new entry and gives its id. Throws ApiError. */
export async function addEntry(): Promise<string> {
  const body = { title: 'Untitled', type: 'Note', body: '' }
  const { entry } = await request<{ entry: LibraryEntry }>('/library', { method: 'POST', body })
  await queryClient.invalidateQueries({ queryKey: entriesKey })
  return entry.id
}

/** Changes an entry. Throws ApiError, EDITED_MEANWHILE when somebody else did. */
export async function changeEntry(
  id: string,
  change: Pick<LibraryEntry, 'title' | 'type' | 'body' | 'version'>,
): Promise<LibraryEntry> {
  const { entry } = await request<{ entry: LibraryEntry }>(`/library/${id}`, {
    method: 'PATCH',
    body: change,
  })
  queryClient.setQueryData([...entriesKey, 'entry', id], entry)
  await queryClient.invalidateQueries({ queryKey: [...entriesKey, 'list'] })
  return entry
}

/** Removes an entry for good. Throws ApiError. */
export async function removeEntry(id: string): Promise<void> {
  await request(`/library/${id}`, { method: 'DELETE' })
  await queryClient.invalidateQueries({ queryKey: [...entriesKey, 'list'] })
  await queryClient.invalidateQueries({ queryKey: jobsKey })
}

/** Saves an entry as a file of the person's. Throws ApiError. */
export async function downloadEntry({ id, title }: LibraryEntry, format: 'markdown' | 'html'): Promise<void> {
  const response = await send(`/library/${id}/export?format=${format}`)
  saveBlob(await response.blob(), `${title}.${format === 'html' ? 'html' : 'md'}`)
}

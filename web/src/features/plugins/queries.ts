import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { request, send } from '../../api/client.ts'
import { queryClient } from '../../api/queries.ts'
import type { GenerationStatus } from '../../api/types.ts'
import { saveBlob } from '../../save-file.ts'

export interface Finding {
  rule: string
  severity: 'error' | 'warning'
  /** 1-based. */
  line: number
  message: string
  advice: string
}

export interface VersionSummary {
  version: number
  /** Who wrote the code. */
  origin: 'model' | 'client'
  errors: number
  warnings: number
  isFinal: boolean
  createdAt: string
}

export interface PluginVersion extends VersionSummary {
  code: string
  report: { findings: Finding[]; errors: number; warnings: number; durationMs: number }
}

export interface Plugin {
  id: string
  name: string
  slug: string
  conversationId: string
  status: 'empty' | 'draft' | 'final'
  latestVersion: VersionSummary | null
  finalVersion: number | null
  openTurn: { id: string; purpose: 'draft' | 'final'; generationIds: string[] } | null
  createdAt: string
  updatedAt: string
}

export interface PluginMessage {
  id: string
  sender: 'user' | 'plugin_generator'
  /** `checks`: findings that went back to the model. `client`: put there over the API; the model does not see it. */
  origin: 'person' | 'model' | 'checks' | 'client'
  content: string
  prose: string
  code: string | null
  version: number | null
  generationId: string | null
  status: GenerationStatus | null
  error: { code: string; message: string } | null
  createdAt: string
}

const listKey = ['plugins'] as const
const pluginKey = (id: string) => ['plugin', id] as const

/** The plugins, newest first. */
export function usePlugins() {
  return useInfiniteQuery({
    queryKey: listKey,
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      request<{ plugins: Plugin[]; nextCursor: string | null }>(
        `/plugins?limit=30${pageParam && `&cursor=${pageParam}`}`,
        { signal },
      ),
    getNextPageParam: page => page.nextCursor,
  })
}

/** One plugin; what another tab does with it is seen within seconds. */
export function usePlugin(id: string) {
  return useQuery({
    queryKey: pluginKey(id),
    queryFn: async ({ signal }) => (await request<{ plugin: Plugin }>(`/plugins/${id}`, { signal })).plugin,
    refetchInterval: ({ state }) => (state.error ? false : state.data?.openTurn ? 1_500 : 5_000),
  })
}

/** All that was said about a plugin, oldest first. */
export function useHistory(id: string) {
  return useQuery({
    queryKey: [...pluginKey(id), 'history'],
    queryFn: async ({ signal }) =>
      (await request<{ messages: PluginMessage[] }>(`/plugins/${id}/messages`, { signal })).messages,
  })
}

/** The versions of a plugin, newest first, without their code. */
export function useVersions(id: string) {
  return useQuery({
    queryKey: [...pluginKey(id), 'versions'],
    queryFn: async ({ signal }) =>
      (await request<{ versions: VersionSummary[] }>(`/plugins/${id}/versions`, { signal })).versions,
  })
}

/** One version with its code, which never changes. */
export function useVersion(id: string, version: number | null) {
  return useQuery({
    queryKey: ['plugin-code', id, version],
    enabled: version !== null,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) =>
      (await request<{ version: PluginVersion }>(`/plugins/${id}/versions/${version}`, { signal })).version,
  })
}

/** Reads a plugin, its messages and versions anew, and the list with it. */
export async function refreshPlugin(id: string): Promise<void> {
  void queryClient.invalidateQueries({ queryKey: listKey })
  await queryClient.invalidateQueries({ queryKey: pluginKey(id) })
}

/** Makes a plugin and gives its id. Throws ApiError. */
export async function createPlugin(name: string): Promise<string> {
  const { plugin } = await request<{ plugin: Plugin }>('/plugins', { method: 'POST', body: { name } })
  queryClient.setQueryData(pluginKey(plugin.id), plugin)
  void queryClient.invalidateQueries({ queryKey: listKey })
  return plugin.id
}

/** Gives a plugin another name. Throws ApiError. */
export async function renamePlugin(id: string, name: string): Promise<void> {
  await request(`/plugins/${id}`, { method: 'PATCH', body: { name } })
  await refreshPlugin(id)
}

/** Removes a plugin with all that belongs to it. Throws ApiError. */
export async function removePlugin(id: string): Promise<void> {
  await request(`/plugins/${id}`, { method: 'DELETE' })
  await queryClient.invalidateQueries({ queryKey: listKey })
}

/** Saves the zip of one version as a file of the person's. Throws ApiError. */
export async function downloadZip({ id, slug }: Plugin, version: number): Promise<void> {
  const response = await send(`/plugins/${id}/zip?version=${version}`)
  const told = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1]
  saveBlob(await response.blob(), told ?? `${slug}.zip`)
}

/** Saves code as a file of the person's. */
export function downloadCode({ slug }: Plugin, code: string): void {
  saveBlob(new Blob([code], { type: 'application/x-php' }), `${slug}.php`)
}

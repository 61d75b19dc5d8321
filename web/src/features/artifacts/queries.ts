import { useMutation, useQuery } from '@tanstack/react-query'
import { request } from '../../api/client.ts'
import { queryClient } from '../../api/queries.ts'
import type { ArtifactFile, ListedArtifact, Preview } from '../../api/types.ts'
import { saveLink } from '../../save-file.ts'

const artifactsKey = (conversationId: string) => ['conversation-artifacts', conversationId] as const

/** Everything that a conversation made, all versions, in the order of their making. */
export function useConversationArtifacts(conversationId: string | undefined) {
  return useQuery({
    queryKey: artifactsKey(conversationId ?? 'new'),
    enabled: conversationId !== undefined,
    queryFn: async ({ signal }) => {
      const path = `/conversations/${conversationId}/artifacts`
      return (await request<{ artifacts: ListedArtifact[] }>(path, { signal })).artifacts
    },
  })
}

/** Reads again what a conversation made: something was added. */
export function refreshArtifacts(conversationId: string): void {
  const queryKey = artifactsKey(conversationId)
  const again = () => queryClient.invalidateQueries({ queryKey })
  // A first read that is under way may have begun before the addition, and an invalidation alone would let it end.
  if (queryClient.getQueryData(queryKey)) void again()
  else void queryClient.cancelQueries({ queryKey }).then(again)
}

/** An artifact's files with their contents; they never change, because a change is a new artifact version. */
export function useArtifactFiles(id: string) {
  return useQuery({
    queryKey: ['artifact-files', id],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) =>
      (await request<{ files: ArtifactFile[] }>(`/artifacts/${id}/files`, { signal })).files,
  })
}

/** Builds an artifact if needed and gives its page's address; asked again before the address ends. */
export function usePreview(id: string, isWanted: boolean) {
  return useQuery({
    queryKey: ['preview', id],
    enabled: isWanted,
    // The address ends after some minutes: a panel that is opened again asks for a new one.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    queryFn: ({ signal }) => request<Preview>(`/artifacts/${id}/preview`, { method: 'POST', signal }),
  })
}

/** What a download holds: the code as it is, or a project that builds with its own npm scripts. */
export type DownloadFormat = 'auto' | 'zip'

/** Fetches a signed link and lets the browser save what is behind it. */
export function useDownload(id: string) {
  return useMutation({
    mutationFn: (format: DownloadFormat) =>
      request<{ url: string; fileName: string }>(`/artifacts/${id}/download?format=${format}`),
    onSuccess: ({ url, fileName }) => saveLink(url, fileName),
  })
}

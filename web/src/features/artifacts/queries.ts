import { useMutation, useQuery } from '@tanstack/react-query'
import { request } from '../../api/client.ts'
import type { Artifact, ArtifactFile, Preview } from '../../api/types.ts'

/** What an artifact is, without its contents. */
export function useArtifact(id: string) {
  return useQuery({
    queryKey: ['artifact', id],
    staleTime: 5 * 60_000,
    queryFn: async ({ signal }) =>
      (await request<{ artifact: Artifact }>(`/artifacts/${id}`, { signal })).artifact,
  })
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

/** Fetches a signed link and lets the browser save what is behind it. */
export function useDownload(id: string) {
  return useMutation({
    mutationFn: () => request<{ url: string; fileName: string }>(`/artifacts/${id}/download`),
    onSuccess: ({ url, fileName }) => {
      const link = document.createElement('a')
      link.href = url
      link.download = fileName
      link.click()
    },
  })
}

import { useQuery } from '@tanstack/react-query'
import { request } from '../../api/client.ts'
import { queryClient } from '../../api/queries.ts'
import type { ProviderKey, ProviderKeyUsage, ProviderKeyVerdict } from '../../api/types.ts'

const keysKey = ['provider-keys'] as const

/** The provider keys of this account, the newest first. */
export function useKeys() {
  return useQuery({
    queryKey: keysKey,
    queryFn: async ({ signal }) => (await request<{ keys: ProviderKey[] }>('/keys', { signal })).keys,
  })
}

/** What a key was used for in the last thirty days. */
export function useKeyUsage(id: string) {
  return useQuery({
    queryKey: [...keysKey, id, 'usage'],
    queryFn: ({ signal }) => request<ProviderKeyUsage>(`/keys/${id}/usage`, { signal }),
  })
}

/** What a person says about a key. */
export type KeyFields = Partial<
  Pick<ProviderKey, 'name' | 'isActive' | 'fallbackToCredits' | 'models'> & {
    baseUrl: string
    apiKey: string
  }
>

/** Keeps a new key. Throws ApiError. */
export async function addKey(provider: string, fields: KeyFields): Promise<void> {
  await request('/keys', { method: 'POST', body: { provider, ...fields } })
  refresh()
}

/** Changes a key. Throws ApiError. */
export async function changeKey(id: string, fields: KeyFields): Promise<void> {
  await request(`/keys/${id}`, { method: 'PATCH', body: fields })
  refresh()
}

/** Removes a key for good. Throws ApiError. */
export async function removeKey(id: string): Promise<void> {
  await request(`/keys/${id}`, { method: 'DELETE' })
  refresh()
}

/** Asks the provider whether it takes the key. Throws ApiError. */
export async function testKey(id: string): Promise<ProviderKeyVerdict> {
  const verdict = await request<ProviderKeyVerdict>(`/keys/${id}/test`, { method: 'POST', body: {} })
  refresh()
  return verdict
}

/** Keys decide which models there are, and who pays. */
function refresh(): void {
  void queryClient.invalidateQueries({ queryKey: keysKey })
  void queryClient.invalidateQueries({ queryKey: ['models'] })
  void queryClient.invalidateQueries({ queryKey: ['security-events'] })
}

import { useQuery } from '@tanstack/react-query'
import { request } from '../../api/client.ts'
import type { Entitlements, UsageRow } from '../../api/types.ts'

/** What was used in the days up to today (UTC). */
export function useUsage(days: number) {
  return useQuery({
    queryKey: ['usage', days],
    queryFn: ({ signal }) => {
      const from = new Date(Date.now() - (days - 1) * 86_400_000).toISOString().slice(0, 10)
      return request<{ from: string; to: string; rows: UsageRow[] }>(`/usage?from=${from}`, { signal })
    },
  })
}

/** What may be sent now, and why not. */
export function useEntitlements() {
  return useQuery({
    queryKey: ['entitlements'],
    queryFn: async ({ signal }) =>
      (await request<{ entitlements: Entitlements }>('/entitlements', { signal })).entitlements,
    staleTime: 5_000,
  })
}

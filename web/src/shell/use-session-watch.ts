import { useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { request } from '../api/client.ts'
import { updateAccount } from '../api/session.ts'
import type { Account } from '../api/types.ts'

/**
 * Asks now and then, and whenever the page is looked at again, whether this session still holds: a device that was
 * signed out elsewhere shows it by itself, and a changed profile arrives.
 */
export function useSessionWatch(): void {
  const { data } = useQuery({
    queryKey: ['me'],
    queryFn: async ({ signal }) => (await request<{ account: Account }>('/me', { signal })).account,
    refetchInterval: 60_000,
    refetchOnWindowFocus: 'always',
    retry: false,
  })
  useEffect(() => {
    if (data) updateAccount(data)
  }, [data])
}

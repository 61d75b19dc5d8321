import { QueryClient } from '@tanstack/react-query'
import { ApiError } from './errors.ts'

/** The cache of everything that was read from the server. Refusals are told at once; a lost network is tried again. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      retry: (failures, thrown) => failures < 3 && thrown instanceof ApiError && isPassing(thrown.status),
      retryDelay: attempt => Math.min(500 * 2 ** attempt, 8_000),
    },
  },
})

function isPassing(status: number): boolean {
  return status === 0 || status === 502 || status === 503 || status === 504
}

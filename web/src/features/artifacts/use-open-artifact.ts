import { useCallback } from 'react'
import { useSearchParams } from 'wouter'

/** What stands in the address instead of an id when the panel shows all artifacts of the chat. */
export const allArtifacts = 'all'

/** Which artifact (or `allArtifacts`) is open beside the chat; it stands in the address, so that a reload keeps it. */
export function useOpenArtifact(): [string | null, (id: string | null) => void] {
  const [params, setParams] = useSearchParams()
  const open = useCallback(
    (id: string | null) => {
      setParams(
        current => {
          const next = new URLSearchParams(current)
          if (id) next.set('artifact', id)
          else next.delete('artifact')
          return next
        },
        { replace: true },
      )
    },
    [setParams],
  )
  return [params.get('artifact'), open]
}

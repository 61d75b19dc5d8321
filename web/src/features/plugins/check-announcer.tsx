import { useEffect, useState } from 'react'
import { liveGenerations } from '../../api/live.ts'
import { countsOf } from './words.ts'

/** Tells screen readers what the checks found in a new version, and what follows from it. */
export function CheckAnnouncer({ pluginId }: { pluginId: string }) {
  const [words, setWords] = useState('')
  useEffect(
    () =>
      liveGenerations.onEvent(event => {
        if (event.type !== 'check-done' || event.pluginId !== pluginId) return
        const next = event.isFinal ? ' It is final.' : event.repair ? ' The model mends it now.' : ''
        setWords(`Version ${event.version}: ${countsOf(event)}.${next}`)
      }),
    [pluginId],
  )
  return (
    <div className="visually-hidden" role="status" aria-live="polite">
      {words}
    </div>
  )
}

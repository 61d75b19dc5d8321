import { useEffect, useState } from 'react'
import { liveGenerations } from '../../api/live.ts'
import { spokenOpening } from './spoken.ts'

/**
 * Tells screen readers what happens to answers in a few words: begun, made something, ended, without reading each
 * token aloud.
 */
export function Announcer() {
  const [words, setWords] = useState('')
  useEffect(
    () =>
      liveGenerations.onEvent((event, live) => {
        if (event.type === 'generation-start') setWords('The answer has begun.')
        if (event.type === 'artifact-ready') setWords(`${event.artifact.title} is ready.`)
        if (event.type === 'generation-end')
          setWords(`${endings[event.status] ?? ''} ${spokenOpening(live.text)}`)
      }),
    [],
  )
  return (
    <div className="visually-hidden" role="status" aria-live="polite">
      {words}
    </div>
  )
}

const endings: Readonly<Record<string, string>> = {
  completed: 'The answer is complete.',
  cancelled: 'The answer was stopped.',
  failed: 'The answer failed.',
  interrupted: 'The answer was interrupted.',
}

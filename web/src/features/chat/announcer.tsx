import { useEffect, useState } from 'react'
import { liveGenerations } from '../../api/live.ts'

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
        if (event.type === 'generation-end') setWords(`${endings[event.status] ?? ''} ${opening(live.text)}`)
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

/** The first prose of an answer, short enough to be heard. */
function opening(text: string): string {
  const prose = text.replace(/```[\s\S]*?(```|$)/g, ' ').replace(/[#*_`>|]/g, '')
  const short = prose.trim().replace(/\s+/g, ' ')
  return short.length > 240 ? `${short.slice(0, 240)}…` : short
}

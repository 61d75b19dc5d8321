import { useCallback, useState } from 'react'

const prefix = 'atelier.draft.'

/** The unsent text of one place ('new' or a conversation), kept over navigation and reload in this tab. */
export function useDraft(place: string): [string, (text: string) => void] {
  const [state, setState] = useState({ place, text: read(place) })
  if (state.place !== place) setState({ place, text: read(place) })
  const change = useCallback(
    (text: string) => {
      setState({ place, text })
      write(place, text)
    },
    [place],
  )
  return [state.place === place ? state.text : read(place), change]
}

function read(place: string): string {
  try {
    return sessionStorage.getItem(prefix + place) ?? ''
  } catch {
    return ''
  }
}

function write(place: string, text: string): void {
  try {
    if (text) sessionStorage.setItem(prefix + place, text)
    else sessionStorage.removeItem(prefix + place)
  } catch {
    // A browser without storage only loses the draft on reload.
  }
}

import { useCallback, useLayoutEffect, useRef, useState } from 'react'

/**
 * Keeps the end of a growing list in view as long as the reader is there; a reader who scrolls up is left alone.
 * `toEnd` goes back to the end.
 */
export function usePinnedScroll() {
  const area = useRef<HTMLDivElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const isPinned = useRef(true)
  const lastTop = useRef(0)
  const [isAway, setAway] = useState(false)

  const toEnd = useCallback((behavior: ScrollBehavior = 'auto') => {
    isPinned.current = true
    setAway(false)
    const element = area.current
    element?.scrollTo({ top: element.scrollHeight, behavior })
  }, [])

  const onScroll = useCallback(() => {
    const element = area.current
    if (!element) return
    const fromEnd = element.scrollHeight - element.scrollTop - element.clientHeight
    const goesUp = element.scrollTop < lastTop.current - 2
    lastTop.current = element.scrollTop
    if (fromEnd < 32) isPinned.current = true
    else if (goesUp) isPinned.current = false
    setAway(!isPinned.current && fromEnd > 120)
  }, [])

  useLayoutEffect(() => {
    const element = area.current
    const inner = content.current
    if (!element || !inner) return
    const observer = new ResizeObserver(() => {
      if (isPinned.current) element.scrollTop = element.scrollHeight
    })
    observer.observe(inner)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  return { area, content, onScroll, toEnd, isAway }
}

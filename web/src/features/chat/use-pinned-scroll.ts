import {
  type PointerEvent,
  useCallback,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type WheelEvent,
} from 'react'

/**
 * Keeps the end of a growing list in view as long as the reader is there; a reader who scrolls up is left alone.
 * `toEnd` goes back to the end, `show` goes to one of its parts and stays there.
 */
export function usePinnedScroll() {
  const area = useRef<HTMLElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const isPinned = useRef(true)
  const lastTop = useRef(0)
  // Growing and shrinking content moves the area too: only what the reader does counts as going away.
  const handUntil = useRef(0)
  const [isAway, setAway] = useState(false)

  const toEnd = useCallback((behavior: ScrollBehavior = 'auto') => {
    isPinned.current = true
    setAway(false)
    const element = area.current
    element?.scrollTo({ top: element.scrollHeight, behavior })
  }, [])

  const show = useCallback((part: HTMLElement | null) => {
    const element = area.current
    if (!element || !part) return
    isPinned.current = false
    const top = part.getBoundingClientRect().top - element.getBoundingClientRect().top
    element.scrollTo({ top: element.scrollTop + top - 16 })
    part.focus({ preventScroll: true })
  }, [])

  const onScroll = useCallback(() => {
    const element = area.current
    if (!element) return
    const fromEnd = element.scrollHeight - element.scrollTop - element.clientHeight
    const goesUp = element.scrollTop < lastTop.current - 2
    lastTop.current = element.scrollTop
    if (fromEnd < 32) isPinned.current = true
    else if (goesUp && Date.now() < handUntil.current) isPinned.current = false
    setAway(!isPinned.current && fromEnd > 120)
  }, [])

  const handlers = useMemo(() => {
    const touch = (forMs: number) => {
      handUntil.current = Date.now() + forMs
    }
    return {
      onScroll,
      onWheel: (event: WheelEvent) => event.deltaY < 0 && touch(600),
      onTouchMove: () => touch(1_500),
      onKeyDown: () => touch(600),
      // The scrollbar is the only part of the area that is not its content.
      onPointerDown: (event: PointerEvent) => event.target === event.currentTarget && touch(10_000),
    }
  }, [onScroll])

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

  return { area, content, handlers, toEnd, show, isAway }
}

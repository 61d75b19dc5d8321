import { useLocalStorage } from '@mantine/hooks'
import type { KeyboardEvent, PointerEvent, RefObject } from 'react'
import classes from './artifacts.module.css'

const narrowest = 28
const widest = 72

/** How much of the page the panel takes, in percent; kept in this browser. */
export function usePanelWidth(): [number, (percent: number) => void] {
  const [width, setWidth] = useLocalStorage({
    key: 'atelier.panel-width',
    defaultValue: 50,
    getInitialValueInEffect: false,
  })
  return [clamp(width), percent => setWidth(clamp(percent))]
}

interface ResizerProps {
  frame: RefObject<HTMLDivElement | null>
  width: number
  onWidth: (percent: number) => void
}

/** The line between chat and panel: drag it, or move it with the arrow keys. */
export function Resizer({ frame, width, onWidth }: ResizerProps) {
  function onPointerDown(event: PointerEvent<HTMLDivElement>): void {
    event.currentTarget.setPointerCapture(event.pointerId)
    // A preview is another document: it would swallow the pointer that passes over it.
    frame.current?.setAttribute('data-resizing', '')
  }

  function onPointerMove(event: PointerEvent<HTMLDivElement>): void {
    if (!event.currentTarget.hasPointerCapture(event.pointerId) || !frame.current) return
    const box = frame.current.getBoundingClientRect()
    onWidth(((box.right - event.clientX) / box.width) * 100)
  }

  function onKeyDown(event: KeyboardEvent): void {
    const step = { ArrowLeft: 2, ArrowRight: -2, Home: -100, End: 100 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    onWidth(width + step)
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: a movable separator has no element of its own
    <div
      className={classes.resizer}
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the panel"
      aria-valuenow={Math.round(width)}
      aria-valuemin={narrowest}
      aria-valuemax={widest}
      tabIndex={0}
      onPointerDown={onPointerDown}
      onLostPointerCapture={() => frame.current?.removeAttribute('data-resizing')}
      onPointerMove={onPointerMove}
      onKeyDown={onKeyDown}
      onDoubleClick={() => onWidth(50)}
    />
  )
}

function clamp(percent: number): number {
  return Math.min(widest, Math.max(narrowest, percent))
}

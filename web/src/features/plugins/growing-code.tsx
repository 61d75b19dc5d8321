import { useEffect, useRef, useSyncExternalStore } from 'react'
import { liveGenerations } from '../../api/live.ts'
import { HighlightedCode } from '../../code/highlighted-code.tsx'
import artifacts from '../artifacts/artifacts.module.css'
import { splitAnswer } from './split-answer.ts'

/** Code as a run writes it; its end stays in view. */
export function GrowingCode({ generationId }: { generationId: string }) {
  const area = useRef<HTMLPreElement>(null)
  const live = useSyncExternalStore(liveGenerations.subscribe, () => liveGenerations.read(generationId))
  const code = splitAnswer(live?.text ?? '').code ?? ''
  // biome-ignore lint/correctness/useExhaustiveDependencies: each new piece of code moves the view
  useEffect(() => {
    if (area.current) area.current.scrollTop = area.current.scrollHeight
  }, [code])
  return (
    <section className={artifacts.file} aria-label="Code that is being written">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <pre ref={area} className={artifacts.source} tabIndex={0}>
        <HighlightedCode code={code} language="php" hasLineNumbers />
      </pre>
    </section>
  )
}

import { memo, type ReactNode, useEffect, useMemo, useState } from 'react'
import classes from './code.module.css'
import type { GrowingHighlighter, Line } from './highlight.ts'

/** What stands at a line besides its code: in the margin, and below it. Phrasing content, as all that is in `code`. */
export interface LineNote {
  tone: string
  margin: ReactNode
  below: ReactNode
}

interface HighlightedCodeProps {
  code: string
  language: string
  hasLineNumbers?: boolean
  /** By line, the first being 1. */
  notes?: ReadonlyMap<number, LineNote>
}

/** Code in colour as soon as its grammar is there, plain until then. Lines that do not change are not drawn again. */
export function HighlightedCode(props: HighlightedCodeProps) {
  const { code, language, hasLineNumbers = false, notes } = props
  const highlighter = useHighlighter(language)
  const lines = useMemo(() => highlighter?.update(code) ?? plainLines(code), [highlighter, code])
  return (
    <code
      className={classes.code}
      data-numbered={hasLineNumbers || undefined}
      data-noted={notes === undefined ? undefined : true}
    >
      {lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is its number
        <CodeLine key={index} line={line} isLast={index === lines.length - 1} note={notes?.get(index + 1)} />
      ))}
    </code>
  )
}

interface CodeLineProps {
  line: Line
  isLast: boolean
  note: LineNote | undefined
}

const CodeLine = memo(function CodeLine({ line, isLast, note }: CodeLineProps) {
  return (
    <>
      <span className={classes.line} data-tone={note?.tone}>
        {note?.margin}
        {line.map((token, index) => (
          <span
            // biome-ignore lint/suspicious/noArrayIndexKey: tokens have no identity but their place
            key={index}
            style={{ color: token.color, fontStyle: token.isItalic ? 'italic' : undefined }}
          >
            {token.content}
          </span>
        ))}
        {!isLast && '\n'}
      </span>
      {note?.below}
    </>
  )
})

function plainLines(code: string): readonly Line[] {
  return code.split('\n').map(content => [{ content, color: undefined, isItalic: false }])
}

function useHighlighter(language: string): GrowingHighlighter | null {
  const [highlighter, setHighlighter] = useState<GrowingHighlighter | null>(null)
  useEffect(() => {
    let isHere = true
    setHighlighter(null)
    import('./highlight.ts')
      .then(module => module.createGrowingHighlighter(language))
      .then(made => isHere && setHighlighter(made))
      .catch(() => undefined)
    return () => {
      isHere = false
    }
  }, [language])
  return highlighter
}

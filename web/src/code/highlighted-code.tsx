import { memo, useEffect, useMemo, useState } from 'react'
import classes from './code.module.css'
import type { GrowingHighlighter, Line } from './highlight.ts'

interface HighlightedCodeProps {
  code: string
  language: string
  hasLineNumbers?: boolean
}

/** Code in colour as soon as its grammar is there, plain until then. Lines that do not change are not drawn again. */
export function HighlightedCode({ code, language, hasLineNumbers = false }: HighlightedCodeProps) {
  const highlighter = useHighlighter(language)
  const lines = useMemo(() => highlighter?.update(code) ?? plainLines(code), [highlighter, code])
  return (
    <code className={classes.code} data-numbered={hasLineNumbers || undefined}>
      {lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is its number
        <CodeLine key={index} line={line} isLast={index === lines.length - 1} />
      ))}
    </code>
  )
}

const CodeLine = memo(function CodeLine({ line, isLast }: { line: Line; isLast: boolean }) {
  return (
    <span className={classes.line}>
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

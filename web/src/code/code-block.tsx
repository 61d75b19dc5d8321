import { UnstyledButton } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import classes from './code.module.css'
import { CopyButton } from './copy-button.tsx'
import { HighlightedCode } from './highlighted-code.tsx'

interface CodeBlockProps {
  code: string
  language: string
  /** While it is being written, the newest lines stay in view. */
  isGrowing?: boolean
}

const foldedLines = 24

/** A fenced block of an answer: language, copy, colours; long ones are folded until asked for. */
export function CodeBlock({ code, language, isGrowing = false }: CodeBlockProps) {
  const [isOpen, setOpen] = useState(false)
  const body = useRef<HTMLPreElement>(null)
  const lineCount = code.split('\n').length
  const isLong = lineCount > foldedLines
  const isFolded = isLong && !isOpen

  // biome-ignore lint/correctness/useExhaustiveDependencies: each new piece of code moves the view
  useEffect(() => {
    if (isGrowing && isFolded && body.current) body.current.scrollTop = body.current.scrollHeight
  }, [code, isGrowing, isFolded])

  useEffect(() => {
    if (!isGrowing) body.current?.scrollTo({ top: 0 })
  }, [isGrowing])

  return (
    <figure
      className={classes.block}
      aria-label={`Code${language ? ` in ${language}` : ''}, ${lineCount} lines`}
    >
      <figcaption className={classes.caption}>
        <span>{language || 'text'}</span>
        <CopyButton text={code} label="Copy code" />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <pre ref={body} className={classes.body} data-folded={isFolded || undefined} tabIndex={0}>
        <HighlightedCode code={code} language={language} />
      </pre>
      {isLong && (
        <UnstyledButton className={classes.unfold} onClick={() => setOpen(!isOpen)} aria-expanded={isOpen}>
          {isOpen ? 'Show less' : `Show all ${lineCount} lines`}
        </UnstyledButton>
      )}
    </figure>
  )
}

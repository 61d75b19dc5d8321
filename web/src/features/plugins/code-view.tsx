import { IconAlertTriangle, IconCircleX } from '@tabler/icons-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { HighlightedCode, type LineNote } from '../../code/highlighted-code.tsx'
import artifacts from '../artifacts/artifacts.module.css'
import classes from './plugins.module.css'
import type { Finding } from './queries.ts'

/** A line to be brought into view; another object is another jump. */
export interface Jump {
  line: number
}

interface CodeViewProps {
  code: string
  findings: readonly Finding[]
  jump: Jump | null
}

/** Code with what was found at its lines: a mark in the margin, and rule and advice below the line. */
export function CodeView({ code, findings, jump }: CodeViewProps) {
  const area = useRef<HTMLPreElement>(null)
  const byLine = useMemo(() => Map.groupBy(findings, finding => finding.line), [findings])
  // Errors are what one came for; warnings are opened by their mark.
  const [open, setOpen] = useState<ReadonlySet<number>>(
    () => new Set([...byLine].filter(([, found]) => worstOf(found) === 'error').map(([line]) => line)),
  )

  useEffect(() => {
    if (!jump) return
    setOpen(before => new Set([...before, jump.line]))
    const mark = area.current?.querySelector<HTMLElement>(`[data-line="${jump.line}"]`)
    mark?.scrollIntoView({ block: 'center' })
    mark?.focus({ preventScroll: true })
  }, [jump])

  const notes = useMemo(() => {
    const toggle = (line: number) =>
      setOpen(
        before => new Set(before.has(line) ? [...before].filter(one => one !== line) : [...before, line]),
      )
    return new Map([...byLine].map(([line, found]) => [line, noteOf(found, open.has(line), toggle)]))
  }, [byLine, open])

  return (
    <section className={classes.view} aria-label="Code">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <pre ref={area} className={`${artifacts.source} ${classes.source}`} tabIndex={0}>
        <HighlightedCode code={code.replace(/\n$/, '')} language="php" hasLineNumbers notes={notes} />
      </pre>
    </section>
  )
}

function noteOf(found: readonly Finding[], isOpen: boolean, toggle: (line: number) => void): LineNote {
  const line = found[0]?.line ?? 1
  const tone = worstOf(found)
  const rules = found.map(finding => `${finding.severity} ${finding.rule}`).join(', ')
  return {
    tone,
    margin: (
      <button
        type="button"
        className={classes.mark}
        data-line={line}
        data-severity={tone}
        aria-expanded={isOpen}
        aria-label={`Line ${line}: ${rules}`}
        onClick={() => toggle(line)}
      >
        <SeverityIcon severity={tone} />
      </button>
    ),
    below: isOpen && (
      <span className={classes.notes}>
        {found.map(finding => (
          <FindingText key={finding.rule} finding={finding} />
        ))}
      </span>
    ),
  }
}

function worstOf(found: readonly Finding[]): Finding['severity'] {
  return found.some(finding => finding.severity === 'error') ? 'error' : 'warning'
}

/** The sign of a severity; what it means is told beside it. */
export function SeverityIcon({ severity }: Pick<Finding, 'severity'>) {
  return severity === 'error' ? (
    <IconCircleX size={16} aria-hidden />
  ) : (
    <IconAlertTriangle size={16} aria-hidden />
  )
}

/** Severity, rule, what is wrong and what to do. */
export function FindingText({ finding: { severity, rule, message, advice } }: { finding: Finding }) {
  return (
    <span className={classes.finding} data-severity={severity}>
      <strong>
        {severity === 'error' ? 'Error' : 'Warning'}: {message}
      </strong>
      <span>{advice}</span>
      <code>{rule}</code>
    </span>
  )
}

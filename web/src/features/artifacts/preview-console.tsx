import { ActionIcon, Tooltip, UnstyledButton } from '@mantine/core'
import { IconAlertTriangle, IconBan, IconChevronUp, IconCircleX, IconTerminal2 } from '@tabler/icons-react'
import { useState } from 'react'
import classes from './artifacts.module.css'
import { FixButton } from './fix-button.tsx'
import { type PreviewMessage, problemsOf } from './preview-messages.ts'
import type { Fixing } from './use-fix.ts'
import type { usePreviewMessages } from './use-preview-messages.ts'

interface PreviewConsoleProps {
  messages: ReturnType<typeof usePreviewMessages>
  fixing: Fixing
}

/** The drawer under a preview: how much it said, how much of that is trouble, and on demand all of it. */
export function PreviewConsole({ messages, fixing }: PreviewConsoleProps) {
  const [isOpen, setOpen] = useState(false)
  const { entries } = messages
  const errors = entries.filter(entry => entry.level === 'error').length
  const warnings = entries.filter(entry => entry.level === 'warn').length
  return (
    <section className={classes.console} aria-label="Console of the preview">
      <div className={classes.consoleBar}>
        <UnstyledButton
          className={classes.consoleToggle}
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          <IconTerminal2 size={16} aria-hidden />
          Console
          <span className={classes.counts}>
            {errors > 0 && (
              <span data-level="error">
                <IconCircleX size={14} aria-hidden /> {counted(errors, 'error')}
              </span>
            )}
            {warnings > 0 && (
              <span data-level="warn">
                <IconAlertTriangle size={14} aria-hidden /> {warnings}
              </span>
            )}
            {entries.length > 0 && errors + warnings < entries.length && (
              <span>{counted(entries.length - errors - warnings, 'message')}</span>
            )}
          </span>
          <IconChevronUp size={15} aria-hidden className={classes.chevron} />
        </UnstyledButton>
        {errors > 0 && <FixButton fixing={fixing} problems={problemsOf(entries)} size="compact-xs" />}
        {isOpen && (
          <Tooltip label="Clear">
            <ActionIcon size="sm" aria-label="Clear the console" onClick={messages.clear}>
              <IconBan size={15} />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
      <span className="visually-hidden" role="status">
        {errors > 0 ? `The preview reports ${counted(errors, 'error')}.` : ''}
      </span>
      {isOpen && <Entries entries={entries} />}
    </section>
  )
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function Entries({ entries }: { entries: readonly PreviewMessage[] }) {
  if (entries.length === 0) return <p className={classes.note}>Nothing was written to the console.</p>
  return (
    <ol className={classes.entries}>
      {entries.map(entry => (
        <li key={entry.id} data-level={entry.level}>
          <span>{entry.text}</span>
          {entry.place && <span className={classes.entryPlace}>{entry.place}</span>}
        </li>
      ))}
    </ol>
  )
}

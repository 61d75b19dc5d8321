import { ActionIcon, Tooltip, VisuallyHidden } from '@mantine/core'
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react'
import classes from './messages.module.css'
import type { Versions } from './use-versions.ts'

/** ‹ 2/2 › under an answer that was regenerated; nothing under any other. */
export function VersionSwitcher({ versions: { shown, count, show } }: { versions: Versions }) {
  if (count < 2) return null
  const { version } = shown
  return (
    <span className={classes.versions}>
      <Step
        label="Earlier answer"
        icon={IconChevronLeft}
        onStep={version > 1 ? () => show(version - 1) : null}
      />
      <span role="status">
        <VisuallyHidden>
          Version {version} of {count}
        </VisuallyHidden>
        <span aria-hidden>
          {version}/{count}
        </span>
      </span>
      <Step
        label="Later answer"
        icon={IconChevronRight}
        onStep={version < count ? () => show(version + 1) : null}
      />
    </span>
  )
}

interface StepProps {
  label: string
  icon: typeof IconChevronLeft
  onStep: (() => void) | null
}

/** A button that keeps the focus also where there is no further to go. */
function Step({ label, icon: Icon, onStep }: StepProps) {
  const isEnd = onStep === null
  return (
    <Tooltip label={label}>
      <ActionIcon
        size="sm"
        aria-label={label}
        aria-disabled={isEnd}
        {...(isEnd ? { 'data-disabled': true } : {})}
        onClick={() => onStep?.()}
      >
        <Icon size={16} />
      </ActionIcon>
    </Tooltip>
  )
}

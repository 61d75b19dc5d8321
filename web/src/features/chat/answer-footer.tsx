import { ActionIcon, Tooltip } from '@mantine/core'
import { IconRefresh } from '@tabler/icons-react'
import type { Generation } from '../../api/types.ts'
import { CopyButton } from '../../code/copy-button.tsx'
import { formatCost, formatCount } from '../../format.ts'
import classes from './messages.module.css'
import { useModelLabel } from './settings.ts'
import type { Versions } from './use-versions.ts'
import { VersionSwitcher } from './version-switcher.tsx'

interface AnswerFooterProps {
  generation: Generation
  text: string
  versions: Versions
  onRetry: (() => void) | null
}

/** The versions, copy and retry, and in small type what the answer took. */
export function AnswerFooter({ generation, text, versions, onRetry }: AnswerFooterProps) {
  return (
    <footer className={classes.footer}>
      <VersionSwitcher versions={versions} />
      {text && <CopyButton text={text} label="Copy answer" />}
      {onRetry && (
        <Tooltip label="Answer again">
          <ActionIcon size="sm" aria-label="Answer again" onClick={onRetry}>
            <IconRefresh size={16} />
          </ActionIcon>
        </Tooltip>
      )}
      <Took generation={generation} />
    </footer>
  )
}

function Took({ generation }: { generation: Generation }) {
  const { usage, costMicroCredits, model } = generation
  const label = useModelLabel()(model)
  if (!usage) return <span className={classes.took}>{label}</span>
  const about = usage.isEstimated ? '≈ ' : ''
  return (
    <span className={classes.took}>
      {label} · {about}
      {formatCount(usage.inputTokens)} in, {formatCount(usage.outputTokens)} out ·{' '}
      {formatCost(costMicroCredits)}
    </span>
  )
}

import { ActionIcon, Tooltip } from '@mantine/core'
import { IconChevronLeft, IconX } from '@tabler/icons-react'
import type { ListedArtifact } from '../../api/types.ts'
import classes from './artifacts.module.css'
import { DownloadMenu } from './download-menu.tsx'
import { kindOf } from './kinds.ts'

interface PanelHeaderProps {
  /** Absent while it is not known, or when it is gone. */
  artifact: ListedArtifact | undefined
  /** Null when there is nothing else to show. */
  onList: (() => void) | null
  onClose: () => void
}

/** Which artifact this is, the way to the others of the chat, download and close. */
export function PanelHeader({ artifact, onList, onClose }: PanelHeaderProps) {
  const Icon = artifact && kindOf(artifact).icon
  return (
    <header className={classes.panelHeader}>
      {onList && (
        <Tooltip label="All artifacts of this chat">
          <ActionIcon aria-label="All artifacts of this chat" ml={-6} onClick={onList}>
            <IconChevronLeft size={18} />
          </ActionIcon>
        </Tooltip>
      )}
      <div className={classes.panelTitle}>
        {Icon && <Icon size={18} stroke={1.6} aria-hidden />}
        <h2>{artifact?.title}</h2>
      </div>
      {artifact && <DownloadMenu artifact={artifact} />}
      <Tooltip label="Close">
        <ActionIcon aria-label="Close artifact" onClick={onClose} data-autofocus>
          <IconX size={18} />
        </ActionIcon>
      </Tooltip>
    </header>
  )
}

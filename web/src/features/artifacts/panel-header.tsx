import { ActionIcon, Menu, Tooltip, UnstyledButton } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconCheck, IconChevronDown, IconDownload, IconX } from '@tabler/icons-react'
import { explain } from '../../api/errors.ts'
import type { ArtifactSummary, ArtifactType } from '../../api/types.ts'
import classes from './artifacts.module.css'
import { kindOf } from './kinds.ts'
import { useDownload } from './queries.ts'

interface PanelHeaderProps {
  id: string
  known: { title: string; type: ArtifactType; language: string | null; version: number } | undefined
  artifacts: readonly ArtifactSummary[]
  onOpen: (id: string) => void
  onClose: () => void
}

/** Which artifact this is, the way to the others of the chat, download and close. */
export function PanelHeader({ id, known, artifacts, onOpen, onClose }: PanelHeaderProps) {
  const download = useDownload(id)

  function save(): void {
    download.mutate(undefined, {
      onError: thrown =>
        notifications.show({ color: 'red', title: 'Not downloaded', message: explain(thrown) }),
    })
  }

  return (
    <header className={classes.panelHeader}>
      <div className={classes.panelTitle}>
        {artifacts.length > 1 ? (
          <Others id={id} title={known?.title ?? ''} artifacts={artifacts} onOpen={onOpen} />
        ) : (
          <h2>{known?.title}</h2>
        )}
      </div>
      {known && (
        <span className={classes.badge}>
          {kindOf(known).label}
          {known.version > 1 ? ` · v${known.version}` : ''}
        </span>
      )}
      <Tooltip label="Download">
        <ActionIcon aria-label="Download" onClick={save} loading={download.isPending}>
          <IconDownload size={18} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label="Close">
        <ActionIcon aria-label="Close artifact" onClick={onClose} data-autofocus>
          <IconX size={18} />
        </ActionIcon>
      </Tooltip>
    </header>
  )
}

interface OthersProps {
  id: string
  title: string
  artifacts: readonly ArtifactSummary[]
  onOpen: (id: string) => void
}

function Others({ id, title, artifacts, onOpen }: OthersProps) {
  return (
    <Menu position="bottom-start" width={300}>
      <Menu.Target>
        <UnstyledButton className={classes.others} aria-label={`${title}, choose another artifact`}>
          <h2>{title}</h2>
          <IconChevronDown size={15} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown mah={360} style={{ overflowY: 'auto' }}>
        <Menu.Label>Made in this chat</Menu.Label>
        {artifacts.toReversed().map(artifact => {
          const { icon: Icon, label } = kindOf(artifact)
          return (
            <Menu.Item
              key={artifact.id}
              leftSection={<Icon size={16} aria-hidden />}
              rightSection={artifact.id === id && <IconCheck size={15} aria-label="Open now" />}
              onClick={() => onOpen(artifact.id)}
            >
              {artifact.title}
              <span className={classes.cardKind}>
                {' '}
                {label} · v{artifact.version}
              </span>
            </Menu.Item>
          )
        })}
      </Menu.Dropdown>
    </Menu>
  )
}

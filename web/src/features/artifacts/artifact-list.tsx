import { ActionIcon, Tooltip, UnstyledButton } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import classes from './artifacts.module.css'
import type { ChatSide } from './chat-side.ts'
import { originOf, shapeOf } from './facts.ts'
import { kindOf } from './kinds.ts'
import type { Lineage } from './lineages.ts'

interface ArtifactListProps {
  things: readonly Lineage[]
  chat: ChatSide
  onOpen: (id: string) => void
  onClose: () => void
}

/** Everything that was made in a chat, newest change first. */
export function ArtifactList({ things, chat, onOpen, onClose }: ArtifactListProps) {
  return (
    <>
      <header className={classes.panelHeader}>
        <div className={classes.panelTitle}>
          <h2>Made in this chat</h2>
        </div>
        <Tooltip label="Close">
          <ActionIcon aria-label="Close artifacts" onClick={onClose} data-autofocus>
            <IconX size={18} />
          </ActionIcon>
        </Tooltip>
      </header>
      {things.length === 0 ? (
        <p className={classes.note}>Nothing yet. Code in an answer appears here while it is being written.</p>
      ) : (
        <ul className={classes.list} aria-label="Artifacts">
          {things.map(lineage => (
            <li key={lineage.id}>
              <ListItem lineage={lineage} chat={chat} onOpen={onOpen} />
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

interface ListItemProps {
  lineage: Lineage
  chat: ChatSide
  onOpen: (id: string) => void
}

function ListItem({ lineage: { newest, versions }, chat, onOpen }: ListItemProps) {
  const { icon: Icon } = kindOf(newest)
  return (
    <UnstyledButton className={classes.listItem} onClick={() => onOpen(newest.id)}>
      <span className={classes.cardIcon}>
        <Icon size={20} stroke={1.6} aria-hidden />
      </span>
      <span className={classes.cardText}>
        <span className={classes.cardTitle}>{newest.title}</span>
        <span className={classes.cardKind}>{shapeOf(newest)}</span>
      </span>
      <span className={classes.listFacts}>
        <span>{versions.length > 1 ? `${versions.length} versions` : '1 version'}</span>
        <span>{originOf(newest, chat)}</span>
      </span>
    </UnstyledButton>
  )
}

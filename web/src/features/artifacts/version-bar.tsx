import { Button, Menu, UnstyledButton } from '@mantine/core'
import { IconCheck, IconChevronDown } from '@tabler/icons-react'
import type { ListedArtifact } from '../../api/types.ts'
import { exactly } from '../settings/times.ts'
import classes from './artifacts.module.css'
import type { ChatSide } from './chat-side.ts'
import { originOf, shapeOf } from './facts.ts'
import type { Lineage } from './lineages.ts'

interface VersionBarProps {
  artifact: ListedArtifact
  lineage: Lineage
  chat: ChatSide
  onOpen: (id: string) => void
}

/** Which version this is and where it comes from, with the ways to the other versions and to its answer. */
export function VersionBar({ artifact, lineage, chat, onOpen }: VersionBarProps) {
  const { newest } = lineage
  const hasQuestion = chat.questionOf(artifact.messageId) !== null
  return (
    <div className={classes.versionBar}>
      {lineage.versions.length > 1 && (
        <VersionMenu artifact={artifact} lineage={lineage} chat={chat} onOpen={onOpen} />
      )}
      <span className={classes.provenance} title={exactly(artifact.createdAt)}>
        {shapeOf(artifact)} · {originOf(artifact, chat)}
      </span>
      {artifact.id !== newest.id && (
        <Button size="compact-xs" variant="light" onClick={() => onOpen(newest.id)}>
          Show newest
        </Button>
      )}
      {hasQuestion && (
        <Button
          size="compact-xs"
          variant="subtle"
          color="gray"
          onClick={() => chat.showMessage(artifact.messageId)}
        >
          Show in chat
        </Button>
      )}
    </div>
  )
}

function VersionMenu({ artifact, lineage: { versions, newest }, chat, onOpen }: VersionBarProps) {
  return (
    <Menu position="bottom-start" width={320}>
      <Menu.Target>
        <UnstyledButton
          className={classes.versionTarget}
          aria-label={`Version ${artifact.version} of ${newest.version}, choose another version`}
        >
          Version {artifact.version} of {newest.version}
          <IconChevronDown size={14} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown mah={380} style={{ overflowY: 'auto' }}>
        <Menu.Label>Versions</Menu.Label>
        {versions.toReversed().map(version => (
          <Menu.Item
            key={version.id}
            rightSection={version.id === artifact.id && <IconCheck size={15} aria-label="Open now" />}
            onClick={() => onOpen(version.id)}
          >
            <VersionWords version={version} isNewest={version.id === newest.id} chat={chat} />
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

interface VersionWordsProps {
  version: ListedArtifact
  isNewest: boolean
  chat: ChatSide
}

function VersionWords({ version, isNewest, chat }: VersionWordsProps) {
  const question = chat.questionOf(version.messageId)
  return (
    <span className={classes.version}>
      <span>
        Version {version.version}
        {isNewest && <span className={classes.badge}>newest</span>}
      </span>
      <small>{originOf(version, chat)}</small>
      {question !== null && <small className={classes.question}>“{question}”</small>}
    </span>
  )
}

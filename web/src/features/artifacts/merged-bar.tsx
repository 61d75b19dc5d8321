import { Button, Menu } from '@mantine/core'
import { IconArrowMerge, IconChevronDown } from '@tabler/icons-react'
import type { ListedArtifact } from '../../api/types.ts'
import classes from './artifacts.module.css'
import { kindOf } from './kinds.ts'

interface MergedBarProps {
  artifact: ListedArtifact
  /** All of the chat. */
  artifacts: readonly ListedArtifact[]
  onOpen: (id: string) => void
}

/** Of code that was merged from blocks of an answer: the ways to the blocks as they were written, and back. */
export function MergedBar({ artifact, artifacts, onOpen }: MergedBarProps) {
  const whole = artifacts.find(candidate => candidate.id === artifact.consolidatedInto)
  const parts = artifact.consolidatedFrom.flatMap(
    id => artifacts.find(candidate => candidate.id === id) ?? [],
  )
  if (!whole && parts.length === 0) return null
  return (
    <div className={classes.mergedBar}>
      <IconArrowMerge size={16} aria-hidden />
      {whole ? (
        <>
          <span>A block as it was written. It is part of “{whole.title}”.</span>
          <Button size="compact-xs" variant="default" onClick={() => onOpen(whole.id)}>
            Show the whole
          </Button>
        </>
      ) : (
        <>
          <span>Put together from {parts.length} blocks of one answer.</span>
          <Parts parts={parts} onOpen={onOpen} />
        </>
      )}
    </div>
  )
}

function Parts({ parts, onOpen }: { parts: readonly ListedArtifact[]; onOpen: (id: string) => void }) {
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <Button size="compact-xs" variant="default" rightSection={<IconChevronDown size={13} aria-hidden />}>
          Show a block
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={320} style={{ overflowY: 'auto' }}>
        {parts.map(part => {
          const { icon: Icon, label } = kindOf(part)
          return (
            <Menu.Item
              key={part.id}
              leftSection={<Icon size={16} aria-hidden />}
              onClick={() => onOpen(part.id)}
            >
              {part.title}
              <span className={classes.cardKind}> {label}</span>
            </Menu.Item>
          )
        })}
      </Menu.Dropdown>
    </Menu>
  )
}

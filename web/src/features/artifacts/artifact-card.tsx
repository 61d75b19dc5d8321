import { UnstyledButton } from '@mantine/core'
import { IconLayoutSidebarRightExpand } from '@tabler/icons-react'
import type { ArtifactSummary } from '../../api/types.ts'
import classes from './artifacts.module.css'
import { kindOf } from './kinds.ts'
import { useOpenArtifact } from './use-open-artifact.ts'

/** One thing that an answer made; opens it beside the chat. */
export function ArtifactCard({ artifact }: { artifact: ArtifactSummary }) {
  const [openId, open] = useOpenArtifact()
  const { label, icon: Icon, canPreview } = kindOf(artifact)
  const isOpen = openId === artifact.id
  const files = artifact.fileCount > 1 ? ` · ${artifact.fileCount} files` : ''
  const version = artifact.version > 1 ? ` · version ${artifact.version}` : ''
  return (
    <UnstyledButton
      className={classes.card}
      data-open={isOpen || undefined}
      aria-pressed={isOpen}
      onClick={() => open(isOpen ? null : artifact.id)}
    >
      <span className={classes.cardIcon}>
        <Icon size={20} stroke={1.6} aria-hidden />
      </span>
      <span className={classes.cardText}>
        <span className={classes.cardTitle}>{artifact.title}</span>
        <span className={classes.cardKind}>
          {label}
          {files}
          {version}
        </span>
      </span>
      <span className={classes.cardAction}>
        {isOpen ? 'Close' : canPreview ? 'Preview' : 'Open'}
        <IconLayoutSidebarRightExpand size={17} aria-hidden />
      </span>
    </UnstyledButton>
  )
}

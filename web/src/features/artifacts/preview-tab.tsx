import { ActionIcon, Alert, Button, Group, Loader, Text, Tooltip } from '@mantine/core'
import { IconExternalLink, IconReload } from '@tabler/icons-react'
import type { UseQueryResult } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { explain } from '../../api/errors.ts'
import type { Preview } from '../../api/types.ts'
import classes from './artifacts.module.css'
import { BuildProblem } from './build-tab.tsx'
import type { Place } from './code-tab.tsx'
import { FixButton } from './fix-button.tsx'
import { PreviewConsole } from './preview-console.tsx'
import type { Fixing } from './use-fix.ts'
import { usePreviewMessages } from './use-preview-messages.ts'

interface PreviewTabProps {
  preview: UseQueryResult<Preview>
  fixing: Fixing
  onShowBuild: () => void
  onPlace: (place: Place) => void
}

/** The artifact running in a frame of its own, shut off from this page, with what it says to its console. */
export function PreviewTab(props: PreviewTabProps) {
  const { preview, fixing } = props
  const frame = useRef<HTMLIFrameElement>(null)
  const [round, setRound] = useState(0)
  const messages = usePreviewMessages(frame)
  const { data } = preview

  function reload(): void {
    messages.clear()
    const isOld = data?.expiresAt ? new Date(data.expiresAt).getTime() < Date.now() + 5_000 : false
    if (isOld) void preview.refetch()
    else setRound(round + 1)
  }

  if (preview.isPending) {
    return (
      <div className={classes.building} role="status">
        <Loader size="sm" />
        <Text size="sm" c="dimmed">
          Building the preview…
        </Text>
      </div>
    )
  }
  if (preview.isError) {
    return (
      <Alert color="red" variant="light" m="md" role="alert" title="No preview">
        {explain(preview.error)}{' '}
        <Button size="compact-sm" variant="default" onClick={() => void preview.refetch()}>
          Try again
        </Button>
      </Alert>
    )
  }
  if (!data?.url || data.build?.ok === false) return <BuildFailed {...props} />
  return (
    <div className={classes.preview}>
      <div className={classes.previewBar}>
        <Tooltip label="Reload the preview">
          <ActionIcon size="sm" aria-label="Reload the preview" onClick={reload}>
            <IconReload size={16} />
          </ActionIcon>
        </Tooltip>
        <span className={classes.previewNote}>Runs in a sandbox, without access to your account</span>
        <Tooltip label="Open in a new tab">
          <ActionIcon
            size="sm"
            component="a"
            href={data.url}
            target="_blank"
            rel="noopener noreferrer"
            aria-label="Open in a new tab"
          >
            <IconExternalLink size={16} />
          </ActionIcon>
        </Tooltip>
      </div>
      <iframe
        key={`${data.url}#${round}`}
        ref={frame}
        title="Preview"
        src={data.url}
        sandbox="allow-scripts"
        referrerPolicy="no-referrer"
        className={classes.iframe}
      />
      <PreviewConsole messages={messages} fixing={fixing} />
    </div>
  )
}

function BuildFailed({ preview, fixing, onShowBuild, onPlace }: PreviewTabProps) {
  const build = preview.data?.build
  const [first, ...others] = build?.errors ?? []
  return (
    <div className={classes.build} role="alert">
      <Text fw={500}>This does not build yet</Text>
      {first && <BuildProblem message={first} onPlace={onPlace} />}
      <Group gap="xs">
        {build && <FixButton fixing={fixing} />}
        <Button size="compact-sm" variant="default" onClick={onShowBuild}>
          {others.length > 0 ? `Show all ${others.length + 1} errors` : 'Show the build report'}
        </Button>
      </Group>
    </div>
  )
}

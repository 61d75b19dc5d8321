import { ActionIcon, Menu, Tooltip } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconDownload, IconFileCode, IconFileZip } from '@tabler/icons-react'
import { explain } from '../../api/errors.ts'
import type { ListedArtifact } from '../../api/types.ts'
import classes from './artifacts.module.css'
import { kindOf } from './kinds.ts'
import { type DownloadFormat, useDownload } from './queries.ts'

/** The ways to take an artifact along: its file, or a project that builds with its own npm scripts. */
export function DownloadMenu({ artifact }: { artifact: ListedArtifact }) {
  const { mutate, isPending } = useDownload(artifact.id)
  const { isWeb } = kindOf(artifact)
  const isFile = artifact.fileCount === 1

  function save(format: DownloadFormat): void {
    mutate(format, {
      onError: thrown =>
        notifications.show({ color: 'red', title: 'Not downloaded', message: explain(thrown) }),
    })
  }

  return (
    <Menu position="bottom-end" width={310}>
      <Tooltip label="Download">
        <span>
          <Menu.Target>
            <ActionIcon aria-label="Download" loading={isPending}>
              <IconDownload size={18} />
            </ActionIcon>
          </Menu.Target>
        </span>
      </Tooltip>
      <Menu.Dropdown>
        {isFile && (
          <Menu.Item leftSection={<IconFileCode size={17} aria-hidden />} onClick={() => save('auto')}>
            Download file
          </Menu.Item>
        )}
        <Menu.Item leftSection={<IconFileZip size={17} aria-hidden />} onClick={() => save('zip')}>
          {isWeb ? 'Export as project (zip)' : 'Download as zip'}
          {isWeb && <small className={classes.itemHint}>Runs with npm install and npm run dev</small>}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

import { ActionIcon, Button, Menu, Tooltip, UnstyledButton } from '@mantine/core'
import { IconChevronDown, IconCode, IconPencil, IconPlug, IconTrash } from '@tabler/icons-react'
import { Link } from 'wouter'
import { afterMenu } from '../../shell/after-menu.ts'
import { ShowSidebar } from '../../shell/show-sidebar.tsx'
import chat from '../chat/messages.module.css'
import type { Plugin } from './queries.ts'
import { StatusBadge } from './status-badge.tsx'
import { usePluginActions } from './use-plugin-actions.tsx'

interface PluginHeaderProps {
  plugin: Plugin
  /** Why it cannot be finalized now; null when it can. */
  obstacle: string | null
  onFinalize: () => void
  onPanel: (() => void) | null
}

/** The plugin's name with its actions, how far it is, and the way to the finished plugin. */
export function PluginHeader({ plugin, obstacle, onFinalize, onPanel }: PluginHeaderProps) {
  const { rename, remove } = usePluginActions(plugin)
  return (
    <header className={chat.header}>
      <ShowSidebar />
      <h1 className={chat.headerTitle}>
        <Menu position="bottom-start" width={180}>
          <Menu.Target>
            <UnstyledButton className={chat.title} aria-label={`Plugin “${plugin.name}”, actions`}>
              <span>{plugin.name}</span>
              <IconChevronDown size={15} aria-hidden />
            </UnstyledButton>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconPencil size={16} />} onClick={afterMenu(rename)}>
              Rename
            </Menu.Item>
            <Menu.Item component={Link} href="/plugins" leftSection={<IconPlug size={16} />}>
              All plugins
            </Menu.Item>
            <Menu.Item leftSection={<IconTrash size={16} />} color="red" onClick={afterMenu(remove)}>
              Delete
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </h1>
      <StatusBadge status={plugin.status} />
      <Tooltip label={obstacle ?? 'Ask for the finished plugin'}>
        <Button
          size="compact-sm"
          variant={plugin.status === 'final' ? 'default' : 'filled'}
          onClick={() => obstacle === null && onFinalize()}
          {...(obstacle ? { 'data-disabled': true, 'aria-disabled': true } : {})}
        >
          Finalize
        </Button>
      </Tooltip>
      {onPanel && (
        <Tooltip label="Show the code">
          <ActionIcon size="md" aria-label="Show the code" onClick={onPanel}>
            <IconCode size={19} />
          </ActionIcon>
        </Tooltip>
      )}
    </header>
  )
}

import { ActionIcon, Tooltip } from '@mantine/core'
import { IconLayoutSidebarLeftExpand } from '@tabler/icons-react'
import { useShell } from './shell-controls.ts'

/** The way back to the sidebar, at the head of a page; nothing while the sidebar is there. */
export function ShowSidebar() {
  const { isSidebarVisible, showSidebar } = useShell()
  if (isSidebarVisible) return null
  return (
    <Tooltip label="Show sidebar (Ctrl+B)">
      <ActionIcon size="md" aria-label="Show sidebar" onClick={showSidebar}>
        <IconLayoutSidebarLeftExpand size={19} />
      </ActionIcon>
    </Tooltip>
  )
}

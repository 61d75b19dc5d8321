import { ActionIcon, Title, Tooltip } from '@mantine/core'
import { IconLayoutSidebarLeftExpand } from '@tabler/icons-react'
import { type ReactNode, useEffect, useSyncExternalStore } from 'react'
import { Link } from 'wouter'
import { session } from '../../api/session.ts'
import { useShell } from '../../shell/shell-controls.ts'
import settings from '../settings/settings.module.css'
import { useLiveChanges } from './live-changes.ts'

/** A page of this section: its title, the way to the other one, and what it shows. */
export function PageFrame({ title, children }: { title: string; children: ReactNode }) {
  const { isSidebarVisible, showSidebar } = useShell()
  const current = useSyncExternalStore(session.subscribe, session.read)
  useLiveChanges(current.status === 'signed-in' ? current.account.id : '')
  useEffect(() => {
    document.title = `${title} · Atelier`
  }, [title])
  return (
    <div className={settings.page}>
      <div className={settings.column}>
        <header className={settings.header}>
          {!isSidebarVisible && (
            <Tooltip label="Show sidebar (Ctrl+B)">
              <ActionIcon size="md" aria-label="Show sidebar" onClick={showSidebar}>
                <IconLayoutSidebarLeftExpand size={19} />
              </ActionIcon>
            </Tooltip>
          )}
          <Title order={1} size="h3">
            {title}
          </Title>
        </header>
        <nav className={settings.parts} aria-label="Content">
          <Link href="/content" aria-current={title === 'Content' ? 'page' : undefined}>
            Write
          </Link>
          <Link href="/library" aria-current={title === 'Library' ? 'page' : undefined}>
            Library
          </Link>
        </nav>
        {children}
      </div>
    </div>
  )
}

import { Drawer } from '@mantine/core'
import { useDisclosure, useHotkeys, useLocalStorage, useMediaQuery } from '@mantine/hooks'
import { type ReactNode, useEffect, useMemo } from 'react'
import { useLocation } from 'wouter'
import type { Account } from '../api/types.ts'
import { ConnectionNotice } from './connection-notice.tsx'
import classes from './shell.module.css'
import { ShellContext } from './shell-controls.ts'
import { Sidebar } from './sidebar.tsx'
import { useSessionWatch } from './use-session-watch.ts'

/** The frame of all signed-in pages: sidebar (a drawer on narrow screens), notices, and the page itself. */
export function Shell({ account, children }: { account: Account; children: ReactNode }) {
  useSessionWatch()
  const isNarrow = useMediaQuery('(max-width: 52em)', matchMedia('(max-width: 52em)').matches)
  const [isDrawerOpen, drawer] = useDisclosure(false)
  const [isCollapsed, setCollapsed] = useLocalStorage({
    key: 'atelier.sidebar-collapsed',
    defaultValue: false,
  })
  const [location, navigate] = useLocation()
  useHotkeys([
    ['mod+shift+O', () => navigate('/')],
    ['mod+B', () => (isNarrow ? drawer.toggle() : setCollapsed(value => !value))],
  ])
  // biome-ignore lint/correctness/useExhaustiveDependencies: going anywhere closes the drawer
  useEffect(() => drawer.close(), [location])

  const isFixed = !isNarrow && !isCollapsed
  const controls = useMemo(
    () => ({
      isSidebarVisible: isFixed,
      showSidebar: () => (isNarrow ? drawer.open() : setCollapsed(false)),
    }),
    [isFixed, isNarrow, drawer.open, setCollapsed],
  )
  const sidebar = <Sidebar account={account} onHide={isNarrow ? drawer.close : () => setCollapsed(true)} />
  return (
    <ShellContext value={controls}>
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <div className={classes.frame}>
        {isFixed && <div className={classes.sidebar}>{sidebar}</div>}
        <main id="main" tabIndex={-1} className={classes.main}>
          <ConnectionNotice />
          {children}
        </main>
      </div>
      <Drawer.Root opened={isNarrow && isDrawerOpen} onClose={drawer.close} size={300} padding={0}>
        <Drawer.Overlay backgroundOpacity={0.35} />
        <Drawer.Content aria-label="Navigation">
          <Drawer.Body className={classes.drawer ?? ''}>{sidebar}</Drawer.Body>
        </Drawer.Content>
      </Drawer.Root>
    </ShellContext>
  )
}

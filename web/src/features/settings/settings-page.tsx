import { Title } from '@mantine/core'
import { useEffect, useRef } from 'react'
import { Link, Route, Switch, useLocation } from 'wouter'
import type { Account } from '../../api/types.ts'
import { NotFound } from '../../shell/not-found.tsx'
import { ShowSidebar } from '../../shell/show-sidebar.tsx'
import { BillingPage } from '../billing/billing-page.tsx'
import { KeysPage } from '../keys/keys-page.tsx'
import { UsagePage } from '../usage/usage-page.tsx'
import { ActivityPage } from './activity-page.tsx'
import { ProfilePage } from './profile-page.tsx'
import { SecurityPage } from './security-page.tsx'
import classes from './settings.module.css'

/** The parts of the settings. A part that comes later (usage, billing, keys) adds its line and its route. */
const parts = [
  { href: '/settings', label: 'Profile' },
  { href: '/settings/security', label: 'Security' },
  { href: '/settings/billing', label: 'Plan & credits' },
  { href: '/settings/keys', label: 'Provider keys' },
  { href: '/settings/usage', label: 'Usage' },
  { href: '/settings/activity', label: 'Activity' },
] as const

/** Everything about one's own account. */
export default function SettingsPage({ account }: { account: Account }) {
  const [location] = useLocation()
  const nav = useRef<HTMLElement>(null)
  useEffect(() => {
    document.title = 'Settings · Atelier'
  }, [])
  // biome-ignore lint/correctness/useExhaustiveDependencies: another address marks another part
  useEffect(() => {
    const here = nav.current?.querySelector('[aria-current]')
    here?.scrollIntoView({ block: 'nearest', inline: 'center' })
  }, [location])
  return (
    <div className={classes.page}>
      <div className={classes.column}>
        <header className={classes.header}>
          <ShowSidebar />
          <Title order={1} size="h3">
            Settings
          </Title>
        </header>
        <nav ref={nav} className={classes.parts} aria-label="Settings">
          {parts.map(({ href, label }) => (
            <Link key={href} href={href} aria-current={location === href ? 'page' : undefined}>
              {label}
            </Link>
          ))}
        </nav>
        <Switch>
          <Route path="/settings">{() => <ProfilePage account={account} />}</Route>
          <Route path="/settings/security">{() => <SecurityPage account={account} />}</Route>
          <Route path="/settings/billing">{() => <BillingPage account={account} />}</Route>
          <Route path="/settings/keys">{() => <KeysPage />}</Route>
          <Route path="/settings/usage">{() => <UsagePage />}</Route>
          <Route path="/settings/activity">{() => <ActivityPage />}</Route>
          <Route>{() => <NotFound />}</Route>
        </Switch>
      </div>
    </div>
  )
}

import { Button, Center, Loader, Stack, Text } from '@mantine/core'
import { lazy, Suspense, useEffect, useSyncExternalStore } from 'react'
import { Redirect, Route, Switch, useLocation } from 'wouter'
import { liveGenerations } from '../api/live.ts'
import { queryClient } from '../api/queries.ts'
import { restore, session } from '../api/session.ts'
import { AccountPages, openAddresses } from '../features/account/account-pages.tsx'
import { ChatPage } from '../features/chat/chat-page.tsx'
import { outbox } from '../features/chat/outbox.ts'
import { Brand } from './brand.tsx'
import { NotFound } from './not-found.tsx'
import { Shell } from './shell.tsx'

const ContentPage = lazy(() => import('../features/library/content-page.tsx'))
const LibraryPage = lazy(() => import('../features/library/library-page.tsx'))
const EntryPage = lazy(() => import('../features/library/entry-page.tsx'))
const PluginsPage = lazy(() => import('../features/plugins/plugins-page.tsx'))
const PluginPage = lazy(() => import('../features/plugins/plugin-page.tsx'))
const SettingsPage = lazy(() => import('../features/settings/settings-page.tsx'))

/** The console: what to show depends on who is signed in, then on the address. */
export function App() {
  const current = useSyncExternalStore(session.subscribe, session.read)
  const [location] = useLocation()
  const isSignedOut = current.status === 'signed-out'

  useEffect(() => {
    if (!isSignedOut) return
    liveGenerations.clear()
    outbox.clear()
    queryClient.clear()
  }, [isSignedOut])

  if (current.status === 'checking') return <Opening />
  if (current.status === 'unreachable') return <Unreachable />
  if (isSignedOut || openAddresses.has(location))
    return <AccountPages because={isSignedOut ? current.because : undefined} />
  return (
    <Shell account={current.account}>
      <Switch>
        <Route path="/">{() => <ChatPage />}</Route>
        <Route path="/c/:id">{({ id }) => <ChatPage conversationId={id} />}</Route>
        <Route path="/content">
          {() => (
            <Suspense fallback={null}>
              <ContentPage />
            </Suspense>
          )}
        </Route>
        <Route path="/library/:id?">
          {({ id }) => <Suspense fallback={null}>{id ? <EntryPage id={id} /> : <LibraryPage />}</Suspense>}
        </Route>
        <Route path="/plugins/:id?">
          {({ id }) => (
            <Suspense fallback={null}>{id ? <PluginPage key={id} id={id} /> : <PluginsPage />}</Suspense>
          )}
        </Route>
        <Route path="/settings/*?">
          {() => (
            <Suspense fallback={null}>
              <SettingsPage account={current.account} />
            </Suspense>
          )}
        </Route>
        <Route path="/login">{() => <Redirect to="/" replace />}</Route>
        <Route path="/signup">{() => <Redirect to="/" replace />}</Route>
        <Route>{() => <NotFound />}</Route>
      </Switch>
    </Shell>
  )
}

function Opening() {
  return (
    <Center h="100%" role="status" aria-label="Opening Atelier">
      <Loader />
    </Center>
  )
}

function Unreachable() {
  useEffect(() => {
    const timer = setInterval(restore, 5_000)
    addEventListener('online', restore)
    return () => {
      clearInterval(timer)
      removeEventListener('online', restore)
    }
  }, [])
  return (
    <Center h="100%" p="lg">
      <Stack align="center" gap="md" maw={380}>
        <Brand />
        <Text ta="center" role="status">
          The server cannot be reached. This page keeps trying and goes on by itself.
        </Text>
        <Button variant="default" onClick={restore}>
          Try now
        </Button>
      </Stack>
    </Center>
  )
}

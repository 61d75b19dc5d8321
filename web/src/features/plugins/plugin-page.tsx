import { Button, Center, Loader, Stack, Text, Title } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useCallback, useEffect, useState, useSyncExternalStore } from 'react'
import { Link } from 'wouter'
import { explain } from '../../api/errors.ts'
import { liveGenerations } from '../../api/live.ts'
import { ShowSidebar } from '../../shell/show-sidebar.tsx'
import { ArtifactFrame } from '../artifacts/artifact-frame.tsx'
import { Announcer } from '../chat/announcer.tsx'
import { isGone } from '../chat/message-list.tsx'
import chat from '../chat/messages.module.css'
import { CheckAnnouncer } from './check-announcer.tsx'
import { CodePanel } from './code-panel.tsx'
import { PluginChat } from './plugin-chat.tsx'
import { type Plugin, useHistory, usePlugin, useVersions } from './queries.ts'
import { splitAnswer } from './split-answer.ts'
import { runningOf, useRefreshing } from './use-turn.ts'

/** One plugin: what is said about it, and beside that its code with what the checks found. */
export default function PluginPage({ id }: { id: string }) {
  const plugin = usePlugin(id)
  useRefreshing(plugin.data)
  const name = plugin.data?.name
  useEffect(() => {
    document.title = name ? `${name} · Atelier` : 'Plugin · Atelier'
  }, [name])
  if (plugin.data && !isGone(plugin.error)) return <Workshop plugin={plugin.data} />
  return (
    <section className={chat.chat} aria-label="Plugin">
      <header className={chat.header}>
        <ShowSidebar />
      </header>
      {plugin.isPending ? (
        <Center p="xl">
          <Loader size="sm" aria-label="Loading the plugin" />
        </Center>
      ) : (
        <Problem error={plugin.error} onRetry={() => void plugin.refetch()} />
      )}
    </section>
  )
}

function Problem({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const isAway = isGone(error)
  return (
    <Stack align="center" gap="xs" pt="14vh" px="md">
      <Title order={1} size="h3" ta="center">
        {isAway ? 'This plugin is not here' : 'The plugin could not be loaded'}
      </Title>
      <Text c="dimmed" ta="center">
        {isAway ? 'It was deleted, or it belongs to another account.' : explain(error)}
      </Text>
      {isAway ? (
        <Button component={Link} href="/plugins" mt="sm">
          All plugins
        </Button>
      ) : (
        <Button mt="sm" variant="default" onClick={onRetry}>
          Try again
        </Button>
      )}
    </Stack>
  )
}

function Workshop({ plugin }: { plugin: Plugin }) {
  const history = useHistory(plugin.id)
  const versions = useVersions(plugin.id).data ?? []
  const isWide = useMediaQuery('(min-width: 62em)', matchMedia('(min-width: 62em)').matches)
  const [isOpen, setOpen] = useState(isWide)
  const [chosen, choose] = useState<number | null>(null)
  const runningId = runningOf(history.data)
  const isGrowing = useIsGrowing(runningId)
  const latest = plugin.latestVersion?.version ?? null
  const hasCode = latest !== null || isGrowing

  // What is new is shown, whatever was looked at before.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version is the reason
  useEffect(() => choose(null), [latest])

  const show = useCallback((version: number | null) => {
    choose(version)
    setOpen(true)
  }, [])

  return (
    <ArtifactFrame
      isWide={isWide}
      label="Code of the plugin"
      onClose={() => setOpen(false)}
      panel={
        isOpen && hasCode ? (
          <CodePanel
            plugin={plugin}
            versions={versions}
            version={chosen ?? latest}
            growingId={chosen === null && isGrowing ? runningId : null}
            onChoose={choose}
            onClose={() => setOpen(false)}
          />
        ) : null
      }
    >
      <Announcer />
      <CheckAnnouncer pluginId={plugin.id} />
      <PluginChat
        plugin={plugin}
        history={history}
        versions={versions}
        runningId={runningId}
        onShow={show}
        onPanel={hasCode && !isOpen ? () => setOpen(true) : null}
      />
    </ArtifactFrame>
  )
}

/** Whether a run writes code at this moment; the code itself changes too often to be asked for here. */
function useIsGrowing(runningId: string | null): boolean {
  return useSyncExternalStore(
    liveGenerations.subscribe,
    () => splitAnswer(liveGenerations.read(runningId ?? undefined)?.text ?? '').code !== null,
  )
}

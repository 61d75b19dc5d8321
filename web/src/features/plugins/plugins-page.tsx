import { Alert, Button, Center, Loader, Text, TextInput, Title } from '@mantine/core'
import { IconPlug } from '@tabler/icons-react'
import { type FormEvent, useEffect, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { ApiError, explain } from '../../api/errors.ts'
import { RowMenu } from '../../shell/row-menu.tsx'
import { ShowSidebar } from '../../shell/show-sidebar.tsx'
import settings from '../settings/settings.module.css'
import { ago } from '../settings/times.ts'
import classes from './plugins.module.css'
import { createPlugin, type Plugin, usePlugins } from './queries.ts'
import { StatusBadge } from './status-badge.tsx'
import { usePluginActions } from './use-plugin-actions.tsx'
import { countsOf } from './words.ts'

/** The plugins of the account, and the beginning of a new one. */
export default function PluginsPage() {
  const list = usePlugins()
  const plugins = list.data?.pages.flatMap(page => page.plugins) ?? []
  useEffect(() => {
    document.title = 'Plugins · Atelier'
  }, [])
  return (
    <div className={settings.page}>
      <div className={settings.column}>
        <header className={settings.header}>
          <ShowSidebar />
          <Title order={1} size="h3">
            Plugins
          </Title>
        </header>
        <Text c="dimmed" size="sm" mt={4}>
          WooCommerce plugins, written by talking about them, checked, and packed for “Upload plugin”.
        </Text>
        <NewPlugin />
        {list.isPending && (
          <Center p="lg">
            <Loader size="sm" aria-label="Loading the plugins" />
          </Center>
        )}
        {list.isError && (
          <Alert color="red" variant="light" mt="md" role="alert">
            {explain(list.error)}{' '}
            <Button size="compact-sm" variant="default" onClick={() => void list.refetch()}>
              Try again
            </Button>
          </Alert>
        )}
        {list.isSuccess && plugins.length === 0 && (
          <div className={classes.none}>
            <IconPlug size={28} aria-hidden />
            <Text c="dimmed">No plugins yet. Give the first one a name; what it does is said next.</Text>
          </div>
        )}
        <ul className={classes.list} aria-label="Plugins">
          {plugins.map(plugin => (
            <PluginCard key={plugin.id} plugin={plugin} />
          ))}
        </ul>
        {list.hasNextPage && (
          <Button
            variant="default"
            loading={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            Show older
          </Button>
        )}
      </div>
    </div>
  )
}

function NewPlugin() {
  const [, go] = useLocation()
  const [name, setName] = useState('')
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    if (isBusy) return
    if (name.trim() === '') return setProblem('Give the plugin a name first.')
    setBusy(true)
    try {
      go(`/plugins/${await createPlugin(name.trim())}`)
    } catch (thrown) {
      setProblem(thrown instanceof ApiError ? (thrown.fields.name ?? explain(thrown)) : explain(thrown))
      setBusy(false)
    }
  }

  return (
    <form className={classes.begin} onSubmit={event => void submit(event)}>
      <TextInput
        className={classes.grow}
        label="Name of a new plugin"
        placeholder="Gift wrapping"
        maxLength={200}
        value={name}
        error={problem}
        onChange={event => {
          setName(event.currentTarget.value)
          setProblem(null)
        }}
      />
      <Button type="submit" loading={isBusy}>
        New plugin
      </Button>
    </form>
  )
}

function PluginCard({ plugin }: { plugin: Plugin }) {
  const { rename, remove } = usePluginActions(plugin)
  const { latestVersion: latest } = plugin
  return (
    <li className={classes.card}>
      <span className={classes.cardIcon}>
        <IconPlug size={19} stroke={1.6} aria-hidden />
      </span>
      <div className={classes.cardText}>
        <Link href={`/plugins/${plugin.id}`} className={classes.cardName ?? ''}>
          {plugin.name}
        </Link>
        <Text size="xs" c="dimmed">
          {latest ? `Version ${latest.version}, ${countsOf(latest)} · ` : ''}
          {ago(plugin.updatedAt)}
        </Text>
      </div>
      {plugin.openTurn && <Loader size="xs" aria-label="Being written" />}
      <StatusBadge status={plugin.status} />
      <RowMenu
        name={plugin.name}
        className={classes.dots ?? ''}
        iconSize={17}
        onRename={rename}
        onDelete={remove}
      />
    </li>
  )
}

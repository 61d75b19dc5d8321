import { Button, Group, Text, TextInput } from '@mantine/core'
import { modals } from '@mantine/modals'
import { notifications } from '@mantine/notifications'
import { type FormEvent, useState } from 'react'
import { useLocation } from 'wouter'
import { ApiError, explain } from '../../api/errors.ts'
import { type Plugin, removePlugin, renamePlugin } from './queries.ts'

type Named = Pick<Plugin, 'id' | 'name'>

/** Rename and delete of one plugin, each with its dialog. */
export function usePluginActions(plugin: Named) {
  const [location, navigate] = useLocation()

  function rename(): void {
    const modalId = modals.open({
      title: 'Rename plugin',
      children: <RenameForm plugin={plugin} onDone={() => modals.close(modalId)} />,
    })
  }

  function remove(): void {
    modals.openConfirmModal({
      title: 'Delete this plugin?',
      children: (
        <Text size="sm">
          “{plugin.name}” with its messages and all its versions will be deleted. This cannot be undone.
        </Text>
      ),
      labels: { confirm: 'Delete plugin', cancel: 'Keep it' },
      confirmProps: { color: 'red' },
      onConfirm: () => void removeNow(),
    })
  }

  async function removeNow(): Promise<void> {
    try {
      // The page of what is gone is left first, or it would ask for it once more.
      if (location === `/plugins/${plugin.id}`) navigate('/plugins', { replace: true })
      await removePlugin(plugin.id)
      notifications.show({ message: 'Plugin deleted.' })
    } catch (thrown) {
      notifications.show({ color: 'red', title: 'The plugin was not deleted', message: explain(thrown) })
    }
  }

  return { rename, remove }
}

function RenameForm({ plugin, onDone }: { plugin: Named; onDone: () => void }) {
  const [name, setName] = useState(plugin.name)
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    const trimmed = name.trim()
    if (!trimmed || trimmed === plugin.name) return onDone()
    setBusy(true)
    try {
      await renamePlugin(plugin.id, trimmed)
      onDone()
    } catch (thrown) {
      setProblem(thrown instanceof ApiError ? (thrown.fields.name ?? explain(thrown)) : explain(thrown))
      setBusy(false)
    }
  }

  return (
    <form onSubmit={event => void submit(event)}>
      <TextInput
        label="Name"
        data-autofocus
        maxLength={200}
        value={name}
        error={problem}
        onFocus={event => event.currentTarget.select()}
        onChange={event => setName(event.currentTarget.value)}
      />
      <Group justify="flex-end" mt="lg" gap="sm">
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
        <Button type="submit" loading={isBusy}>
          Rename
        </Button>
      </Group>
    </form>
  )
}

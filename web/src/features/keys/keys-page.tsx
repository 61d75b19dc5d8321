import { Alert, Button, Group, Skeleton, Stack, Text } from '@mantine/core'
import { modals } from '@mantine/modals'
import { notifications } from '@mantine/notifications'
import { explain } from '../../api/errors.ts'
import { Section } from '../settings/section.tsx'
import { KeyCard } from './key-card.tsx'
import { KeyForm } from './key-form.tsx'
import classes from './keys.module.css'
import { useKeys } from './queries.ts'

/** A person's own keys for model providers. */
export function KeysPage() {
  return (
    <Section
      title="Provider keys"
      lead="With a key of your own, a provider's models cost you no credits and do not count toward your daily messages: the provider bills you. Keys are sealed and never shown again. One key of each provider is active."
    >
      <Stack gap="sm">
        <KeyList />
        <Group>
          <Button onClick={add}>Add a key</Button>
        </Group>
      </Stack>
    </Section>
  )
}

function add(): void {
  const modalId = modals.open({
    title: 'Add a provider key',
    children: (
      <KeyForm
        onDone={() => {
          modals.close(modalId)
          notifications.show({ message: 'The key is kept, and active.' })
        }}
      />
    ),
  })
}

function KeyList() {
  const keys = useKeys()
  if (keys.isPending) return <Skeleton height={96} radius="md" role="status" aria-label="Loading your keys" />
  if (keys.isError) {
    return (
      <Alert color="red" variant="light" role="alert">
        {explain(keys.error)}
      </Alert>
    )
  }
  if (keys.data.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        No keys yet. Answers cost credits.
      </Text>
    )
  }
  return (
    <ul className={classes.list} aria-label="Provider keys">
      {keys.data.map(providerKey => (
        <KeyCard key={providerKey.id} providerKey={providerKey} />
      ))}
    </ul>
  )
}

import { Alert, Button, Group, Switch, Text } from '@mantine/core'
import { modals } from '@mantine/modals'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import { explain } from '../../api/errors.ts'
import type { ProviderKey, ProviderKeyVerdict } from '../../api/types.ts'
import { ago } from '../settings/times.ts'
import { KeyUsage } from './key-usage.tsx'
import classes from './keys.module.css'
import { providerLabel } from './providers.ts'
import { changeKey, removeKey, testKey } from './queries.ts'
import { ReplaceForm } from './replace-form.tsx'

/** One key: what it is, what it does, what it was used for. */
export function KeyCard({ providerKey }: { providerKey: ProviderKey }) {
  const { id, name, isActive, fallbackToCredits } = providerKey
  const [busy, setBusy] = useState<'test' | 'active' | 'fallback' | 'remove' | null>(null)
  const [verdict, setVerdict] = useState<ProviderKeyVerdict | null>(null)

  async function run(what: NonNullable<typeof busy>, work: () => Promise<unknown>): Promise<void> {
    setBusy(what)
    try {
      await work()
    } catch (thrown) {
      notifications.show({ color: 'red', message: explain(thrown) })
    } finally {
      setBusy(null)
    }
  }

  function replace(): void {
    const modalId = modals.open({
      title: `Replace ${name}`,
      children: (
        <ReplaceForm
          providerKey={providerKey}
          onDone={() => {
            modals.close(modalId)
            setVerdict(null)
            notifications.show({ message: `${name} has its new key.` })
          }}
        />
      ),
    })
  }

  function askRemoval(): void {
    modals.openConfirmModal({
      title: `Remove ${name}?`,
      children: (
        <Text size="sm">The key and its usage are erased for good. Answers then cost credits again.</Text>
      ),
      labels: { confirm: 'Remove key', cancel: 'Keep it' },
      confirmProps: { color: 'red' },
      onConfirm: () => void run('remove', () => removeKey(id)),
    })
  }

  return (
    <li className={classes.card} aria-label={name}>
      <div className={classes.head}>
        <div className={classes.grow}>
          <Text size="sm" fw={500}>
            {name}
          </Text>
          <Text size="xs" c="dimmed">
            {describe(providerKey)}
          </Text>
        </div>
        <Switch
          label="Active"
          aria-label={`${name} is active`}
          checked={isActive}
          disabled={busy === 'active'}
          onChange={event => {
            const wanted = event.currentTarget.checked
            void run('active', () => changeKey(id, { isActive: wanted }))
          }}
        />
      </div>
      <LastError providerKey={providerKey} />
      <div role="status">
        {verdict && (
          <Alert color={verdict.verdict === 'works' ? 'green' : 'orange'} variant="light" p="sm">
            {verdict.message}
            {verdict.models.length > 0 && ` It offers ${verdict.models.slice(0, 5).join(', ')}.`}
          </Alert>
        )}
      </div>
      <KeyUsage id={id} />
      <Group justify="space-between" gap="sm">
        <Switch
          size="xs"
          label="Use credits when refused"
          checked={fallbackToCredits}
          disabled={busy === 'fallback'}
          onChange={event => {
            const wanted = event.currentTarget.checked
            void run('fallback', () => changeKey(id, { fallbackToCredits: wanted }))
          }}
        />
        <Group gap="xs">
          <Button
            size="compact-sm"
            variant="default"
            loading={busy === 'test'}
            aria-label={`Test ${name}`}
            onClick={() => void run('test', async () => setVerdict(await testKey(id)))}
          >
            Test
          </Button>
          <Button size="compact-sm" variant="default" aria-label={`Replace ${name}`} onClick={replace}>
            Replace
          </Button>
          <Button
            size="compact-sm"
            variant="subtle"
            color="red"
            loading={busy === 'remove'}
            aria-label={`Remove ${name}`}
            onClick={askRemoval}
          >
            Remove
          </Button>
        </Group>
      </Group>
    </li>
  )
}

function LastError({ providerKey: { lastError } }: { providerKey: ProviderKey }) {
  if (!lastError) return null
  return (
    <Text size="xs" className={classes.error}>
      Last failure {ago(lastError.at)}: {lastError.message}
    </Text>
  )
}

function describe({ provider, lastFour, baseUrl, lastUsedAt, fingerprint }: ProviderKey): string {
  return [
    providerLabel(provider),
    lastFour ? `••••${lastFour}` : '••••',
    baseUrl,
    lastUsedAt ? `used ${ago(lastUsedAt)}` : 'not used for an answer yet',
    `fingerprint ${fingerprint.slice(0, 8)}`,
  ]
    .filter(Boolean)
    .join(' · ')
}

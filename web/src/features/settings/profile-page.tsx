import { Button, Group, Stack, Text, TextInput } from '@mantine/core'
import { modals } from '@mantine/modals'
import { notifications } from '@mantine/notifications'
import type { Account } from '../../api/types.ts'
import { formatCount } from '../../format.ts'
import { FormFailure } from '../account/form-failure.tsx'
import { useForm } from '../account/use-form.ts'
import { AddressDialog } from './address-dialog.tsx'
import { changeProfile, useStatistics } from './queries.ts'
import { Section } from './section.tsx'
import classes from './settings.module.css'

/** Names, addresses and numbers of the account. */
export function ProfilePage({ account }: { account: Account }) {
  return (
    <>
      <Section title="Profile" lead="How you are called here.">
        <NamesForm account={account} />
      </Section>
      <Section title="Addresses" lead="What you sign in with, and where codes are sent to.">
        <Stack gap="sm">
          <AddressRow
            kind="email"
            value={account.email}
            isVerified={account.isEmailVerified}
            account={account}
          />
          <AddressRow
            kind="mobile"
            value={account.mobile}
            isVerified={account.isMobileVerified}
            account={account}
          />
        </Stack>
      </Section>
      <Statistics plan={account.plan} />
    </>
  )
}

function NamesForm({ account }: { account: Account }) {
  const { form, field, values, submit, isBusy, failure } = useForm({
    initial: { name: account.name ?? '', username: account.username ?? '' },
    submit: async ({ name, username }) => {
      await changeProfile({ name: name.trim() || null, username: username.trim() || null })
      notifications.show({ message: 'Your profile is saved.' })
    },
  })
  const isChanged = values.name !== (account.name ?? '') || values.username !== (account.username ?? '')
  return (
    <form ref={form} onSubmit={submit} noValidate>
      <Stack gap="md">
        <FormFailure message={failure} />
        <TextInput label="Name" autoComplete="name" {...field('name')} />
        <TextInput label="Username" autoComplete="username" spellCheck={false} {...field('username')} />
        <Group>
          <Button type="submit" loading={isBusy} disabled={!isChanged}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

interface AddressRowProps {
  kind: 'email' | 'mobile'
  value: string | null
  isVerified: boolean
  account: Account
}

function AddressRow({ kind, value, isVerified, account }: AddressRowProps) {
  const noun = kind === 'email' ? 'E-mail address' : 'Mobile number'

  const canVerify = value !== null && !isVerified

  function open(title: string, verified?: string): void {
    const onDone = () => modals.close(modalId)
    const modalId = modals.open({
      title,
      children: <AddressDialog kind={kind} account={account} verified={verified} onDone={onDone} />,
    })
  }

  return (
    <div className={classes.line}>
      <div>
        <Text size="sm" fw={500}>
          {noun}
        </Text>
        <Text size="sm" c="dimmed">
          {value ?? 'None'}
          {value && !isVerified && ' · not verified'}
        </Text>
      </div>
      <Group gap="xs">
        {canVerify && (
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => open(`Verify your ${noun.toLowerCase()}`, value)}
            aria-label={`Verify ${noun}`}
          >
            Verify
          </Button>
        )}
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => open(`${value ? 'Change your' : 'Add a'} ${noun.toLowerCase()}`)}
          aria-label={`${value ? 'Change' : 'Add'} ${noun}`}
        >
          {value ? 'Change' : 'Add'}
        </Button>
      </Group>
    </div>
  )
}

function Statistics({ plan }: { plan: string }) {
  const statistics = useStatistics()
  const numbers = Object.entries(statistics.data ?? {})
  return (
    <Section title="In numbers" lead="What this account holds.">
      <dl className={classes.numbers}>
        <div>
          <dd>{plan.charAt(0).toUpperCase() + plan.slice(1)}</dd>
          <dt>Plan</dt>
        </div>
        {numbers.map(([name, count]) => (
          <div key={name}>
            <dd>{formatCount(count)}</dd>
            <dt>{wordsOf(name)}</dt>
          </div>
        ))}
      </dl>
    </Section>
  )
}

/** "activeSessions" → "Active sessions". */
function wordsOf(name: string): string {
  const words = name.replace(/([A-Z])/g, ' $1').toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

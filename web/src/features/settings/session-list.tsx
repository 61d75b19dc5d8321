import { Alert, Badge, Button, Group, Skeleton, Stack, Text, TextInput } from '@mantine/core'
import { modals } from '@mantine/modals'
import { notifications } from '@mantine/notifications'
import { IconDeviceDesktop, IconDeviceMobile } from '@tabler/icons-react'
import { explain } from '../../api/errors.ts'
import type { Session } from '../../api/types.ts'
import { FormFailure } from '../account/form-failure.tsx'
import { useForm } from '../account/use-form.ts'
import { nameSession, useEndSessions, useSessions } from './queries.ts'
import classes from './settings.module.css'
import { ago } from './times.ts'

/** The devices that are signed in; each can be named and ended, all others at once. */
export function SessionList() {
  const sessions = useSessions()
  const ending = useEndSessions()

  function end(id: string | null, message: string): void {
    ending.mutate(id, {
      onSuccess: () => notifications.show({ message }),
      onError: thrown => notifications.show({ color: 'red', message: explain(thrown) }),
    })
  }

  if (sessions.isPending)
    return <Skeleton height={56} radius="md" role="status" aria-label="Loading your devices" />
  if (sessions.isError) {
    return (
      <Alert color="red" variant="light" role="alert">
        {explain(sessions.error)}
      </Alert>
    )
  }
  const others = sessions.data.filter(session => !session.isCurrent)
  const mine = sessions.data.filter(session => session.isCurrent)
  return (
    <Stack gap="sm">
      <ul className={classes.list}>
        {[...mine, ...others].map(session => (
          <SessionRow
            key={session.id}
            session={session}
            isBusy={ending.isPending && ending.variables === session.id}
            onEnd={() => end(session.id, `${session.name} is signed out.`)}
          />
        ))}
      </ul>
      {others.length > 0 && (
        <Group>
          <Button
            variant="default"
            loading={ending.isPending && ending.variables === null}
            onClick={() => end(null, 'All other devices are signed out.')}
          >
            Sign out all other devices
          </Button>
        </Group>
      )}
    </Stack>
  )
}

interface SessionRowProps {
  session: Session
  isBusy: boolean
  onEnd: () => void
}

function SessionRow({ session, isBusy, onEnd }: SessionRowProps) {
  const isPhone = /mobile|android|iphone/i.test(session.userAgent ?? '')
  const Icon = isPhone ? IconDeviceMobile : IconDeviceDesktop

  function rename(): void {
    const modalId = modals.open({
      title: 'Name this device',
      children: <NameForm session={session} onDone={() => modals.close(modalId)} />,
    })
  }

  return (
    <li className={classes.line}>
      <Icon size={22} stroke={1.5} aria-hidden />
      <div className={classes.grow}>
        <Text size="sm" fw={500}>
          {session.name}
          {session.isCurrent && (
            <Badge size="sm" variant="light" ml={8} tt="none" fw={500}>
              this device
            </Badge>
          )}
        </Text>
        <Text size="xs" c="dimmed">
          {[session.ip, `used ${ago(session.lastUsedAt)}`, `since ${ago(session.createdAt)}`]
            .filter(Boolean)
            .join(' · ')}
        </Text>
      </div>
      <Button
        size="compact-sm"
        variant="subtle"
        color="gray"
        onClick={rename}
        aria-label={`Rename ${session.name}`}
      >
        Rename
      </Button>
      {!session.isCurrent && (
        <Button
          size="compact-sm"
          variant="default"
          loading={isBusy}
          onClick={onEnd}
          aria-label={`Sign out ${session.name}`}
        >
          Sign out
        </Button>
      )}
    </li>
  )
}

function NameForm({ session, onDone }: { session: Session; onDone: () => void }) {
  const { form, field, submit, isBusy, failure } = useForm({
    initial: { name: session.name },
    check: ({ name }) => ({ name: name.trim() ? undefined : 'Give it a name.' }),
    submit: async ({ name }) => {
      await nameSession(session.id, name.trim())
      onDone()
    },
  })
  return (
    <form ref={form} onSubmit={submit} noValidate>
      <Stack gap="md">
        <FormFailure message={failure} />
        <TextInput label="Name" maxLength={100} data-autofocus {...field('name')} />
        <Button type="submit" loading={isBusy}>
          Save
        </Button>
      </Stack>
    </form>
  )
}

import { Alert, Button, Group, Loader, Text } from '@mantine/core'
import { memo } from 'react'
import { Link } from 'wouter'
import { ApiError, explain } from '../../api/errors.ts'
import classes from './messages.module.css'
import type { Outgoing } from './outbox.ts'

/** What the person wrote, as it was written. */
export const UserMessage = memo(function UserMessage({ text }: { text: string }) {
  return (
    <article className={classes.mine} aria-label="Your message">
      <div className={classes.bubble}>{text}</div>
    </article>
  )
})

/** Where to go when a limit is met: to what lifts it. */
function WayOut({ error }: { error: unknown }) {
  if (!(error instanceof ApiError) || !limits.has(error.code)) return null
  return (
    <>
      <Button component={Link} href="/settings/billing" size="compact-sm">
        {error.code === 'DAILY_LIMIT_REACHED' ? 'See plans' : 'Get credits'}
      </Button>
      <Button component={Link} href="/settings/keys" size="compact-sm" variant="default">
        Use your own key
      </Button>
    </>
  )
}

const limits = new Set(['INSUFFICIENT_CREDITS', 'DAILY_LIMIT_REACHED'])

interface OutgoingMessageProps {
  outgoing: Pick<Outgoing, 'text' | 'error'>
  onSendAgain: () => void
  onEdit: () => void
}

/** A message that is on its way, or was refused: nothing that was written gets lost. */
export function OutgoingMessage({ outgoing, onSendAgain, onEdit }: OutgoingMessageProps) {
  return (
    <>
      <UserMessage text={outgoing.text} />
      {outgoing.error ? (
        <Alert color="red" variant="light" p="xs" mt="md" role="alert">
          <Group justify="space-between" gap="xs">
            <Text size="sm">{explain(outgoing.error)}</Text>
            <Group gap="xs">
              <WayOut error={outgoing.error} />
              <Button size="compact-sm" variant="default" onClick={onEdit}>
                Edit
              </Button>
              <Button size="compact-sm" variant="default" onClick={onSendAgain}>
                Send again
              </Button>
            </Group>
          </Group>
        </Alert>
      ) : (
        <Loader size="sm" color="gray" aria-label="Sending" mt="lg" />
      )}
    </>
  )
}

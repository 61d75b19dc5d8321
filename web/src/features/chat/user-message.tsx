import { Alert, Button, Group, Loader, Text } from '@mantine/core'
import { memo } from 'react'
import { explain } from '../../api/errors.ts'
import { CodeBlock } from '../../code/code-block.tsx'
import { WayOut } from '../usage/way-out.tsx'
import { splitFences } from './fences.ts'
import classes from './messages.module.css'
import type { Outgoing } from './outbox.ts'

/** What the person wrote, as it was written; blocks that were fenced stand as code. */
export const UserMessage = memo(function UserMessage({ text }: { text: string }) {
  return (
    <article className={classes.mine} aria-label="Your message">
      <div className={classes.bubble}>
        {splitFences(text).map((piece, index) =>
          'code' in piece ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: what was written does not change
            <CodeBlock key={index} {...piece} />
          ) : (
            piece.text
          ),
        )}
      </div>
    </article>
  )
})

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

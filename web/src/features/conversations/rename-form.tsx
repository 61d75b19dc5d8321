import { Button, Group, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { ApiError, explain } from '../../api/errors.ts'
import type { Conversation } from '../../api/types.ts'
import { useUpdateConversation } from './queries.ts'

interface RenameFormProps {
  conversation: Pick<Conversation, 'id' | 'title'>
  onDone: () => void
}

/** Asks for a conversation's new title; what the server refuses is said at the field. */
export function RenameForm({ conversation, onDone }: RenameFormProps) {
  const [title, setTitle] = useState(conversation.title)
  const renaming = useUpdateConversation()
  const refused = renaming.error
  const problem = refused instanceof ApiError ? (refused.fields.title ?? explain(refused)) : null

  function submit(event: FormEvent): void {
    event.preventDefault()
    const trimmed = title.trim()
    if (!trimmed || trimmed === conversation.title) onDone()
    else renaming.mutate({ id: conversation.id, title: trimmed }, { onSuccess: onDone })
  }

  return (
    <form onSubmit={submit}>
      <TextInput
        label="Title"
        data-autofocus
        maxLength={200}
        value={title}
        error={problem}
        onFocus={event => event.currentTarget.select()}
        onChange={event => setTitle(event.currentTarget.value)}
      />
      <Group justify="flex-end" mt="lg" gap="sm">
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
        <Button type="submit" loading={renaming.isPending}>
          Rename
        </Button>
      </Group>
    </form>
  )
}

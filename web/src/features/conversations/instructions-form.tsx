import { Button, Group, Stack, Text, Textarea } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { ApiError, explain } from '../../api/errors.ts'
import type { Conversation } from '../../api/types.ts'
import { useUpdateConversation } from './queries.ts'

interface InstructionsFormProps {
  conversation: Conversation
  onDone: () => void
}

/** What the model should always keep in mind in one conversation. */
export function InstructionsForm({ conversation, onDone }: InstructionsFormProps) {
  const [text, setText] = useState(conversation.systemPrompt ?? '')
  const updating = useUpdateConversation()
  const refused = updating.error
  const problem = refused instanceof ApiError ? (refused.fields.systemPrompt ?? explain(refused)) : null

  function submit(event: FormEvent): void {
    event.preventDefault()
    updating.mutate({ id: conversation.id, systemPrompt: text.trim() || null }, { onSuccess: onDone })
  }

  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <Text size="sm" c="dimmed">
          Told to the model before every message of this chat, for example a style, a language or a house
          rule.
        </Text>
        <Textarea
          aria-label="Instructions"
          data-autofocus
          autosize
          minRows={5}
          maxRows={14}
          maxLength={20_000}
          placeholder="Answer in British English. Use TypeScript and no libraries."
          value={text}
          error={problem}
          onChange={event => setText(event.currentTarget.value)}
        />
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
          <Button type="submit" loading={updating.isPending}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

import { Alert, Button, Group, Text } from '@mantine/core'
import { Link } from 'wouter'
import type { Generation } from '../../api/types.ts'

interface AnswerNoticeProps {
  generation: Generation
  hasText: boolean
  /** Null when a later message stands behind this answer. */
  onContinue: (() => void) | null
  onRetry: (() => void) | null
}

interface Notice {
  color: string
  text: string
  canContinue: boolean
}

/** Says why an answer ended other than by itself, and offers what can be done. */
export function AnswerNotice({ generation, hasText, onContinue, onRetry }: AnswerNoticeProps) {
  const notice = noticeOf(generation)
  if (!notice) return null
  return (
    <Alert color={notice.color} variant="light" p="xs" mt="sm" role="status">
      <Group justify="space-between" gap="xs">
        <Text size="sm">{notice.text}</Text>
        <Group gap="xs">
          {generation.error?.code.startsWith('KEY_') && (
            <Button size="compact-sm" variant="default" component={Link} href="/settings/keys">
              Provider keys
            </Button>
          )}
          {notice.canContinue && hasText && onContinue && (
            <Button size="compact-sm" variant="default" onClick={onContinue}>
              Continue
            </Button>
          )}
          {onRetry && (
            <Button size="compact-sm" variant="default" onClick={onRetry}>
              Try again
            </Button>
          )}
        </Group>
      </Group>
    </Alert>
  )
}

/** Whether an answer ended in a way that is worth a notice. */
export function hasNotice(generation: Generation): boolean {
  return noticeOf(generation) !== null
}

function noticeOf({ status, finishReason, error }: Generation): Notice | null {
  if (status === 'failed') {
    const text = error?.message ?? 'The model could not answer.'
    return { color: 'red', text, canContinue: false }
  }
  if (status === 'interrupted') {
    const text = 'The answer was interrupted. What had arrived was kept.'
    return { color: 'yellow', text: error?.message ?? text, canContinue: true }
  }
  if (status === 'cancelled') return { color: 'gray', text: 'You stopped this answer.', canContinue: true }
  if (finishReason === 'length') {
    return { color: 'yellow', text: 'The answer reached its longest allowed length.', canContinue: true }
  }
  if (finishReason === 'filtered') {
    return { color: 'yellow', text: 'The provider’s content filter ended this answer.', canContinue: false }
  }
  return null
}

import { Button, Skeleton, Stack, Text, Title } from '@mantine/core'
import { Link } from 'wouter'
import { ApiError, explain } from '../../api/errors.ts'
import type { Message } from '../../api/types.ts'
import type { useConversation } from '../conversations/queries.ts'
import { Answer } from './answer.tsx'
import { EmptyChat } from './empty-chat.tsx'
import classes from './messages.module.css'
import type { Outgoing } from './outbox.ts'
import { messageElementId } from './use-chat-side.ts'
import type { usePinnedScroll } from './use-pinned-scroll.ts'
import { OutgoingMessage, UserMessage } from './user-message.tsx'

interface MessageListProps {
  conversation: ReturnType<typeof useConversation>
  messages: Message[]
  isNew: boolean
  outgoing: Outgoing | undefined
  scroll: ReturnType<typeof usePinnedScroll>
  onSuggestion: (text: string) => void
  onSendAgain: () => void
  onEdit: () => void
  onContinue: (generationId: string) => void
  onRetry: (generationId: string) => void
}

/** All that was said, oldest first, in an area that follows the newest words. */
export function MessageList(props: MessageListProps) {
  const { conversation, messages, isNew, outgoing, scroll } = props
  const isEmpty = isNew && !outgoing
  const hasProblem = !isNew && conversation.isError && (messages.length === 0 || isGone(conversation.error))
  const shown = hasProblem ? [] : messages
  return (
    <section
      ref={scroll.area}
      className={classes.scroll}
      aria-label="Conversation"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
      tabIndex={0}
      {...scroll.handlers}
    >
      <div ref={scroll.content} className={classes.column}>
        {isEmpty && <EmptyChat onChoose={props.onSuggestion} />}
        {!isNew && conversation.isPending && <Waiting />}
        {hasProblem && <Problem error={conversation.error} onRetry={() => void conversation.refetch()} />}
        {conversation.hasNextPage && (
          <div className={classes.earlier}>
            <Button
              size="compact-sm"
              variant="default"
              loading={conversation.isFetchingNextPage}
              onClick={() => void conversation.fetchNextPage()}
            >
              Show earlier messages
            </Button>
          </div>
        )}
        <ol className={classes.list} aria-label="Messages">
          {shown.map((message, index) => (
            <li key={message.id} id={messageElementId(message.id)} tabIndex={-1} className={classes.message}>
              {message.role === 'user' ? (
                <UserMessage text={message.content} />
              ) : (
                <Answer
                  message={message}
                  isLast={index === shown.length - 1 && !outgoing}
                  onContinue={props.onContinue}
                  onRetry={props.onRetry}
                />
              )}
            </li>
          ))}
          {outgoing && (
            <li>
              <OutgoingMessage outgoing={outgoing} onSendAgain={props.onSendAgain} onEdit={props.onEdit} />
            </li>
          )}
        </ol>
      </div>
    </section>
  )
}

function Waiting() {
  return (
    <div className={classes.waiting} role="status" aria-label="Loading the chat">
      <Skeleton height={40} width="45%" radius="lg" ml="auto" />
      <Stack gap="sm">
        <Skeleton height={12} width="92%" />
        <Skeleton height={12} width="84%" />
        <Skeleton height={12} width="61%" />
      </Stack>
    </div>
  )
}

/** Whether an error says that the chat does not exist (any more). */
export function isGone(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 400)
}

function Problem({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const isAway = isGone(error)
  return (
    <Stack align="center" gap="xs" pt="14vh">
      <Title order={1} size="h3" ta="center">
        {isAway ? 'This chat is not here' : 'The chat could not be loaded'}
      </Title>
      <Text c="dimmed" ta="center">
        {isAway ? 'It was deleted, or it belongs to another account.' : explain(error)}
      </Text>
      {isAway ? (
        <Button component={Link} href="/" mt="sm">
          Start a new chat
        </Button>
      ) : (
        <Button mt="sm" variant="default" onClick={onRetry}>
          Try again
        </Button>
      )}
    </Stack>
  )
}

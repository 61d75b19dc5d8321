import { Alert, Button, Group, Loader, Text, UnstyledButton } from '@mantine/core'
import { IconFileCode, IconRefreshAlert } from '@tabler/icons-react'
import { memo, useEffect, useSyncExternalStore } from 'react'
import { attachGeneration, liveGenerations } from '../../api/live.ts'
import type { GenerationStatus } from '../../api/types.ts'
import artifacts from '../artifacts/artifacts.module.css'
import chat from '../chat/messages.module.css'
import { ShownMarkdown } from '../chat/shown-markdown.tsx'
import { isOpen } from '../chat/use-live.ts'
import { UserMessage } from '../chat/user-message.tsx'
import classes from './plugins.module.css'
import type { PluginMessage, VersionSummary } from './queries.ts'
import { splitAnswer } from './split-answer.ts'
import { countsOf } from './words.ts'

interface MessageProps {
  message: PluginMessage
  /** The version that it made. */
  version: VersionSummary | undefined
  onShow: (version: number | null) => void
  /** Puts the question again; null where that makes no sense. */
  onRepeat: (() => void) | null
}

/** One message of the history, by who it is from. */
export const Message = memo(function Message({ message, version, onShow, onRepeat }: MessageProps) {
  if (message.origin === 'person') return <UserMessage text={message.content} />
  if (message.origin === 'checks') return <ChecksMessage content={message.content} />
  if (message.origin === 'client') return <ClientMessage message={message} />
  return <Answer message={message} version={version} onShow={onShow} onRepeat={onRepeat} />
})

/** Findings that went back to the model. */
function ChecksMessage({ content }: { content: string }) {
  const [, count] = /found (\d+ errors?)/.exec(content) ?? []
  return (
    <details className={classes.checks}>
      <summary>
        <IconRefreshAlert size={17} aria-hidden />
        The checks found {count ?? 'errors'}; the model was asked to mend them
      </summary>
      <pre>{content}</pre>
    </details>
  )
}

/** What a client of the API put into the history. */
function ClientMessage({ message: { sender, content } }: { message: PluginMessage }) {
  return (
    <article className={classes.client} aria-label="Message of a client">
      <Text size="xs" c="dimmed" mb={4}>
        Put here over the API as {sender === 'user' ? 'the person' : 'the plugin generator'}; the model does
        not see it
      </Text>
      <div className={classes.clientText}>{content}</div>
    </article>
  )
}

interface Shown {
  prose: string
  code: string | null
  status: GenerationStatus | null
  isLost: boolean
  error: PluginMessage['error']
}

/** An answer as it should be shown now: what is stored, or what has arrived while it is being written. */
function useShown(message: PluginMessage): Shown {
  const { generationId, status } = message
  const live = useSyncExternalStore(liveGenerations.subscribe, () =>
    liveGenerations.read(generationId ?? undefined),
  )
  const followedId = generationId && isOpen(status) && !live ? generationId : null
  useEffect(() => {
    if (followedId) attachGeneration(followedId)
  }, [followedId])
  if (!live || !isOpen(status)) {
    const { prose, code } = isOpen(status) ? splitAnswer(message.content) : message
    return { prose, code, status, isLost: false, error: message.error }
  }
  // After a reload the log is read from its beginning: until it has caught up, what is stored is further.
  const isBehind = isOpen(live.status) && live.text.length < message.content.length
  return {
    ...splitAnswer(isBehind ? message.content : live.text),
    status: live.status,
    isLost: live.connection === 'lost' && isOpen(live.status),
    error: live.error,
  }
}

function Answer({ message, version, onShow, onRepeat }: MessageProps) {
  const { prose, code, status, isLost, error } = useShown(message)
  const isRunning = isOpen(status)
  return (
    <article className={chat.answer} aria-label="Answer" aria-busy={isRunning}>
      {isRunning && prose === '' && code === null ? (
        <Loader size="sm" color="gray" aria-label="Waiting for the answer" my={6} />
      ) : (
        <ShownMarkdown text={prose} isGrowing={isRunning && code === null} />
      )}
      {(version || (isRunning && code !== null)) && (
        <div className={chat.cards}>
          <CodeCard version={version} lines={code?.trimEnd().split('\n').length ?? 0} onShow={onShow} />
        </div>
      )}
      {isLost && (
        <Text size="sm" c="dimmed" role="status" mt="xs">
          Connection lost. The answer goes on at the server; reconnecting…
        </Text>
      )}
      <Notice status={status} error={error} onRepeat={onRepeat} />
    </article>
  )
}

interface CodeCardProps {
  /** Undefined while it is being written. */
  version: VersionSummary | undefined
  lines: number
  onShow: (version: number | null) => void
}

function CodeCard({ version, lines, onShow }: CodeCardProps) {
  return (
    <UnstyledButton className={artifacts.card} onClick={() => onShow(version?.version ?? null)}>
      <span className={artifacts.cardIcon}>
        {version ? <IconFileCode size={19} stroke={1.6} aria-hidden /> : <Loader size="xs" aria-hidden />}
      </span>
      <span className={artifacts.cardText}>
        <span className={artifacts.cardTitle}>
          {version ? `Version ${version.version}${version.isFinal ? ', final' : ''}` : 'Writing the plugin…'}
        </span>
        <span className={classes.counts} data-bad={(version?.errors ?? 0) > 0 || undefined}>
          {version ? countsOf(version) : `${lines} ${lines === 1 ? 'line' : 'lines'}`}
        </span>
      </span>
      <span className={artifacts.cardAction}>Open</span>
    </UnstyledButton>
  )
}

const endings: Partial<Record<GenerationStatus, { color: string; text: string }>> = {
  failed: { color: 'red', text: 'The model could not answer.' },
  interrupted: { color: 'yellow', text: 'The answer was interrupted. What had arrived was kept.' },
  cancelled: { color: 'gray', text: 'You stopped this answer.' },
}

function Notice({
  status,
  error,
  onRepeat,
}: Pick<Shown, 'status' | 'error'> & Pick<MessageProps, 'onRepeat'>) {
  const ending = status ? endings[status] : undefined
  if (!ending) return null
  return (
    <Alert color={ending.color} variant="light" p="xs" mt="sm" role="status">
      <Group justify="space-between" gap="xs">
        <Text size="sm">{(status !== 'cancelled' && error?.message) || ending.text}</Text>
        {onRepeat && (
          <Button size="compact-sm" variant="default" onClick={onRepeat}>
            Ask again
          </Button>
        )}
      </Group>
    </Alert>
  )
}

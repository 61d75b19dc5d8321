import { Alert, Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconGift, IconReceipt, IconTruckDelivery } from '@tabler/icons-react'
import { useEffect, useRef } from 'react'
import { explain } from '../../api/errors.ts'
import { stopGeneration } from '../../api/live.ts'
import { Composer } from '../chat/composer.tsx'
import { useDraft } from '../chat/drafts.ts'
import chat from '../chat/messages.module.css'
import { chosenModel, requestFields, useChatSettings, useModels } from '../chat/settings.ts'
import { Suggestions } from '../chat/suggestions.tsx'
import { usePinnedScroll } from '../chat/use-pinned-scroll.ts'
import { OutgoingMessage } from '../chat/user-message.tsx'
import { Allowance } from '../usage/allowance.tsx'
import { PluginHeader } from './plugin-header.tsx'
import { Message } from './plugin-message.tsx'
import type { Plugin, PluginMessage, useHistory, VersionSummary } from './queries.ts'
import { useAsking } from './use-turn.ts'

interface PluginChatProps {
  plugin: Plugin
  history: ReturnType<typeof useHistory>
  versions: readonly VersionSummary[]
  /** The generation that writes now. */
  runningId: string | null
  onShow: (version: number | null) => void
  /** Opens the panel with the code; null while it is open, or empty. */
  onPanel: (() => void) | null
}

const finalizeText = 'Finalize'

/** What is said about a plugin, and where one says it. */
export function PluginChat({ plugin, history, versions, runningId, onShow, onPanel }: PluginChatProps) {
  const [draft, setDraft] = useDraft(`plugin-${plugin.id}`)
  const { asked, isAsking, ask, askAgain, discard } = useAsking(plugin.id)
  const settings = useChatSettings()
  const models = useModels()
  const scroll = usePinnedScroll()
  const input = useRef<HTMLTextAreaElement>(null)
  const messages = history.data ?? []
  const isBusy = isAsking || runningId !== null
  const fields = () => requestFields(settings.settings, chosenModel(models.data, settings.settings.model))

  // biome-ignore lint/correctness/useExhaustiveDependencies: the page begins at its end, ready to be written in
  useEffect(() => {
    scroll.toEnd()
    if (matchMedia('(hover: hover)').matches) input.current?.focus()
  }, [])

  function say(message: string): void {
    scroll.toEnd()
    ask({ message, ...fields() })
  }

  function finalize(): void {
    scroll.toEnd()
    ask(fields())
  }

  function send(): void {
    const text = draft.trim()
    if (!text || isBusy) return
    setDraft('')
    say(text)
  }

  function edit(): void {
    const text = asked?.request.message
    if (text) setDraft(draft ? `${text}\n\n${draft}` : text)
    discard()
    input.current?.focus()
  }

  /** Puts the question of an answer that came to nothing once more. */
  function repeat(): void {
    const question = messages.findLast(message => message.origin === 'person')?.content
    if (question === finalizeText) finalize()
    else if (question) say(question)
  }

  const stop = runningId ? () => void stopNow(runningId) : null
  return (
    <section
      className={chat.chat}
      aria-label="Talk about the plugin"
      onKeyDown={event => event.key === 'Escape' && !event.defaultPrevented && stop?.()}
    >
      <PluginHeader
        plugin={plugin}
        obstacle={obstacleToFinalize(plugin, { isBusy, isEmpty: messages.length === 0 })}
        onFinalize={finalize}
        onPanel={onPanel}
      />
      <section
        ref={scroll.area}
        className={chat.scroll}
        aria-label="History"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
        {...scroll.handlers}
      >
        <div ref={scroll.content} className={chat.column}>
          {history.isPending && <Waiting />}
          {history.isError && (
            <Alert color="red" variant="light" role="alert">
              <Group justify="space-between">
                <Text size="sm">{explain(history.error)}</Text>
                <Button size="compact-sm" variant="default" onClick={() => void history.refetch()}>
                  Try again
                </Button>
              </Group>
            </Alert>
          )}
          {history.isSuccess && messages.length === 0 && !asked && (
            <Beginning
              onChoose={text => {
                setDraft(text)
                input.current?.focus()
              }}
            />
          )}
          <ol className={chat.list} aria-label="Messages">
            {messages.map((message, index) => (
              <li key={message.id}>
                <Message
                  message={message}
                  version={versions.find(version => version.version === message.version)}
                  onShow={onShow}
                  onRepeat={isLast(messages, index) && !isBusy && !asked ? repeat : null}
                />
              </li>
            ))}
            {asked && (
              <li>
                <OutgoingMessage
                  outgoing={{ text: asked.request.message ?? finalizeText, error: asked.error }}
                  onSendAgain={askAgain}
                  onEdit={edit}
                />
              </li>
            )}
          </ol>
        </div>
      </section>
      <div className={chat.dock}>
        {scroll.isAway && (
          <button type="button" className={chat.toEnd} onClick={() => scroll.toEnd('smooth')}>
            ↓ Latest
          </button>
        )}
        <Composer
          draft={draft}
          onDraft={setDraft}
          onSend={send}
          onStop={stop}
          obstacle={isAsking ? 'Sending…' : runningId ? 'The plugin is being written' : null}
          placeholder={messages.length === 0 ? 'What should the plugin do?' : 'What should change?'}
          chat={settings}
          input={input}
        />
        <Allowance moment={runningId} />
      </div>
    </section>
  )
}

function isLast(messages: readonly PluginMessage[], index: number): boolean {
  return index === messages.findLastIndex(message => message.origin !== 'client')
}

function obstacleToFinalize(
  { status }: Plugin,
  { isBusy, isEmpty }: { isBusy: boolean; isEmpty: boolean },
): string | null {
  if (isBusy) return 'The plugin is being written'
  if (status === 'final') return 'The newest version is final'
  return status === 'empty' && isEmpty ? 'Say first what the plugin should do' : null
}

async function stopNow(generationId: string): Promise<void> {
  try {
    await stopGeneration(generationId)
  } catch (thrown) {
    notifications.show({ color: 'red', title: 'The answer was not stopped', message: explain(thrown) })
  }
}

function Waiting() {
  return (
    <div className={chat.waiting} role="status" aria-label="Loading the history">
      <Skeleton height={40} width="45%" radius="lg" ml="auto" />
      <Stack gap="sm">
        <Skeleton height={12} width="92%" />
        <Skeleton height={12} width="61%" />
      </Stack>
    </div>
  )
}

const suggestions = [
  {
    icon: IconGift,
    title: 'Gift wrapping',
    text: 'Let customers add gift wrapping to an order for 4.90, with a note that the shop sees.',
  },
  {
    icon: IconTruckDelivery,
    title: 'Delivery date',
    text: 'Let customers choose a delivery date at the checkout; not Sundays, and two days ahead at least.',
  },
  {
    icon: IconReceipt,
    title: 'Smallest order',
    text: 'Refuse orders under an amount that is set in the WooCommerce settings, and say why in the cart.',
  },
] as const

function Beginning({ onChoose }: { onChoose: (text: string) => void }) {
  return (
    <div className={chat.empty}>
      <Title order={2} ta="center">
        What should the plugin do?
      </Title>
      <Text c="dimmed" ta="center" mt={4} mb="xl">
        Each draft is checked for errors and dangers. “Finalize” gives the finished plugin.
      </Text>
      <Suggestions of={suggestions} onChoose={onChoose} />
    </div>
  )
}

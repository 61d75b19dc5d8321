import { notifications } from '@mantine/notifications'
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { useLocation } from 'wouter'
import { explain } from '../../api/errors.ts'
import { type Started, stopGeneration } from '../../api/live.ts'
import type { Message } from '../../api/types.ts'
import type { useConversation } from '../conversations/queries.ts'
import { Allowance } from '../usage/allowance.tsx'
import { ChatHeader } from './chat-header.tsx'
import { Composer } from './composer.tsx'
import { useDraft } from './drafts.ts'
import { isGone, MessageList } from './message-list.tsx'
import classes from './messages.module.css'
import { answerAgain, goOn, outbox, sendAgain, sendMessage } from './outbox.ts'
import { chosenModel, requestFields, useChatSettings, useModels } from './settings.ts'
import { isOpen } from './use-live.ts'
import type { usePinnedScroll } from './use-pinned-scroll.ts'

interface ChatProps {
  conversationId: string | undefined
  conversation: ReturnType<typeof useConversation>
  messages: Message[]
  scroll: ReturnType<typeof usePinnedScroll>
}

/** The column of a chat: header, messages, and where one writes. */
export function Chat({ conversationId, conversation, messages, scroll }: ChatProps) {
  const place = conversationId ?? 'new'
  const [draft, setDraft] = useDraft(place)
  const [location, navigate] = useLocation()
  const outgoing = useSyncExternalStore(outbox.subscribe, () => outbox.read(place))
  const chat = useChatSettings()
  const models = useModels()
  const input = useRef<HTMLTextAreaElement>(null)
  const [isRedoing, setRedoing] = useState(false)
  const here = useRef(location)
  here.current = location

  const running = messages.find(
    message => message.generation && isOpen(message.generation.status),
  )?.generation
  const isSending = outgoing !== undefined && !outgoing.error

  // biome-ignore lint/correctness/useExhaustiveDependencies: another chat begins at its end, ready to be written in
  useEffect(() => {
    scroll.toEnd()
    if (matchMedia('(hover: hover)').matches) input.current?.focus()
  }, [place])

  function arrive(started: Started | null): void {
    if (started && here.current === '/') navigate(`/c/${started.conversationId}`, { replace: true })
  }

  function send(): void {
    const text = draft.trim()
    if (!text || isSending || running) return
    setDraft('')
    scroll.toEnd()
    const fields = requestFields(chat.settings, chosenModel(models.data, chat.settings.model))
    void sendMessage({ message: text, ...(conversationId ? { conversationId } : {}), ...fields }).then(arrive)
  }

  function edit(): void {
    if (!outgoing) return
    setDraft(draft ? `${outgoing.text}\n\n${draft}` : outgoing.text)
    outbox.discard(place)
    input.current?.focus()
  }

  const redo = useCallback((work: Promise<Started>) => {
    setRedoing(true)
    work
      .catch((thrown: unknown) => notifications.show({ color: 'red', message: explain(thrown) }))
      .finally(() => setRedoing(false))
  }, [])
  const onContinue = useCallback((id: string) => redo(goOn(id)), [redo])
  const onRetry = useCallback((id: string) => redo(answerAgain(id)), [redo])

  const stop = running ? () => void stopNow(running.id) : null
  const isMissing = isGone(conversation.error) || (conversation.isError && messages.length === 0)
  return (
    <section
      className={classes.chat}
      aria-label="Chat"
      onKeyDown={event => event.key === 'Escape' && !event.defaultPrevented && stop?.()}
    >
      <ChatHeader conversation={conversation.data?.pages[0]?.conversation} />
      <MessageList
        conversation={conversation}
        messages={messages}
        isNew={conversationId === undefined}
        outgoing={outgoing}
        scroll={scroll}
        onSuggestion={text => {
          setDraft(text)
          input.current?.focus()
        }}
        onSendAgain={() => void sendAgain(place).then(arrive)}
        onEdit={edit}
        onContinue={onContinue}
        onRetry={onRetry}
      />
      {!isMissing && (
        <div className={classes.dock}>
          <ToEnd isVisible={scroll.isAway} onClick={() => scroll.toEnd('smooth')} />
          <Composer
            draft={draft}
            onDraft={setDraft}
            onSend={send}
            onStop={stop}
            obstacle={obstacleOf(isSending || isRedoing, running !== undefined && running !== null)}
            chat={chat}
            input={input}
          />
          <Allowance moment={running?.id ?? null} />
        </div>
      )}
    </section>
  )
}

function obstacleOf(isSending: boolean, isRunning: boolean): string | null {
  if (isSending) return 'Sending…'
  return isRunning ? 'An answer is being written' : null
}

async function stopNow(generationId: string): Promise<void> {
  try {
    await stopGeneration(generationId)
  } catch (thrown) {
    notifications.show({ color: 'red', title: 'The answer was not stopped', message: explain(thrown) })
  }
}

function ToEnd({ isVisible, onClick }: { isVisible: boolean; onClick: () => void }) {
  if (!isVisible) return null
  return (
    <button type="button" className={classes.toEnd} onClick={onClick}>
      ↓ Latest
    </button>
  )
}

import { useSyncExternalStore } from 'react'
import { attachGeneration } from '../../api/live.ts'
import type { Message } from '../../api/types.ts'
import type { ChatSide } from '../artifacts/chat-side.ts'
import { refreshConversation, refreshConversationList } from '../conversations/queries.ts'
import { outbox } from './outbox.ts'
import { chosenModel, requestFields, useChatSettings, useModelLabel, useModels } from './settings.ts'
import { isOpen } from './use-live.ts'
import type { usePinnedScroll } from './use-pinned-scroll.ts'

interface ChatSideOptions {
  conversationId: string | undefined
  messages: readonly Message[]
  scroll: ReturnType<typeof usePinnedScroll>
  /** Uncovers the chat where the panel lies over it; null where it stands beside. */
  leavePanel: (() => void) | null
}

/** The chat as the panel beside it sees it. */
export function useChatSide(options: ChatSideOptions): ChatSide {
  const { conversationId, messages, scroll, leavePanel } = options
  const { settings } = useChatSettings()
  const models = useModels()
  const labelOf = useModelLabel()
  const outgoing = useSyncExternalStore(outbox.subscribe, () => outbox.read(conversationId ?? 'new'))
  const isAnswering = messages.some(message => isOpen(message.generation?.status))
  const isSending = outgoing !== undefined && !outgoing.error
  return {
    questionOf(messageId) {
      const at = messages.findIndex(message => message.id === messageId)
      return messages[at - 1]?.content ?? null
    },
    labelOf,
    showMessage(messageId) {
      leavePanel?.()
      // Once the panel that covers the chat has gone, and given the focus back.
      setTimeout(
        () => scroll.show(document.getElementById(messageElementId(messageId))),
        leavePanel ? 250 : 0,
      )
    },
    model: requestFields(settings, chosenModel(models.data, settings.model)).model,
    obstacle: isAnswering ? 'An answer is being written' : isSending ? 'Sending…' : null,
    onTurn(generationId) {
      if (!conversationId) return
      leavePanel?.()
      scroll.toEnd()
      // The answer may have ended before the chat is read again: what it made is told by its log all the same.
      attachGeneration(generationId)
      void refreshConversation(conversationId)
      refreshConversationList()
    },
  }
}

/** The id of the element that holds a message. */
export function messageElementId(id: string): string {
  return `message-${id}`
}

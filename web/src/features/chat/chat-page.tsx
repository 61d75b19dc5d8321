import { useMediaQuery } from '@mantine/hooks'
import { lazy, Suspense, useEffect, useSyncExternalStore } from 'react'
import { liveGenerations } from '../../api/live.ts'
import { ArtifactFrame } from '../artifacts/artifact-frame.tsx'
import { useOpenArtifact } from '../artifacts/use-open-artifact.ts'
import { messagesOf, useConversation } from '../conversations/queries.ts'
import { Announcer } from './announcer.tsx'
import { Chat } from './chat.tsx'
import { outbox, sendMessage } from './outbox.ts'
import { chosenModel, requestFields, useChatSettings, useModels } from './settings.ts'
import { isOpen, watchGenerations } from './use-live.ts'

const ArtifactPanel = lazy(() => import('../artifacts/artifact-panel.tsx'))

/** A chat, and beside it what was made in it. Without an id it is a new chat. */
export function ChatPage({ conversationId }: { conversationId?: string }) {
  const conversation = useConversation(conversationId)
  const messages = messagesOf(conversation.data)
  const [artifactId, openArtifact] = useOpenArtifact()
  const isWide = useMediaQuery('(min-width: 62em)', matchMedia('(min-width: 62em)').matches)
  const title = conversation.data?.pages[0]?.conversation.title

  useEffect(watchGenerations, [])
  useEffect(() => {
    document.title = title ? `${title} · Atelier` : 'Atelier'
  }, [title])
  // On a phone the panel would cover the answer that is still being read: there one opens it oneself.
  useEffect(() => {
    if (!isWide || !conversationId) return
    return liveGenerations.onEvent((event, live) => {
      if (event.type === 'artifact-ready' && live.conversationId === conversationId)
        openArtifact(event.artifact.id)
    })
  }, [isWide, conversationId, openArtifact])

  const chat = useChatSettings()
  const models = useModels()
  const outgoing = useSyncExternalStore(outbox.subscribe, () => outbox.read(conversationId ?? 'new'))
  const isBusy = outgoing !== undefined || messages.some(message => isOpen(message.generation?.status))

  function fix(message: string): void {
    if (!conversationId) return
    const fields = requestFields(chat.settings, chosenModel(models.data, chat.settings.model))
    void sendMessage({ message, conversationId, ...fields })
    if (!isWide) openArtifact(null)
  }

  const artifacts = messages.flatMap(message => message.artifacts)
  return (
    <ArtifactFrame
      isWide={isWide}
      onClose={() => openArtifact(null)}
      panel={
        artifactId && conversationId ? (
          <Suspense fallback={null}>
            <ArtifactPanel
              key={artifactId}
              id={artifactId}
              artifacts={artifacts}
              onOpen={openArtifact}
              onClose={() => openArtifact(null)}
              onFix={isBusy ? null : fix}
            />
          </Suspense>
        ) : null
      }
    >
      <Announcer />
      <Chat conversationId={conversationId} conversation={conversation} messages={messages} />
    </ArtifactFrame>
  )
}

import { useMediaQuery } from '@mantine/hooks'
import { lazy, Suspense, useEffect } from 'react'
import { liveGenerations } from '../../api/live.ts'
import { ArtifactFrame } from '../artifacts/artifact-frame.tsx'
import { useOpenArtifact } from '../artifacts/use-open-artifact.ts'
import { messagesOf, useConversation } from '../conversations/queries.ts'
import { Announcer } from './announcer.tsx'
import { Chat } from './chat.tsx'
import { watchGenerations } from './use-live.ts'

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

import { useMediaQuery } from '@mantine/hooks'
import { lazy, Suspense, useEffect } from 'react'
import { ArtifactFrame } from '../artifacts/artifact-frame.tsx'
import { useOpenArtifact } from '../artifacts/use-open-artifact.ts'
import { messagesOf, useConversation } from '../conversations/queries.ts'
import { Announcer } from './announcer.tsx'
import { Chat } from './chat.tsx'
import { useChatSide } from './use-chat-side.ts'
import { watchGenerations } from './use-live.ts'
import { useOpensWhatIsMade } from './use-opens-what-is-made.ts'
import { usePinnedScroll } from './use-pinned-scroll.ts'

const ArtifactPanel = lazy(() => import('../artifacts/artifact-panel.tsx'))

/** A chat, and beside it what was made in it. Without an id it is a new chat. */
export function ChatPage({ conversationId }: { conversationId?: string }) {
  const conversation = useConversation(conversationId)
  const messages = messagesOf(conversation.data)
  const scroll = usePinnedScroll()
  const [artifactId, openArtifact] = useOpenArtifact()
  const isWide = useMediaQuery('(min-width: 62em)', matchMedia('(min-width: 62em)').matches)
  const title = conversation.data?.pages[0]?.conversation.title
  const closePanel = () => openArtifact(null)
  const side = useChatSide({ conversationId, messages, scroll, leavePanel: isWide ? null : closePanel })

  useEffect(watchGenerations, [])
  useEffect(() => {
    document.title = title ? `${title} · Atelier` : 'Atelier'
  }, [title])
  useOpensWhatIsMade(isWide ? conversationId : undefined)

  return (
    <ArtifactFrame
      isWide={isWide}
      onClose={closePanel}
      panel={
        artifactId && conversationId ? (
          <Suspense fallback={null}>
            <ArtifactPanel
              key={conversationId}
              conversationId={conversationId}
              id={artifactId}
              chat={side}
              onOpen={openArtifact}
              onClose={closePanel}
            />
          </Suspense>
        ) : null
      }
    >
      <Announcer />
      <Chat conversationId={conversationId} conversation={conversation} messages={messages} scroll={scroll} />
    </ArtifactFrame>
  )
}

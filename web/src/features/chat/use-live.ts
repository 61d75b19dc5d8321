import { useEffect, useSyncExternalStore } from 'react'
import { attachGeneration, type LiveGeneration, liveGenerations } from '../../api/live.ts'
import type { ArtifactSummary, Generation, GenerationStatus, Message } from '../../api/types.ts'
import { refreshArtifacts } from '../artifacts/queries.ts'
import { changeNewestPage, refreshConversation, refreshConversationList } from '../conversations/queries.ts'

/** An answer as it should be shown now: what is stored, with what has arrived since. */
export interface ShownAnswer {
  text: string
  reasoning: string
  status: GenerationStatus | null
  isRunning: boolean
  isLost: boolean
  making: string | null
  artifacts: readonly ArtifactSummary[]
  generation: Generation | null
}

/** Whether a status can still change. */
export function isOpen(status: GenerationStatus | null | undefined): boolean {
  return status === 'queued' || status === 'running'
}

/** Follows an answer that is being made, and merges it with what is stored. */
export function useAnswer(message: Message): ShownAnswer {
  const { generation } = message
  const live = useSyncExternalStore(liveGenerations.subscribe, () => liveGenerations.read(generation?.id))
  const runningId = generation && isOpen(generation.status) && !live ? generation.id : null
  useEffect(() => {
    if (runningId) attachGeneration(runningId)
  }, [runningId])
  const isStored = generation !== null && !isOpen(generation.status)
  return isStored || !live ? stored(message) : merged(message, live)
}

function stored(message: Message): ShownAnswer {
  const status = message.generation?.status ?? null
  return {
    text: message.content,
    reasoning: '',
    status,
    isRunning: isOpen(status),
    isLost: false,
    making: null,
    artifacts: message.artifacts,
    generation: message.generation,
  }
}

function merged(message: Message, live: LiveGeneration): ShownAnswer {
  const { generation } = message
  const known = new Set(live.artifacts.map(artifact => artifact.id))
  const text = message.content.slice(0, live.replyOffset ?? 0) + live.text
  // After a reload the log is read from its beginning: until it has caught up, what is stored is further.
  const isBehind = isOpen(live.status) && text.length < message.content.length
  return {
    text: isBehind ? message.content : text,
    reasoning: live.reasoning,
    status: live.status,
    isRunning: isOpen(live.status),
    isLost: live.connection === 'lost' && isOpen(live.status),
    making: live.making,
    artifacts: [...message.artifacts.filter(artifact => !known.has(artifact.id)), ...live.artifacts],
    generation: generation && withEnd(generation, live),
  }
}

function withEnd(generation: Generation, live: LiveGeneration): Generation {
  const { status, finishReason, usage, costMicroCredits, error } = live
  return { ...generation, status, finishReason, usage, costMicroCredits, error }
}

/** Keeps the stored conversations in step with the answers that this page follows. Call once. */
export function watchGenerations(): () => void {
  return liveGenerations.onEvent((event, live) => {
    if (event.type === 'artifact-ready' || event.type === 'generation-end')
      refreshArtifacts(live.conversationId)
    if (event.type !== 'generation-end') return
    changeNewestPage(live.conversationId, page => ({
      ...page,
      messages: page.messages.map(message => (message.id === live.replyId ? ended(message, live) : message)),
    }))
    void refreshConversation(live.conversationId).finally(() => liveGenerations.drop(live.id))
    refreshConversationList()
  })
}

function ended(message: Message, live: LiveGeneration): Message {
  const shown = merged(message, live)
  return { ...message, content: shown.text, artifacts: [...shown.artifacts], generation: shown.generation }
}

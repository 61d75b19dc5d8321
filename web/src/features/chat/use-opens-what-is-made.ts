import { useEffect, useRef } from 'react'
import { liveGenerations } from '../../api/live.ts'
import { useOpenArtifact } from '../artifacts/use-open-artifact.ts'

/**
 * Opens the first thing that an answer makes beside its chat, and then what that is merged into: an answer of many
 * blocks must not leaf through them. Nothing without a conversation, as on a phone, where the panel would cover the
 * answer that is still being read.
 */
export function useOpensWhatIsMade(conversationId: string | undefined): void {
  const [openId, open] = useOpenArtifact()
  const shown = useRef(openId)
  shown.current = openId
  useEffect(() => {
    if (!conversationId) return
    const seen = new Set<string>()
    return liveGenerations.onEvent((event, live) => {
      if (event.type !== 'artifact-ready' || live.conversationId !== conversationId) return
      const { id, consolidatedFrom } = event.artifact
      const isFirst = !seen.has(live.id)
      seen.add(live.id)
      if (!isFirst && !consolidatedFrom.includes(shown.current ?? '')) return
      // Several events may come before this is drawn again.
      shown.current = id
      open(id)
    })
  }, [conversationId, open])
}

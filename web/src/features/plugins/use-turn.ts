import { useCallback, useEffect, useRef, useState } from 'react'
import { canSendAgain, liveGenerations, startPluginTurn } from '../../api/live.ts'
import type { GenerationRequest } from '../../api/types.ts'
import { isOpen } from '../chat/use-live.ts'
import { type Plugin, type PluginMessage, refreshPlugin } from './queries.ts'

/** What was asked for last and is not accepted yet; without a message the finished plugin is asked for. */
export interface Asked {
  request: Partial<GenerationRequest>
  /** Makes asking again harmless when the first try did arrive. */
  key: string
  error: unknown
}

/** Asking about a plugin: what is on its way, and how to ask, once more too. */
export function useAsking(pluginId: string) {
  const [asked, setAsked] = useState<Asked | null>(null)

  const deliver = useCallback(
    async (wish: Asked): Promise<void> => {
      setAsked(wish)
      try {
        await startPluginTurn(pluginId, wish.request, wish.key)
        // Only then is it taken away here: until the history holds it, it would be seen nowhere.
        await refreshPlugin(pluginId)
        setAsked(null)
      } catch (error) {
        setAsked({ ...wish, error })
      }
    },
    [pluginId],
  )

  return {
    asked,
    isAsking: asked !== null && !asked.error,
    ask: (request: Partial<GenerationRequest>) =>
      void deliver({ request, key: crypto.randomUUID(), error: null }),
    askAgain(): void {
      if (!asked) return
      const key = canSendAgain(asked.error) ? asked.key : crypto.randomUUID()
      void deliver({ ...asked, key, error: null })
    },
    discard: () => setAsked(null),
  }
}

/** The generation that writes this plugin now; null when none does. */
export function runningOf(messages: readonly PluginMessage[] | undefined): string | null {
  const last = messages?.findLast(message => message.generationId !== null && isOpen(message.status))
  return last?.generationId ?? null
}

/** Keeps what is stored of a plugin in step with its runs, and with what other tabs do. */
export function useRefreshing(plugin: Plugin | undefined): void {
  const { id, conversationId } = plugin ?? {}
  useEffect(() => {
    if (id === undefined) return
    return liveGenerations.onEvent((event, live) => {
      if (event.type !== 'generation-end' || live.conversationId !== conversationId) return
      void refreshPlugin(id).finally(() => liveGenerations.drop(live.id))
    })
  }, [id, conversationId])

  const { updatedAt, openTurn, latestVersion } = plugin ?? {}
  const state = `${updatedAt} ${openTurn?.generationIds.length ?? 'none'} ${latestVersion?.version}`
  const known = useRef<string | null>(null)
  useEffect(() => {
    if (id === undefined) return
    if (known.current !== null && known.current !== state) void refreshPlugin(id)
    known.current = state
  }, [id, state])
}

import { useMutation } from '@tanstack/react-query'
import { useRef } from 'react'
import { request } from '../../api/client.ts'
import { canSendAgain } from '../../api/live.ts'
import type { RuntimeProblem } from './preview-messages.ts'

/** “Fix this” for one artifact. */
export interface Fixing {
  /** Hands what the build says, else these problems of its running, back to the model as the next turn. */
  start: (problems?: readonly RuntimeProblem[]) => void
  /** Why it cannot be asked for now; null when it can. */
  obstacle: string | null
  /** Why the last request was refused. */
  error: unknown
  dismiss: () => void
}

interface FixOptions {
  id: string
  /** The model to ask; the server's default when absent. */
  model: string | undefined
  obstacle: string | null
  /** Called with the generation when the turn was accepted: its answer is on its way. */
  onStarted: (generationId: string) => void
}

interface FixRequest {
  id: string
  body: { problems: readonly RuntimeProblem[]; model?: string }
}

/** Asks the server to let the model fix an artifact. */
export function useFix({ id, model, obstacle, onStarted }: FixOptions): Fixing {
  const last = useRef({ text: '', key: '' })
  const { mutate, isPending, error, variables, reset } = useMutation({
    mutationFn: ({ id, body }: FixRequest) => {
      // Asked once more after a lost connection, it must not become two turns.
      const text = JSON.stringify([id, body])
      if (last.current.text !== text) last.current = { text, key: crypto.randomUUID() }
      const headers = { 'idempotency-key': last.current.key }
      return request<{ generation: { id: string } }>(`/artifacts/${id}/fix`, {
        method: 'POST',
        body,
        headers,
      })
    },
    onSuccess: ({ generation }) => onStarted(generation.id),
    onSettled: (_data, thrown) => {
      if (!thrown || !canSendAgain(thrown)) last.current = { text: '', key: '' }
    },
  })
  const reason = obstacle ?? (isPending ? 'The model is being asked' : null)
  return {
    start: (problems = []) => {
      if (!reason) mutate({ id, body: { problems, ...(model ? { model } : {}) } })
    },
    obstacle: reason,
    error: variables?.id === id ? error : null,
    dismiss: reset,
  }
}

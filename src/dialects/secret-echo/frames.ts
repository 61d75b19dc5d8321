import type { TurnResult } from '../../features/plugins/index.ts'

const sender = 'plugin_generator'

/** Told once, when the first message has come. Clients pass over them. */
export const greetings: readonly object[] = [
  { type: 'status', sender, status: 'connected' },
  { type: 'status', sender, setupComplete: {} },
]

export function chatFrame(response: string): object {
  return { type: 'chat', response, sender }
}

export function codeFrame(response: string, isFinal: boolean): object {
  return { type: 'code', response, sender, isFinal }
}

/** A failure. Clients stop waiting only for a frame with a type and a response, so it has both. */
export function errorFrame(error: string): object {
  return { type: 'chat', response: error, sender, error }
}

const unsafe = 'Generated plugin code is invalid or unsafe'

/** The frames of a turn: first what is said, then the code. Never none, so that nobody waits for ever. */
export function turnFrames({ turn, outcome, prose, code, isFinal, findings, failure }: TurnResult): object[] {
  if (outcome === 'failed' || outcome === 'open') {
    return [errorFrame(failure?.message ?? 'This answer was stopped. Please try again.')]
  }
  const isRefused = turn.purpose === 'final' && !isFinal
  const worst = findings.find(finding => finding.severity === 'error')
  const reason = worst ? `: line ${worst.line}: ${worst.message}` : ''
  const said = [isRefused ? `${unsafe}${reason}` : '', prose].filter(part => part.trim() !== '').join('\n\n')
  const frames = [
    ...(said === '' ? [] : [chatFrame(said)]),
    ...(code === null ? [] : [codeFrame(code, isFinal)]),
  ]
  return frames.length > 0 ? frames : [errorFrame('The model gave no answer. Please try again.')]
}

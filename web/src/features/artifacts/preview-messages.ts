/** One line of a preview's console. */
export interface PreviewMessage {
  id: number
  level: 'log' | 'info' | 'warn' | 'error'
  text: string
  /** Where it happened, when the browser knows. */
  place: string | null
}

const longest = 4_000

/** Reads what a preview posted; null when it is nothing for the console. Nothing in it is trusted but its being text. */
export function readPreviewMessage(data: unknown, id: number): PreviewMessage | null {
  if (!isRecord(data) || data.source !== 'atelier-preview') return null
  if (data.type === 'console') {
    return {
      id,
      level: levelOf(data.level),
      text: textOf(data.args ?? data.text ?? data.message),
      place: null,
    }
  }
  if (data.type === 'error') {
    return { id, level: 'error', text: textOf(data.message ?? data.text), place: placeOf(data) }
  }
  return null
}

function levelOf(level: unknown): PreviewMessage['level'] {
  if (level === 'warn' || level === 'error' || level === 'info') return level
  return 'log'
}

function textOf(value: unknown): string {
  const text = Array.isArray(value) ? value.map(wordOf).join(' ') : wordOf(value)
  return text.length > longest ? `${text.slice(0, longest)}…` : text
}

function wordOf(value: unknown): string {
  if (typeof value === 'string') return value
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value)
  }
}

function placeOf(data: Record<string, unknown>): string | null {
  const { file, line, column } = data
  if (typeof line !== 'number') return null
  if (typeof file !== 'string' || file === '') return `line ${line}`
  return [file, line, typeof column === 'number' ? column : null].filter(part => part !== null).join(':')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

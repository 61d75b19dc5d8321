/** One line of a preview's console. */
export interface PreviewMessage {
  id: number
  level: 'log' | 'info' | 'warn' | 'error'
  text: string
  /** Where in the code it happened, when that is known. */
  place: string | null
}

const longest = 4_000
const mostProblems = 20

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

/** One of the problems that a request for a fix tells. */
export interface RuntimeProblem {
  text: string
  place?: string
}

/** The errors among what a preview said, each once, as a request for a fix takes them. */
export function problemsOf(messages: readonly PreviewMessage[]): RuntimeProblem[] {
  const found = new Map<string, RuntimeProblem>()
  for (const { level, text, place } of messages) {
    const short = text.trim().slice(0, 2_000)
    if (level !== 'error' || short === '') continue
    found.set(`${place} ${short}`, { text: short, ...(place ? { place: place.slice(0, 300) } : {}) })
  }
  return [...found.values()].slice(0, mostProblems)
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

/** A line without a file is one of the page that was built: it would lead nobody to the code. */
function placeOf({ file, line, column }: Record<string, unknown>): string | null {
  if (typeof line !== 'number' || typeof file !== 'string' || file === '') return null
  return [file, line, typeof column === 'number' ? column : null].filter(part => part !== null).join(':')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

import type { Message } from 'esbuild'
import type { BuildMessage } from './index.ts'
import { buildLimits } from './limits.ts'

/** Where a module of the bundle really is: a file of the input, or a script inside a page of it. */
export type FileOf = (modulePath: string) => string | null

/**
 * esbuild's messages as they may be told: only files of the input are named, the line's text is taken from the input
 * itself, and both number and length are limited.
 */
export function report(
  messages: readonly Message[],
  files: Readonly<Record<string, string>>,
  fileOf: FileOf,
): BuildMessage[] {
  const told = new Map<string, BuildMessage>()
  for (const message of messages) {
    const entry = describe(message, files, fileOf)
    told.set(JSON.stringify(entry), entry)
    if (told.size === buildLimits.messages) break
  }
  return [...told.values()]
}

/** What is said when something on the host would have been read. */
export const hostRefusal = 'Only imports of files by their plain names are available in previews'

function describe(message: Message, files: Readonly<Record<string, string>>, fileOf: FileOf): BuildMessage {
  const { location } = message
  const text = isAboutHost(message) ? hostRefusal : shorten(message.text)
  const file = location ? fileOf(location.file) : null
  if (!location || file === null) return { ...nowhere, text }
  return {
    text,
    file,
    line: location.line,
    column: location.column,
    lineText: lineOf(files[file] ?? '', location.line).slice(0, buildLimits.lineTextLength),
  }
}

/** All imports are resolved from memory, so only a computed import makes esbuild itself look around and say what it saw. */
function isAboutHost(message: Message): boolean {
  return (
    message.id === 'empty-glob' ||
    /^(?:Could not (?:resolve|read)|Cannot (?:read|open)|Failed to) /.test(message.text)
  )
}

/** A message about the whole input. */
export function remark(text: string, file: string | null = null): BuildMessage {
  return { ...nowhere, file, text: shorten(text) }
}

const nowhere: BuildMessage = { text: '', file: null, line: null, column: null, lineText: null }

function shorten(text: string): string {
  return text.length > buildLimits.messageLength ? `${text.slice(0, buildLimits.messageLength - 1)}…` : text
}

function lineOf(source: string, line: number): string {
  let start = 0
  for (let at = 1; at < line; at++) {
    const next = source.indexOf('\n', start)
    if (next === -1) return ''
    start = next + 1
  }
  const end = source.indexOf('\n', start)
  return source.slice(start, end === -1 ? undefined : end).replace(/\r$/, '')
}

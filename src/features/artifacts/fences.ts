/** A line of an answer, told apart: prose, or part of a fenced code block. */
export interface FenceReader {
  line(text: string): void
  /** The answer is over; an open block ends here, unfinished. */
  end(): void
}

export interface FenceEvents {
  prose(line: string): void
  open(info: string): void
  code(line: string): void
  close(isComplete: boolean): void
}

interface OpenFence {
  marker: string
  length: number
  indent: number
  quoteDepth: number
}

const longestInfo = 1000
const quotePrefix = /^ {0,3}> ?/
const listMarker = /^( *)(?:[-*+]|\d{1,9}[.)])( +)(?=\S)/

/**
 * Finds fenced code blocks by CommonMark's rules, line by line: backticks or tildes, a closing fence at least as long,
 * up to three spaces more than the list item or quote around it. Each line costs time in proportion to its length.
 */
export function createFenceReader(events: FenceEvents): FenceReader {
  let fence: OpenFence | null = null
  let listIndent = 0
  let isAfterBlank = true

  function outside(line: string): void {
    const quote = stripQuotes(line, Number.POSITIVE_INFINITY)
    const item = listItem(quote.rest)
    const rest = item ? quote.rest.slice(item) : quote.rest
    const opening = openingFence(rest, item ? 3 : listIndent + 3)
    if (opening) {
      fence = { ...opening, indent: opening.indent + (item ?? 0), quoteDepth: quote.depth }
      events.open(opening.info)
      if (item) listIndent = item
      isAfterBlank = false
      return
    }
    if (item) listIndent = item
    else if (isAfterBlank && quote.rest.trim() !== '' && indentOf(quote.rest) === 0) listIndent = 0
    isAfterBlank = quote.rest.trim() === ''
    events.prose(quote.rest)
  }

  function inside(line: string, open: OpenFence): void {
    const quote = stripQuotes(line, open.quoteDepth)
    if (quote.depth < open.quoteDepth) {
      // The quote around the block is over, and with it the block.
      fence = null
      events.close(true)
      outside(expandTabs(line))
    } else if (isClosing(expandTabs(quote.rest), open)) {
      fence = null
      events.close(true)
    } else events.code(withoutIndent(quote.rest, open.indent))
  }

  return {
    line: text => (fence ? inside(text, fence) : outside(expandTabs(text))),
    end() {
      if (fence) events.close(false)
      fence = null
    },
  }
}

function stripQuotes(line: string, most: number): { rest: string; depth: number } {
  let at = 0
  let depth = 0
  while (depth < most) {
    // Only the beginning is looked at, so that a line of a thousand marks is not copied a thousand times.
    const match = quotePrefix.exec(line.slice(at, at + 5))
    if (!match) break
    at += match[0].length
    depth++
  }
  return { rest: at === 0 ? line : line.slice(at), depth }
}

/** The column where a list item's content begins, when the line begins one. */
function listItem(line: string): number | null {
  const match = listMarker.exec(line.slice(0, 100))
  if (!match) return null
  // More than four spaces behind the marker are part of the content.
  return (match[2]?.length ?? 0) > 4 ? match[0].length - (match[2]?.length ?? 0) + 1 : match[0].length
}

function openingFence(
  line: string,
  mostIndent: number,
): { marker: string; length: number; indent: number; info: string } | null {
  const indent = indentOf(line)
  const marker = line[indent]
  if (indent > mostIndent || (marker !== '`' && marker !== '~')) return null
  const length = runLength(line, indent, marker)
  if (length < 3) return null
  const info = line.slice(indent + length, indent + length + longestInfo).trim()
  if (marker === '`' && line.includes('`', indent + length)) return null
  return { marker, length, indent, info }
}

function isClosing(line: string, open: OpenFence): boolean {
  const indent = indentOf(line)
  if (line[indent] !== open.marker || indent > open.indent + 3) return false
  const length = runLength(line, indent, open.marker)
  return length >= open.length && line.slice(indent + length).trim() === ''
}

function indentOf(line: string): number {
  let at = 0
  while (line[at] === ' ') at++
  return at
}

function runLength(line: string, from: number, marker: string): number {
  let at = from
  while (line[at] === marker) at++
  return at - from
}

function withoutIndent(line: string, most: number): string {
  if (most >= 4 && line.startsWith('\t')) return line.slice(1)
  return most === 0 ? line : line.slice(Math.min(indentOf(line), most))
}

/** Tabs at the beginning of a line as the four columns that they stand for. */
function expandTabs(line: string): string {
  return line.startsWith('\t') ? line.replace(/^\t+/, tabs => '    '.repeat(Math.min(tabs.length, 50))) : line
}

import { isAside } from './asides.ts'
import { createFenceReader } from './fences.ts'
import { guessLanguage, languageOfPath, leastLines, typeOf } from './languages.ts'
import { pathInComment, pathInProse, pathKey, readInfo } from './names.ts'
import type { ArtifactType } from './schema.ts'
import { fileNameFor, titleOf } from './titles.ts'

/** A block of code that is worth keeping. Named blocks of one answer share the key `files`: together they are one thing. */
export interface Block {
  key: string
  title: string
  language: string
  type: ArtifactType
  /** Where it lies in its project; made up when the answer gave no name. */
  path: string
  isNamed: boolean
  /** The words before it say that it is an example of use, or another way. */
  isAside: boolean
  content: string
  /** False when the answer ended inside it, or when it was longer than is kept. */
  isComplete: boolean
}

/** What the answer just showed: that a block worth keeping has begun, or that it is there. */
export type Detection =
  | { type: 'start'; key: string; title: string; language: string; path: string | null }
  | { type: 'block'; block: Block }

/** Finds code in an answer while it streams. */
export interface Detector {
  /** Takes the next piece of the answer, cut anywhere. */
  write(text: string): readonly Detection[]
  /** Ends the answer; a block that is still open is handed out unfinished. */
  end(): readonly Detection[]
}

/** The key that all named blocks of one answer share. */
export const filesKey = 'files'

const limits = { blocks: 200, contentLength: 4 * 1024 * 1024 }
const none: readonly Detection[] = []

interface Draft {
  index: number
  language: string
  path: string | null
  isAside: boolean
  lines: string[]
  isCut: boolean
  length: number
  filledLines: number
  isAnnounced: boolean
}

/**
 * A new detector. What it finds depends on the text alone, not on how it was cut, and its work grows with the length
 * of the text and no faster. Blocks that are short and unnamed are passed over: commands, output, a line of an example.
 */
export function createDetector(): Detector {
  let found: Detection[] = []
  let pending = ''
  let before = ''
  let heading = ''
  let isRightBefore = false
  /** Whether a heading since the last block, or the line right before this one, leads to an aside. */
  let leadsAside = false
  /** What a page of this answer still waits for: the first such block belongs to it, however short. */
  const awaited = new Set<string>()
  let draft: Draft | null = null
  let blocks = 0
  let kept = 0

  const reader = createFenceReader({
    prose(line) {
      if (line.trim() === '') return
      before = line.slice(0, 600)
      const isHeading = /^ {0,3}#{1,6}\s/.test(before)
      if (isHeading) {
        heading = before
        leadsAside = isAside(before)
      }
      isRightBefore = true
    },
    open(info) {
      const { language, path } = readInfo(info)
      const named = path ?? (isRightBefore ? pathInProse(before) : null)
      blocks++
      draft = {
        index: blocks,
        language: language || languageOfPath(named ?? ''),
        path: named,
        isAside: leadsAside || (isRightBefore && isAside(before)),
        lines: [],
        isCut: false,
        length: 0,
        filledLines: 0,
        isAnnounced: false,
      }
      isRightBefore = false
      leadsAside = false
    },
    code(line) {
      if (draft) add(draft, line)
    },
    close(isComplete) {
      if (draft) finish(draft, isComplete)
      draft = null
    },
  })

  function add(into: Draft, line: string): void {
    if (into.isCut || kept + line.length > limits.contentLength) {
      into.isCut = true
      return
    }
    if (into.lines.length === 0 && into.path === null) {
      into.path = pathInComment(line)
      into.language ||= languageOfPath(into.path ?? '')
    }
    kept += line.length + 1
    into.length += line.length + 1
    if (line.trim() !== '') into.filledLines++
    into.lines.push(line)
    if (!into.isAnnounced && (isAwaited(into) || isWorthKeeping(into, line))) announce(into)
  }

  function isAwaited({ language, isAside, filledLines }: Draft): boolean {
    return filledLines > 0 && !isAside && awaited.has(language)
  }

  function announce(block: Draft): void {
    if (blocks > limits.blocks) return
    block.isAnnounced = true
    const { title, language } = describe(block)
    found.push({ type: 'start', key: keyOf(block), title, language, path: block.path })
  }

  function finish(block: Draft, isComplete: boolean): void {
    if (!block.isAnnounced) return
    const { title, language, type, content } = describe(block)
    if (block.path === null) awaited.delete(language)
    if (block.path === null && type === 'HTML') for (const part of ['css', 'javascript']) awaited.add(part)
    const path = block.path ?? fileNameFor(title, { language, type, content })
    found.push({
      type: 'block',
      block: {
        key: keyOf(block),
        title,
        language,
        type,
        path,
        isNamed: block.path !== null,
        isAside: block.isAside,
        content,
        isComplete: isComplete && !block.isCut,
      },
    })
  }

  function describe(block: Draft) {
    const content = block.lines.join('\n') + (block.lines.length > 0 ? '\n' : '')
    const language = block.language || guessLanguage(content) || 'text'
    const type = typeOf(language, content)
    return { content, language, type, title: titleOf({ language, type, content, before, heading }) }
  }

  function take(): readonly Detection[] {
    if (found.length === 0) return none
    const result = found
    found = []
    return result
  }

  return {
    write(text) {
      let start = 0
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
        reader.line(withoutReturn(pending + text.slice(start, end)))
        pending = ''
        start = end + 1
      }
      pending += text.slice(start)
      return take()
    },
    end() {
      if (pending !== '') reader.line(withoutReturn(pending))
      pending = ''
      reader.end()
      return take()
    },
  }
}

function keyOf(block: Draft): string {
  return block.path === null ? `block-${block.index}` : filesKey
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}

/** Signs by which even a short block is a whole thing. */
const wholeThing = /^\s*(?:<!doctype html|<html[\s>]|<svg[\s>]|export\s+default\b)|\bPlugin Name:/i

/** Asked at each line until it is true. */
function isWorthKeeping(block: Draft, line: string): boolean {
  if (block.path !== null) return true
  const least = leastLines(block.language)
  if (least === Number.POSITIVE_INFINITY) return false
  return (
    block.filledLines >= least ||
    wholeThing.test(line.slice(0, 200)) ||
    (block.language !== '' && block.length >= 600 && least < 15)
  )
}

/** The named blocks of an answer as the files of one project; of two with the same path the later one counts. */
export function filesOf(blocks: readonly Block[]): Block[] {
  const files = new Map<string, Block>()
  for (const block of blocks) {
    if (!block.isNamed) continue
    const key = pathKey(block.path)
    const earlier = files.get(key)
    files.set(key, earlier ? { ...block, path: earlier.path } : block)
  }
  return [...files.values()]
}

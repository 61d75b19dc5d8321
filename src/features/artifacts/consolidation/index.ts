import type { Bundler, OutlineSource } from '../../../platform/bundler/index.ts'
import type { Block } from '../detection.ts'
import { mergePage } from './page.ts'
import type { Merged, Part } from './parts.ts'
import { mergeScripts } from './scripts.ts'
import { mergeStyles } from './styles.ts'

export type { Merged } from './parts.ts'

type Reader = Pick<Bundler, 'outline'>

const limits = { blocks: 12, length: 300_000 }

/**
 * What the unnamed blocks of one answer make together: a page with its styles and scripts, files of scripts that need each
 * other, a style sheet. Only what still parses is given; blocks that are examples of use, alternatives of each other, or
 * whole things of their own stay apart. Languages that nothing here can parse are never merged.
 */
export async function consolidate(reader: Reader, blocks: readonly Block[]): Promise<Merged[]> {
  // Names say that the answer is a project; what stands beside it are remarks.
  if (blocks.some(block => block.isNamed)) return []
  const candidates = blocks.filter(
    (block, index) => block.isComplete && familyOf(block) !== null && !(index > 0 && block.isAside),
  )
  const length = candidates.reduce((sum, block) => sum + block.content.length, 0)
  if (candidates.length < 2 || candidates.length > limits.blocks || length > limits.length) return []
  const parts = await readParts(reader, candidates)
  const page = mergePage(parts)
  const scripts = mergeScripts(without(parts, page ? [page] : []))
  const styles = page ? [] : mergeStyles(without(parts, scripts))
  const merged = [...(page ? [page] : []), ...scripts, ...styles]
  const judged = await reader.outline(merged.map(judgedAs))
  return merged.filter((_, index) => judged[index])
}

function without(parts: readonly Part[], merged: readonly Merged[]): Part[] {
  return parts.filter(part => !merged.some(each => each.parts.includes(part)))
}

/** Whether a block of this language and type may be merged with others. */
export function isMergeable(block: Pick<Block, 'language' | 'type'>): boolean {
  return familyOf(block) !== null
}

type Family = OutlineSource['language'] | 'html'

function familyOf({ language, type }: Pick<Block, 'language' | 'type'>): Family | null {
  if (type === 'HTML' || language === 'html') return 'html'
  if (language === 'css') return 'css'
  if (language === 'tsx' || (language === 'typescript' && type === 'REACT')) return 'tsx'
  if (language === 'typescript') return 'ts'
  return language === 'jsx' || language === 'javascript' ? 'jsx' : null
}

async function readParts(reader: Reader, blocks: readonly Block[]): Promise<Part[]> {
  const read = blocks.filter(block => block.type !== 'HTML')
  const outlines = read.length === 0 ? [] : await reader.outline(read.map(sourceOf))
  return blocks.map(block => ({ block, outline: outlines[read.indexOf(block)] ?? null }))
}

function sourceOf({ language, type, content }: Block): OutlineSource {
  const family = familyOf({ language, type })
  return { language: family === null || family === 'html' ? 'jsx' : family, content }
}

/** What is read to judge a result: of a page its scripts, whose styles were read before. */
function judgedAs({ content, language, type, script }: Merged): OutlineSource {
  const family = familyOf({ language, type })
  if (family === null || family === 'html') return { language: 'js', content: script ?? '' }
  return { language: family, content }
}

/**
 * Cuts Markdown into pieces that can be rendered one by one, so that while an answer grows only its last piece is
 * rendered again. A piece never ends inside a fence, and lists stay whole. Joined, the pieces are the text.
 * Texts with link definitions or footnotes stay one piece, because those reach across everything.
 */
export function splitBlocks(markdown: string): string[] {
  if (hasDefinitions(markdown)) return [markdown]
  const blocks: string[] = []
  let start = 0
  let offset = 0
  let fence: string | null = null
  let wasBlank = false
  let isInList = false
  while (offset < markdown.length) {
    const next = markdown.indexOf('\n', offset)
    const end = next === -1 ? markdown.length : next + 1
    const line = markdown.slice(offset, end)
    const isBlank = line.trim() === ''
    if (fence) {
      if (closes(line, fence)) fence = null
    } else if (!isBlank) {
      const isItem = /^ {0,3}([-*+]|\d{1,9}[.)])(\s|$)/.test(line)
      const belongsToList = isInList && (isItem || /^(\t| {2,})/.test(line))
      if (wasBlank && !belongsToList && offset > start) {
        blocks.push(markdown.slice(start, offset))
        start = offset
        isInList = false
      }
      if (isItem) isInList = true
      fence = opens(line)
    }
    wasBlank = isBlank && !fence
    offset = end
  }
  if (start < markdown.length) blocks.push(markdown.slice(start))
  return blocks
}

function opens(line: string): string | null {
  const match = /^\s*(?:[-*+]\s+|\d{1,9}[.)]\s+)?(`{3,}|~{3,})(.*)$/.exec(line.trimEnd())
  if (!match?.[1]) return null
  return match[1].startsWith('`') && match[2]?.includes('`') ? null : match[1]
}

function closes(line: string, fence: string): boolean {
  const trimmed = line.trim()
  return trimmed.length >= fence.length && trimmed === fence.charAt(0).repeat(trimmed.length)
}

function hasDefinitions(markdown: string): boolean {
  if (!markdown.includes(']:')) return false
  const withoutFences = markdown.replace(/^\s*(`{3,}|~{3,})[\s\S]*?(^\s*\1|(?![\s\S]))/gm, '')
  return /^ {0,3}\[[^\]]+\]:\s*\S/m.test(withoutFences)
}

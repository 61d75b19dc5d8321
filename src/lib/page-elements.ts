/** A script, style link or comment-free stretch of a page, by position in its text. */
export interface PageElement {
  name: 'script' | 'link'
  start: number
  end: number
  attributes: Readonly<Record<string, string>>
  /** What stands between the tags of a script, and where that begins. */
  content: string
  contentStart: number
}

const tag = /<!--|<(script|link)(?=[\s/>])/gi
const attribute = /([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g

/** Scripts and links of a page in their order; comments are skipped, and the time is linear in the length. */
export function scanPage(html: string): PageElement[] {
  const elements: PageElement[] = []
  tag.lastIndex = 0
  for (let match = tag.exec(html); match; match = tag.exec(html)) {
    if (match[0] === '<!--') {
      const close = html.indexOf('-->', match.index)
      if (close === -1) break
      tag.lastIndex = close + 3
      continue
    }
    const open = endOfTag(html, tag.lastIndex)
    if (open === -1) break
    const name = match[1]?.toLowerCase() === 'link' ? 'link' : 'script'
    const attributes = readAttributes(html.slice(tag.lastIndex, open))
    const close = name === 'link' ? { contentEnd: open + 1, end: open + 1 } : endOfScript(html, open + 1)
    const content = html.slice(open + 1, close.contentEnd)
    elements.push({ name, start: match.index, end: close.end, attributes, content, contentStart: open + 1 })
    tag.lastIndex = close.end
  }
  return elements
}

function endOfTag(html: string, from: number): number {
  let quote = ''
  for (let at = from; at < html.length; at++) {
    const char = html[at] ?? ''
    if (quote) {
      if (char === quote) quote = ''
    } else if (char === '"' || char === "'") quote = char
    else if (char === '>') return at
  }
  return -1
}

function endOfScript(html: string, from: number): { contentEnd: number; end: number } {
  const closing = /<\/script(?=[\s/>])/gi
  closing.lastIndex = from
  const match = closing.exec(html)
  if (!match) return { contentEnd: html.length, end: html.length }
  const end = html.indexOf('>', match.index)
  return { contentEnd: match.index, end: end === -1 ? html.length : end + 1 }
}

function readAttributes(text: string): Record<string, string> {
  const attributes: Record<string, string> = Object.create(null)
  for (const match of text.slice(0, 10_000).matchAll(attribute)) {
    const name = match[1]?.toLowerCase() ?? ''
    attributes[name] ??= match[2] ?? match[3] ?? match[4] ?? ''
  }
  return attributes
}

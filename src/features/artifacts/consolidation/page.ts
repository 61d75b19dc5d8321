import { type PageElement, scanPage } from '../../../lib/page-elements.ts'
import { areDistinct, type Merged, namesOf, type Part } from './parts.ts'
import { joinStyles, selectorsOf } from './styles.ts'

/** What stands in a page's text at a place, in place of what was there. */
interface Change {
  start: number
  end: number
  text: string
}

/** What only scripts of a page ask for. */
const ofBrowsers = new Set([
  'document',
  'window',
  'localStorage',
  'sessionStorage',
  'addEventListener',
  '$',
  'jQuery',
])
/** What only scripts of a server ask for. */
const ofServers = new Set(['require', 'process', 'module', 'exports', '__dirname', 'Deno', 'Bun'])

/** The page of an answer with those of its styles and scripts that belong to it, as one file; null when none does. */
export function mergePage(parts: readonly Part[]): Merged | null {
  const [root, ...others] = parts.filter(part => part.block.type === 'HTML')
  // Of several pages nobody knows which one the rest is for.
  if (!root || others.length > 0) return null
  // A page beside components is the frame of an application, and styles are theirs.
  if (parts.some(part => part.block.type === 'REACT')) return null
  const html = root.block.content
  const elements = scanPage(html)
  const links = elements.filter(isLocalStyle)
  const sources = elements.filter(isLocalScript)
  const scripts = scriptsFor(root, sources.length > 0, parts)
  const styles = stylesFor(root, links.length > 0, { parts, scripts })
  if (styles.length + scripts.length === 0) return null
  if (!areDistinct(scripts.flatMap(namesOf))) return null
  const style = styles.length > 0 ? joinStyles(styles.map(part => part.block.content)) : ''
  const script = scripts.map(part => part.block.content.trim()).join('\n\n')
  // Text that would end its element, or hide what follows, cannot stand inside a page as it is.
  if (/<\/style/i.test(style) || /<\/script|<!--/i.test(script)) return null
  const gone = [
    ...(style ? links.slice(0, styles.length) : []),
    ...(script ? sources.slice(0, scripts.length) : []),
  ]
  const page = fill(without(html, gone), { title: root.block.title, style, script })
  if (!holds(page, { script, count: elements.length - gone.length + (script ? 1 : 0) })) return null
  const used = parts.filter(part => part === root || styles.includes(part) || scripts.includes(part))
  return { parts: used, root, content: page, language: 'html', type: 'HTML', script }
}

/** Plain scripts that look for this page: it names a file that is not there, or has none of its own. */
function scriptsFor({ block }: Part, isAsking: boolean, parts: readonly Part[]): Part[] {
  const isOpen =
    isAsking || !scanPage(block.content).some(({ name, content }) => name === 'script' && content.trim())
  if (!isOpen) return []
  return parts.filter(part => {
    const { outline } = part
    if (part.block.type !== 'JAVASCRIPT' || !outline) return false
    if (outline.imports.length > 0 || outline.defaultExport || outline.hasNamedExports || !outline.isMovable)
      return false
    if (outline.uses.some(name => ofServers.has(name))) return false
    const isCalled = namesOf(part).some(name =>
      new RegExp(`\\son[a-z]+\\s*=\\s*["'][^"']{0,300}\\b${escapePattern(name)}\\s*\\(`, 'i').test(
        block.content,
      ),
    )
    return isAsking || isCalled || outline.uses.some(name => ofBrowsers.has(name))
  })
}

interface Surroundings {
  parts: readonly Part[]
  scripts: readonly Part[]
}

/** Style sheets for what is in this page, or what its scripts put there. */
function stylesFor({ block }: Part, isAsking: boolean, { parts, scripts }: Surroundings): Part[] {
  if (!isAsking && /<style[\s>]/i.test(block.content)) return []
  const text = [block.content, ...scripts.map(part => part.block.content)].join('\n')
  return parts.filter(
    part =>
      part.block.language === 'css' &&
      part.outline !== null &&
      (isAsking || selectorsOf(part.block.content).some(selector => isIn(text, selector))),
  )
}

/** Whether a selector can mean something here: each class and id that it names occurs; elements always may. */
function isIn(text: string, selector: string): boolean {
  const names = selector.match(/[.#][A-Za-z_][\w-]*/g) ?? []
  return names.every(name => new RegExp(`\\b${escapePattern(name.slice(1))}\\b`).test(text))
}

function isLocalStyle({ name, attributes }: PageElement): boolean {
  return (
    name === 'link' && /(?:^|\s)stylesheet(?:\s|$)/i.test(attributes.rel ?? '') && isLocal(attributes.href)
  )
}

function isLocalScript({ name, attributes }: PageElement): boolean {
  return name === 'script' && isLocal(attributes.src)
}

function isLocal(address: string | undefined): boolean {
  return (
    address !== undefined && address.trim() !== '' && !/^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(address.trim())
  )
}

/** A page without some of its elements, and without the lines that held nothing else. */
function without(html: string, gone: readonly PageElement[]): string {
  let text = html
  for (const { start, end } of [...gone].sort((a, b) => b.start - a.start)) {
    const before = text.slice(0, start).replace(/\n[ \t]*$/, '\n')
    const after = text.slice(end)
    const isWholeLine = before.endsWith('\n') && /^[ \t]*\r?\n/.test(after)
    text = isWholeLine ? before + after.replace(/^[ \t]*\r?\n/, '') : text.slice(0, start) + after
  }
  return text
}

interface Filling {
  title: string
  style: string
  script: string
}

/** Styles end the head and scripts the body; what is only a part of a page gets a page around it. */
function fill(html: string, { title, style, script }: Filling): string {
  const styleText = style ? `<style>\n${style}</style>\n` : ''
  const scriptText = script ? `<script>\n${script}\n</script>\n` : ''
  const isWhole = /<html[\s>]|<body[\s>]|<head[\s>]/i.test(html)
  if (!isWhole) return frame(title, styleText, `${html.trim()}\n${scriptText}`)
  const elements = scanPage(html)
  const isInElement = (at: number) => elements.some(element => at > element.start && at < element.end)
  const places = (pattern: RegExp) =>
    [...html.matchAll(pattern)].map(match => match.index).filter(at => !isInElement(at))
  const styleAt = places(/<\/head\s*>/gi)[0] ?? places(/<body[\s>]/gi)[0] ?? 0
  const scriptAt = places(/<\/body\s*>/gi).at(-1) ?? places(/<\/html\s*>/gi).at(-1) ?? html.length
  const changes: Change[] = [
    { start: styleAt, end: styleAt, text: styleText },
    { start: scriptAt, end: scriptAt, text: scriptText },
  ]
  let text = html
  for (const { start, end, text: added } of changes.sort((a, b) => b.start - a.start))
    text = text.slice(0, start) + added + text.slice(end)
  return text
}

function frame(title: string, styleText: string, body: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta name="viewport" content="width=device-width, initial-scale=1.0">
<title>${escapeHtml(title)}</title>
${styleText}</head>
<body>
${body}</body>
</html>
`
}

/** Whether a page that is read again has the elements it should have, and the script byte for byte. */
function holds(page: string, { script, count }: { script: string; count: number }): boolean {
  const elements = scanPage(page)
  const isThere = elements.some(({ name, content }) => name === 'script' && content === `\n${script}\n`)
  return elements.length === count && (script === '' || isThere)
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

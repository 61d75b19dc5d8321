import { areDistinct, type Merged, type Part } from './parts.ts'

const early = /^[ \t]*@(?:charset|import)\s[^;{}]{1,500};[ \t]*\n?/gm

/** Style sheets as one, unless they style the same things: then they are ways to choose from. */
export function mergeStyles(parts: readonly Part[]): Merged[] {
  const sheets = parts.filter(part => part.block.language === 'css' && part.outline)
  const [root] = sheets
  if (!root || sheets.length < 2) return []
  if (!areDistinct(sheets.flatMap(part => selectorsOf(part.block.content)))) return []
  const content = joinStyles(sheets.map(part => part.block.content))
  return [{ parts: sheets, root, content, language: 'css', type: 'CSS' }]
}

/** Sheets in their order; what must stand at the beginning of a sheet comes first, and once. */
export function joinStyles(sheets: readonly string[]): string {
  const first = new Set<string>()
  const bodies = sheets.map(sheet =>
    sheet.replaceAll(early, rule => {
      first.add(rule.trim())
      return ''
    }),
  )
  const head = [...first].sort((a, b) => Number(b.startsWith('@charset')) - Number(a.startsWith('@charset')))
  const sections = [head.join('\n'), ...bodies.map(body => body.trim())]
  return `${sections.filter(section => section !== '').join('\n\n')}\n`
}

/** The selectors of a sheet's rules outside of at-rules, each once. */
export function selectorsOf(sheet: string): string[] {
  const found = new Set<string>()
  let depth = 0
  let start = 0
  const plain = sheet.replaceAll(/\/\*[\s\S]*?\*\//g, '')
  for (let at = 0; at < plain.length; at++) {
    const char = plain[at]
    if (char === '{' && depth++ === 0) {
      const head = plain.slice(start, at).trim()
      if (!head.startsWith('@')) for (const selector of head.split(',')) found.add(selector.trim())
    }
    if (char === '}') depth = Math.max(0, depth - 1)
    if (depth === 0 && (char === '}' || char === ';')) start = at + 1
  }
  return [...found].filter(selector => selector !== '')
}

import type { Look } from './wish.ts'

/** A React component as one TSX file with a default export; it needs nothing but React. */
export interface ComponentSource {
  name: string
  /** What it is, in a sentence's middle: `a clickable button`. */
  what: string
  code: string
}

/** The first lines that every component shares: its colours and sizes. */
export function head(look: Look, imports = 'useState'): string {
  return `import { ${imports} } from 'react'

const accent = '${look.accent}' // ${look.colour}
const paper = '${look.isDark ? '#171717' : '#ffffff'}'
const ink = '${look.isDark ? '#f5f5f5' : '#171717'}'
const size = ${look.isLarge ? 22 : 16}
`
}

/** The code without the tag that closes its first element, so that it does not build. */
export function broken(code: string): string {
  return code.replace(/^ *<\/main>\n/m, '')
}

/** The subject as a heading: first letter large. */
export function heading({ subject }: Look): string {
  return subject.charAt(0).toUpperCase() + subject.slice(1)
}

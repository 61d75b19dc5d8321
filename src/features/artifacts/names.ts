import { languageOf, languageOfPath } from './languages.ts'

/** What the text behind an opening fence says. */
export interface FenceInfo {
  language: string
  path: string | null
}

const attribute =
  /(?:^|[\s{,])(?:title|file(?:_?name)?|name|path)\s*[=:]\s*(?:"([^"]+)"|'([^']+)'|([^\s"'{},]+))/i

/** Reads `tsx`, `tsx title="src/App.tsx"`, `tsx:src/App.tsx`, `tsx src/App.tsx`, `src/App.tsx`, `{.js filename=a.js}`. */
export function readInfo(info: string): FenceInfo {
  const first = /^[^\s{]+/.exec(info)?.[0] ?? ''
  const named = attribute.exec(info)
  const attributePath = cleanPath(named?.[1] ?? named?.[2] ?? named?.[3] ?? '')
  const colon = first.indexOf(':')
  if (colon > 0) {
    const path = cleanPath(first.slice(colon + 1))
    return { language: languageOf(first.slice(0, colon)), path: attributePath ?? path }
  }
  if (/[./]/.test(first)) {
    const path = attributePath ?? cleanPath(first)
    if (path !== null) return { language: languageOfPath(path), path }
  }
  const language = languageOf(first || (/\{\.?([\w+#-]+)/.exec(info)?.[1] ?? ''))
  if (attributePath !== null)
    return { language: language || languageOfPath(attributePath), path: attributePath }
  const second = info.slice(first.length).trim().split(/\s+/)[0] ?? ''
  const path = /[./]/.test(second) ? cleanPath(second) : null
  return { language, path }
}

const commentStarts = ['//', '#', '--', ';', '/*', '<!--', '{/*']

/** The path in a first line such as `// src/App.tsx` or `<!-- index.html -->`. */
export function pathInComment(line: string): string | null {
  if (line.length > 300) return null
  const text = line.trim()
  const start = commentStarts.find(mark => text.startsWith(mark))
  if (start === undefined) return null
  return plainPath(
    text
      .slice(start.length)
      .replace(/(?:\*\/\}?|-->)$/, '')
      .trim(),
  )
}

/** The path in a heading, bold or code text right before a block: `### src/App.tsx`, `**App.tsx**`, `File: \`a.js\``. */
export function pathInProse(line: string): string | null {
  if (line.length > 300) return null
  const bare = line.replace(/^\s*(?:#{1,6}\s+|[-*+]\s+|\d{1,3}[.)]\s+)+/, '').trim()
  const isMarked = /^#{1,6}\s/.test(line.trim()) || /[*_`]/.test(bare) || /:$/.test(bare)
  if (!isMarked) return null
  return plainPath(bare.replaceAll(/[*`]|^_+|_+$/g, '').trim())
}

/** A path that stands alone, but for a word like `File:` before and a colon or remark in brackets behind it. */
function plainPath(text: string): string | null {
  const bare = text
    .replace(/^(?:file(?:\s?name)?|path|create|update|edit|datei)\s*:?\s+/i, '')
    .replace(/\s*\([^()]{0,60}\)\s*:?$/, '')
    .replace(/:$/, '')
    .trim()
  return /\s/.test(bare) ? null : cleanPath(bare)
}

const knownNames =
  /^(?:dockerfile|makefile|readme|license|procfile|\.gitignore|\.env(?:\.\w+)?|\.dockerignore|\.editorconfig)$/i
const segment = /^[\p{L}\p{N}_@.()[\]+$~-]+$/u

/** A relative path of a project, without tricks; null for what is no file name. */
export function cleanPath(text: string): string | null {
  const path = text.trim().replace(/^(?:\.?\/)+/, '')
  if (path === '' || path.length > 200) return null
  const segments = path.split('/')
  if (segments.some(part => part === '.' || part === '..' || !segment.test(part))) return null
  const name = segments.at(-1) ?? ''
  const hasEnding = /^[^.].*\.[a-z][a-z0-9]{0,9}$/i.test(name) && !/^(?:e\.g|i\.e|etc)$/i.test(name)
  return hasEnding || knownNames.test(name) ? path : null
}

const longestSlug = 80

/** A title as the name of a file: small letters and digits of any script between single hyphens, never empty. */
export function slugOf(title: string): string {
  const slug = Array.from(
    title
      .normalize('NFKC')
      .replaceAll(/([\p{Ll}\p{N}])(\p{Lu}\p{Ll})/gu, '$1-$2')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, '-')
      .replace(/^-/, ''),
  )
    .slice(0, longestSlug)
    .join('')
    .replace(/-$/, '')
  // Windows keeps these names for devices.
  return slug === '' || /^(?:con|prn|aux|nul|com\d|lpt\d)$/.test(slug) ? `project${slug && `-${slug}`}` : slug
}

/** Two paths with the same key cannot stand beside each other on every disk. */
export function pathKey(path: string): string {
  return path.normalize('NFC').toLowerCase()
}

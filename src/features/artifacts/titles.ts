import { extensionOf } from './languages.ts'
import type { ArtifactType } from './schema.ts'

const longest = 120

/** What is known of a block when it needs a title. */
export interface TitleSource {
  language: string
  type: ArtifactType
  content: string
  /** The last line of prose before it, and the last heading. */
  before: string
  heading: string
}

const vague =
  /^(?:app|main|index|root|component|default|page|home|my_?component|example|test|data|props|state)$/i

/** A title from the code (page title, plugin name, component, class, function), else from the text before it. */
export function titleOf(source: TitleSource): string {
  const own = clip(titleInCode(source))
  if (own && !vague.test(own)) return own
  return clip(plain(source.heading)) || clip(sentence(source.before)) || own || defaults[source.type]
}

const defaults: Record<ArtifactType, string> = {
  CODE: 'Code',
  HTML: 'Page',
  CSS: 'Styles',
  REACT: 'Component',
  JAVASCRIPT: 'Script',
  TYPESCRIPT: 'Script',
  PYTHON: 'Python script',
  OTHER: 'Document',
}

function titleInCode({ language, type, content }: TitleSource): string {
  // What names a thing stands near its beginning or, for exports, its end.
  const head = content.slice(0, 20_000)
  const tail = content.slice(-4000)
  if (type === 'HTML' || language === 'svg')
    return decode(/<title[^>]{0,100}>([^<]{1,200})<\/title>/i.exec(head)?.[1] ?? '')
  if (language === 'php')
    return (
      /^[ \t*#/]*Plugin Name:[ \t]*(.+?)[ \t]*$/im.exec(head)?.[1] ??
      named(head, /^(?:final |abstract )*(?:class|function)\s+([A-Za-z_]\w*)/m)
    )
  if (language === 'markdown') return /^#\s+(.+?)\s*#*$/m.exec(head)?.[1] ?? ''
  if (type === 'REACT') {
    const exported =
      /export\s+default\s+(?:async\s+)?(?:function\s+|class\s+)?(?:memo\(|forwardRef\()?([A-Z]\w*)/.exec(
        tail,
      ) ?? /export\s+default\s+(?:function\s+|class\s+)([A-Z]\w*)/.exec(head)
    return exported?.[1] ?? named(head, /^(?:export\s+)?(?:const|function|class)\s+([A-Z]\w*)/m)
  }
  if (type === 'PYTHON')
    return named(head, /^class\s+([A-Za-z_]\w*)/m) || named(head, /^(?:async\s+)?def\s+([A-Za-z_]\w*)/m)
  if (type === 'CSS' || type === 'OTHER') return ''
  return named(
    head,
    /^[ \t]*(?:export\s+)?(?:default\s+)?(?:public\s+|final\s+|abstract\s+|async\s+)*(?:class|interface|struct|trait|function|func|fn|def|fun)\s+([A-Za-z_]\w*)/m,
  )
}

function named(text: string, pattern: RegExp): string {
  return pattern.exec(text)?.[1] ?? ''
}

/** Prose that is short enough to be a title: without markup, without the colon that leads to the block. */
function sentence(line: string): string {
  const text = plain(line).replace(/^(?:here(?:'s| is| are)|below is|this is)\s+/i, '')
  return text.length > 80 ? '' : capitalise(text)
}

function plain(line: string): string {
  if (line.length > 500) return ''
  const text = line
    .replace(/^\s*(?:#{1,6}\s+|[-*+]\s+|\d{1,3}[.)]\s+|>\s*)+/, '')
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[*`]|^_+|_+$/g, '')
    .replace(/\s*#+\s*$/, '')
    .replace(/[\s:.]+$/, '')
    .trim()
  return capitalise(text)
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function decode(text: string): string {
  const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
  return text.replaceAll(/&(amp|lt|gt|quot|#39);/g, (whole, name: string) => entities[name] ?? whole)
}

function clip(text: string): string {
  const clean = text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
  return Array.from(clean).length > longest
    ? `${Array.from(clean)
        .slice(0, longest - 1)
        .join('')}…`
    : clean
}

/** A file name for code that has none: by its title when that is a name, else what such a file is usually called. */
export function fileNameFor(
  title: string,
  source: Pick<TitleSource, 'language' | 'type' | 'content'>,
): string {
  const { language, type, content } = source
  if (type === 'HTML') return 'index.html'
  if (type === 'CSS') return `styles.${extensionOf(language)}`
  if (type === 'REACT') {
    const isTyped =
      language === 'tsx' || language === 'typescript' || /:\s*React\.FC|^(?:interface|type)\s/m.test(content)
    return `${/^[A-Z]\w*$/.test(title) ? title : 'App'}.${isTyped ? 'tsx' : 'jsx'}`
  }
  const slug = title
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9_]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 60)
  const name = type === 'CODE' || type === 'PYTHON' || type === 'OTHER' ? slug.toLowerCase() : slug
  return `${name || 'code'}.${extensionOf(language)}`
}

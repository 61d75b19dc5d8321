import { type Loader, transform } from 'esbuild'
import type { Outline, OutlineSource } from './index.ts'
import { readOutline, type SyntaxNode } from './syntax.ts'

const loaders: Record<OutlineSource['language'], Loader> = {
  js: 'js',
  jsx: 'jsx',
  ts: 'ts',
  tsx: 'tsx',
  css: 'css',
}

/** The outline of each source; null for one that does not parse. Without sources it only gets ready. */
export async function outlineAll(sources: readonly OutlineSource[]): Promise<(Outline | null)[]> {
  if (sources.length === 0) await Promise.all([parser(), parses({ language: 'js', content: '' })])
  const outlines: (Outline | null)[] = []
  for (const source of sources) outlines.push((await parses(source)) ? await outlineOf(source) : null)
  return outlines
}

/** Whether esbuild reads it without a complaint about its syntax; names that are declared twice are one. */
async function parses({ language, content }: OutlineSource): Promise<boolean> {
  try {
    const options = { loader: loaders[language], jsx: 'preserve', logLevel: 'silent' } as const
    const { warnings } = await transform(content, options)
    return !warnings.some(warning => warning.id === 'css-syntax-error')
  } catch {
    return false
  }
}

async function outlineOf({ language, content }: OutlineSource): Promise<Outline | null> {
  if (language === 'css') return emptyOutline
  const { parseSync } = await parser()
  const parsed = parseSync(`source.${language}`, content, { lang: language, sourceType: 'module' })
  if (parsed.errors.length > 0) return null
  return readOutline(parsed.program as unknown as SyntaxNode, content)
}

/** Loaded when it is first needed: builds do not need it. */
function parser() {
  return import('vite')
}

const emptyOutline: Outline = {
  imports: [],
  directives: [],
  declares: [],
  defaultExport: null,
  hasNamedExports: false,
  uses: [],
  usesAtOnce: [],
  defines: false,
  isOnlyElements: false,
  isMovable: true,
}

import type { ImportedName, ImportStatement } from '../../../platform/bundler/index.ts'

interface Wanted extends ImportedName {
  specifier: string
}

/** How the imports of a file are written. */
export interface ImportStyle {
  quote: string
  end: string
}

const widest = 100

/** The style of the first import in any of the sources. */
export function styleOf(statements: readonly string[]): ImportStyle {
  const [first] = statements
  return {
    quote: first?.includes('"') ? '"' : "'",
    end: first === undefined || first.trimEnd().endsWith(';') ? ';' : '',
  }
}

/**
 * Import statements as one list: those without names first and in their order, then React, other packages, and files,
 * each by name. Null when one name would stand for two things.
 */
export function mergeImports(statements: readonly ImportStatement[], style: ImportStyle): string[] | null {
  const wanted = new Map<string, Wanted>()
  const bare: string[] = []
  for (const { specifier, names } of statements) {
    if (names.length === 0 && !bare.includes(specifier)) bare.push(specifier)
    for (const name of names) {
      const known = wanted.get(name.local)
      if (known && (known.specifier !== specifier || known.imported !== name.imported)) return null
      wanted.set(name.local, { ...name, specifier, isType: name.isType && known?.isType !== false })
    }
  }
  const lines = [...new Set([...wanted.values()].map(({ specifier }) => specifier))]
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .flatMap(specifier =>
      write(
        specifier,
        [...wanted.values()].filter(name => name.specifier === specifier),
        style,
      ),
    )
  return [...bare.map(specifier => `import ${quoted(specifier, style)}${style.end}`), ...lines]
}

function rank(specifier: string): number {
  if (/^react(?:-dom)?(?:\/|$)/.test(specifier)) return 0
  return /^[./]/.test(specifier) ? 2 : 1
}

/** One statement for values and one for types; a namespace, and a second default, need one of their own. */
function write(specifier: string, names: readonly Wanted[], style: ImportStyle): string[] {
  const from = `from ${quoted(specifier, style)}${style.end}`
  return [false, true].flatMap(isType => {
    const own = names.filter(name => name.isType === isType)
    const word = isType ? 'import type' : 'import'
    const [first, ...others] = own.filter(name => name.imported === 'default').map(name => name.local)
    const named = own.filter(name => name.imported !== 'default' && name.imported !== '*').sort(byName)
    const separate = [
      ...own.filter(name => name.imported === '*').map(name => `* as ${name.local}`),
      ...others,
      ...(isType && first !== undefined && named.length > 0 ? [first] : []),
    ]
    const lead = isType && named.length > 0 ? undefined : first
    const together = lead === undefined && named.length === 0 ? [] : [clause(word, lead, named, from)]
    return [...together, ...separate.map(what => `${word} ${what} ${from}`)]
  })
}

function clause(word: string, lead: string | undefined, named: readonly Wanted[], from: string): string {
  const start = lead === undefined ? '' : `${lead}${named.length > 0 ? ', ' : ''}`
  if (named.length === 0) return `${word} ${start} ${from}`
  const items = named.map(({ imported, local }) => (imported === local ? local : `${imported} as ${local}`))
  const line = `${word} ${start}{ ${items.join(', ')} } ${from}`
  return line.length <= widest
    ? line
    : `${word} ${start}{\n${items.map(item => `  ${item},\n`).join('')}} ${from}`
}

function byName(a: Wanted, b: Wanted): number {
  return a.imported < b.imported ? -1 : 1
}

function quoted(specifier: string, { quote }: ImportStyle): string {
  return quote + specifier + quote
}

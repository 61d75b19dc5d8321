import type { ImportStatement, Outline } from '../../../platform/bundler/index.ts'
import { mergeImports, styleOf } from './imports.ts'
import { areDistinct, type Merged, namesOf, type Part } from './parts.ts'

/** A part that can be read. */
interface Script extends Part {
  outline: Outline
}

/** A style sheet, and the path by which it is imported. */
interface Sheet {
  part: Part
  path: string
}

/** A part among others: whom it needs, and which of its imports mean them. */
interface Linked {
  part: Script
  needs: Set<Script>
  /** Imports of other parts, which fall away when they are one file. */
  inner: Set<ImportStatement>
}

/** A style sheet beside the script that imports it. */
const sheetPath = /^\.\/((?:[\w-][\w.-]*\/)*[\w-][\w.-]*\.css)$/

/**
 * Scripts that need each other, each group as one file; what nothing leads to, or what would clash, stays apart. Style
 * sheets that they import, when the answer has as many, become files beside it under the names that the imports ask for.
 */
export function mergeScripts(parts: readonly Part[]): Merged[] {
  const scripts = parts.filter(
    (part): part is Script =>
      part.block.type !== 'HTML' &&
      part.block.language !== 'css' &&
      part.outline?.isMovable === true &&
      !part.outline.isOnlyElements &&
      !part.outline.uses.some(name => name === 'module' || name === 'exports'),
  )
  const linked = scripts.map(part => linkOf(part, scripts)).filter(link => link !== null)
  const sheets = parts.filter(part => part.block.language === 'css' && part.outline)
  return groupsOf(linked).flatMap(group => {
    const merged = mergeGroup(group, sheets)
    if (!merged) return []
    const { parts: used } = merged
    return [{ ...merged, parts: parts.filter(part => used.includes(part)) }]
  })
}

/** Null when it imports a file that no part is. */
function linkOf(part: Script, all: readonly Script[]): Linked | null {
  const needs = new Set<Script>()
  const inner = new Set<ImportStatement>()
  const others = all.filter(other => other !== part)
  for (const statement of part.outline.imports) {
    if (!/^(?:\.{1,2}\/|[@~]\/)/.test(statement.specifier)) continue
    if (sheetPath.test(statement.specifier)) continue
    const meant = others.find(other => isMeant(statement, other))
    if (!meant) return null
    needs.add(meant)
    inner.add(statement)
  }
  for (const other of others) {
    const isUsed = namesOf(other).some(name => part.outline.uses.includes(name))
    if (isUsed && !isUseOfExport(part, other)) needs.add(other)
  }
  return { part, needs, inner }
}

/** Whether every name of an import is one that the part declares, called there as here. */
function isMeant({ names }: ImportStatement, other: Script): boolean {
  const { defaultExport } = other.outline
  const declared = namesOf(other)
  return (
    names.length > 0 &&
    names.every(({ imported, local }) =>
      imported === 'default' ? defaultExport?.name === local : imported === local && declared.includes(local),
    )
  )
}

/** Code that only runs, beside a part that exports: an example of its use, unless it puts a component on the page. */
function isUseOfExport(part: Script, other: Script): boolean {
  const { defines, imports, defaultExport, hasNamedExports, uses } = part.outline
  const isExporting = other.outline.defaultExport !== null || other.outline.hasNamedExports
  const isMounting =
    uses.includes('ReactDOM') ||
    imports.some(({ names }) => names.some(({ imported }) => /^(?:createRoot|hydrateRoot)$/.test(imported)))
  return isExporting && !defines && !isMounting && defaultExport === null && !hasNamedExports
}

/** Parts that hang together, in the order of their writing. */
function groupsOf(all: readonly Linked[]): Linked[][] {
  const groups = new Map(all.map(link => [link.part, new Set([link])]))
  for (const link of all) {
    for (const needed of link.needs) {
      const own = groups.get(link.part)
      const other = groups.get(needed)
      if (!own || !other || own === other) continue
      for (const member of other) own.add(member)
      for (const member of own) groups.set(member.part, own)
    }
  }
  return [...new Set(groups.values())].map(group => all.filter(link => group.has(link)))
}

/** The style sheets that imports ask for, in the order of the answer; null unless there are as many. */
function sheetsFor(imports: readonly ImportStatement[], sheets: readonly Part[]): Sheet[] | null {
  const wanted = new Set(imports.flatMap(({ specifier }) => sheetPath.exec(specifier)?.[1] ?? []))
  if (wanted.size > 0 && wanted.size !== sheets.length) return null
  return [...wanted].flatMap((path, index) => {
    const part = sheets[index]
    return part ? [{ part, path }] : []
  })
}

function mergeGroup(group: readonly Linked[], sheets: readonly Part[]): Merged | null {
  const parts = group.map(({ part }) => part)
  // A part that needs one which stays apart would lose it.
  if (group.some(({ inner, needs }) => inner.size > 0 && ![...needs].every(part => parts.includes(part))))
    return null
  const isNeeded = (part: Script) => group.some(other => other.part !== part && other.needs.has(part))
  const exporting = parts.filter(({ outline }) => outline.defaultExport !== null)
  const keeping = exporting.length > 1 ? exporting.filter(part => !isNeeded(part)) : exporting
  if (exporting.length > 0 && keeping.length !== 1) return null
  const stripped = exporting.filter(part => !keeping.includes(part))
  if (stripped.some(({ outline }) => outline.defaultExport?.name === null)) return null
  const outer = group.flatMap(({ part, inner }) =>
    part.outline.imports.filter(statement => !inner.has(statement)),
  )
  const styles = sheetsFor(outer, sheets)
  if (styles === null || group.length + styles.length < 2) return null
  const locals = new Set(outer.flatMap(({ names }) => names.map(({ local }) => local)))
  if (!areDistinct([...parts.flatMap(namesOf), ...locals])) return null
  const imports = mergeImports(outer, styleOf(parts.flatMap(importTexts)))
  if (imports === null) return null
  const directives = [
    ...new Set(parts.flatMap(part => part.outline.directives.map(span => textOf(part, span)))),
  ]
  const sections = inOrder(group).map(part => sectionOf(part, stripped.includes(part)))
  const content = [[...directives, ...imports].join('\n'), ...sections]
    .filter(text => text !== '')
    .join('\n\n')
  const root = keeping[0] ?? parts.findLast(part => !isNeeded(part)) ?? parts.at(-1)
  if (!root) return null
  const beside = styles.map(({ part, path }) => ({ path, language: 'css', content: part.block.content }))
  const used = [...parts, ...styles.map(({ part }) => part)]
  return { parts: used, root, content: `${content}\n`, beside, ...kindOf(parts) }
}

function importTexts(part: Script): string[] {
  return part.outline.imports.map(statement => textOf(part, statement))
}

function textOf({ block }: Part, { start, end }: { start: number; end: number }): string {
  return block.content.slice(start, end)
}

function kindOf(parts: readonly Script[]): Pick<Merged, 'language' | 'type'> {
  const isTyped = parts.some(({ block }) => /^(?:tsx|typescript)$/.test(block.language))
  if (parts.some(({ block }) => block.type === 'REACT'))
    return { language: isTyped ? 'tsx' : 'jsx', type: 'REACT' }
  return isTyped
    ? { language: 'typescript', type: 'TYPESCRIPT' }
    : { language: 'javascript', type: 'JAVASCRIPT' }
}

/** The order of the answer, but for what a part needs while it is read: that comes before it. */
function inOrder(group: readonly Linked[]): Script[] {
  const ordered: Script[] = []
  const open = new Set<Script>()
  function place(part: Script): void {
    if (open.has(part)) return
    open.add(part)
    const atOnce = new Set(part.outline.usesAtOnce)
    for (const other of group) {
      const isWaiting = other.part.outline.declares.some(
        ({ name, isHoisted }) => !isHoisted && atOnce.has(name),
      )
      if (other.part !== part && isWaiting) place(other.part)
    }
    ordered.push(part)
  }
  for (const { part } of group) place(part)
  return ordered
}

/** A part without its imports and directives, and without its default export where another one's counts. */
function sectionOf(part: Script, isStripped: boolean): string {
  const { imports, directives, defaultExport } = part.outline
  const gone = [...imports, ...directives, ...(isStripped && defaultExport ? [defaultExport] : [])]
  let text = part.block.content
  for (const { start, end } of gone.sort((a, b) => b.start - a.start)) {
    const isWholeLine =
      /^[ \t]*;?[ \t]*\r?\n/.exec(text.slice(end, end + 200)) && /(?:^|\n)[ \t]*$/.test(text.slice(0, start))
    const after = isWholeLine ? text.slice(end).replace(/^[ \t]*;?[ \t]*\r?\n/, '') : text.slice(end)
    text = text.slice(0, start) + after
  }
  return text.replace(/^(?:[ \t]*\r?\n)+/, '').trimEnd()
}

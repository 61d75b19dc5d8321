import { posix } from 'node:path'
import { type PageElement, scanPage } from '../../../lib/page-elements.ts'
import { type Built, type Compiled, compile, type Libraries } from '../compile.ts'
import type { BuildInput, BuildMessage } from '../index.ts'
import { buildLimits } from '../limits.ts'
import { remark } from '../report.ts'
import { find } from '../resolve.ts'
import type { OwnModule } from '../virtual.ts'
import { escapeScript, headOf, moduleElement, styleElement } from './page.ts'

interface Change {
  start: number
  end: number
  text: string
}

/** What becomes of the elements of a page: changes of its text, and modules to be bundled. */
interface Plan {
  changes: Change[]
  warnings: BuildMessage[]
  /** Import statements of the bundle, in the order of the page. */
  modules: string[]
  own: Record<string, OwnModule>
  /** Path of the local style sheets in their order. */
  lastModuleEnd: number | null
}

const notLoaded = (address: string) => `"${address.slice(0, 80)}" is not loaded: previews have no network`

/**
 * A page of the project with its own modules bundled and its local files inlined. Scripts inside the page stay where
 * they are; addresses in the network stay as well, and the browser refuses them.
 */
export async function buildPage(path: string, input: BuildInput, libraries: Libraries): Promise<Built> {
  const html = input.files[path] ?? ''
  const plan: Plan = { changes: [], warnings: [], modules: [], own: {}, lastModuleEnd: null }
  const elements = scanPage(html)
  if (elements.length > buildLimits.scriptsInPage) {
    const text = `A page may have at most ${buildLimits.scriptsInPage} scripts and style sheets`
    return { ok: false, errors: [remark(text, path)], warnings: [] }
  }
  for (const element of elements) {
    if (element.name === 'script') planScript(element, { path, html, input, plan, cdn: libraries.cdn })
  }
  const failed = await planStyles(elements, { path, html, input, plan, cdn: libraries.cdn }, libraries)
  if (failed) return failed
  const bundle = await bundleModules(path, plan, input, libraries)
  if (!bundle.ok) return { ...bundle, warnings: [...plan.warnings, ...bundle.warnings] }
  const imports = Object.fromEntries(bundle.libraries.map(name => [name, libraries.imports[name] ?? '']))
  const head = headOf(imports) + (bundle.style ? styleElement(bundle.style) : '')
  plan.changes.push({ ...headPosition(html), text: head })
  if (plan.lastModuleEnd !== null) {
    plan.changes.push({
      start: plan.lastModuleEnd,
      end: plan.lastModuleEnd,
      text: moduleElement(bundle.script),
    })
  }
  const result = apply(html, plan.changes)
  return {
    ok: true,
    html: result,
    bundleBytes: Buffer.byteLength(result) - Buffer.byteLength(headOf(imports)),
    dependencies: bundle.dependencies,
    warnings: [...plan.warnings, ...bundle.warnings].slice(0, 20),
  }
}

interface PageScope {
  path: string
  html: string
  input: BuildInput
  plan: Plan
  cdn: string | undefined
}

function planScript(element: PageElement, scope: PageScope): void {
  const { plan, path, input, html, cdn } = scope
  const type = element.attributes.type?.trim().toLowerCase() ?? ''
  const source = element.attributes.src?.trim()
  if (type === 'importmap') return void plan.changes.push({ ...element, text: '' })
  const local = source === undefined ? null : localFile(source, scope)
  if (source !== undefined && local === null) {
    if (cdn !== undefined && source.startsWith(`${cdn}/`)) return
    plan.warnings.push(
      remark(
        isRemote(source) ? notLoaded(source) : `"${source.slice(0, 80)}" is not part of this project`,
        path,
      ),
    )
    return
  }
  const isCompiled =
    /^(?:module|text\/(?:babel|jsx|typescript|tsx))$/.test(type) || /\.(?:tsx?|jsx)$/.test(local ?? '')
  if (isCompiled) {
    plan.modules.push(local === null ? addInline(element, type, scope) : `virtual:${local}`)
    plan.changes.push({ ...element, text: '' })
    plan.lastModuleEnd = element.end
  } else if (local !== null) {
    plan.changes.push({ ...element, text: `<script>${escapeScript(input.files[local] ?? '')}</script>` })
  } else if (html.length === element.end && element.content === '') {
    plan.warnings.push(remark('A script is not closed', path))
  }
}

/** A script inside the page as a module whose lines and columns are those of the page. */
function addInline(element: PageElement, type: string, { path, html, plan }: PageScope): string {
  const before = html.slice(0, element.contentStart)
  const lines = before.split('\n')
  const padding = '\n'.repeat(lines.length - 1) + ' '.repeat(Math.min(lines.at(-1)?.length ?? 0, 10_000))
  const name = `atelier:script-${plan.modules.length}`
  const loader = /typescript|tsx/.test(type) ? 'tsx' : 'jsx'
  plan.own[name] = { contents: padding + element.content, loader, importer: path }
  return name
}

/** Local style sheets become style elements; the first one that does not compile ends the build. */
async function planStyles(
  elements: readonly PageElement[],
  scope: PageScope,
  libraries: Libraries,
): Promise<Built | null> {
  for (const element of elements) {
    if (element.name !== 'link' || !/(?:^|\s)stylesheet(?:\s|$)/i.test(element.attributes.rel ?? '')) continue
    const address = element.attributes.href?.trim() ?? ''
    const local = localFile(address, scope)
    if (local === null) {
      scope.plan.warnings.push(
        remark(
          isRemote(address) ? notLoaded(address) : `"${address.slice(0, 80)}" is not part of this project`,
          scope.path,
        ),
      )
      continue
    }
    const compiled = await compile({ input: scope.input, libraries, start: local, own: {}, entryPath: null })
    if (!compiled.ok) return compiled
    scope.plan.warnings.push(...compiled.warnings)
    scope.plan.changes.push({ start: element.start, end: element.end, text: styleElement(compiled.style) })
  }
  return null
}

async function bundleModules(
  path: string,
  plan: Plan,
  input: BuildInput,
  libraries: Libraries,
): Promise<Compiled> {
  if (plan.modules.length === 0)
    return { ok: true, script: '', style: '', libraries: [], dependencies: [], warnings: [] }
  const contents = plan.modules.map(module => `import ${JSON.stringify(module)}`).join('\n')
  const own = { ...plan.own, 'atelier:start': { contents, loader: 'js', importer: '' } as const }
  const scriptsOf = new Map(Object.keys(plan.own).map(name => [name, path] as const))
  return compile({ input, libraries, start: 'atelier:start', own, entryPath: null, scriptsOf })
}

/** The file of the project that an address in a page means; `/x` is the project's root there. */
function localFile(address: string, { path, input }: PageScope): string | null {
  if (address === '' || isRemote(address)) return null
  const clean = address.replace(/[?#].*$/, '')
  const target = clean.startsWith('/') ? clean.slice(1) : posix.join(posix.dirname(path), clean)
  return find(posix.normalize(target), input.files)
}

function isRemote(address: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(address)
}

/** Right behind `<head>`, or as early as a page without one allows. */
function headPosition(html: string): { start: number; end: number } {
  const lead = html.slice(0, 20_000)
  const match =
    /<head(?:\s[^>]*)?>/i.exec(lead) ?? /<html(?:\s[^>]*)?>/i.exec(lead) ?? /<!doctype[^>]*>/i.exec(lead)
  const at = match ? match.index + match[0].length : 0
  return { start: at, end: at }
}

function apply(html: string, changes: readonly Change[]): string {
  const parts: string[] = []
  let at = 0
  for (const change of [...changes].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (change.start < at) continue
    parts.push(html.slice(at, change.start), change.text)
    at = change.end
  }
  return parts.join('') + html.slice(at)
}

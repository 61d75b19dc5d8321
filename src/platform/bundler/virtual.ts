import type { Loader, OnLoadResult, OnResolveArgs, OnResolveResult, Plugin } from 'esbuild'
import { hostRefusal } from './report.ts'
import { type ImportScope, resolveImport } from './resolve.ts'

/** Modules that we add beside the input's files: the entry, the mounting code, scripts inside a page. */
export interface OwnModule {
  contents: string
  loader: Loader
  /** The file of the input whose imports it makes. */
  importer: string
}

export interface VirtualSources extends ImportScope {
  own: Readonly<Record<string, OwnModule>>
  /** Filled with what is left to the browser: address → name of the package. */
  remotes: Map<string, string>
  /** Changes a file's source before it is compiled; must keep its lines. */
  prepare: (path: string, source: string) => string
}

const loaders: ReadonlyMap<string, Loader> = new Map(
  Object.entries<Loader>({
    tsx: 'tsx',
    ts: 'ts',
    mts: 'ts',
    cts: 'ts',
    jsx: 'jsx',
    js: 'jsx',
    mjs: 'jsx',
    cjs: 'jsx',
    css: 'css',
    json: 'json',
    svg: 'dataurl',
    txt: 'text',
    md: 'text',
    html: 'text',
  }),
)

/**
 * Answers every question that esbuild asks from memory. Nothing falls through to the disk: all imports are resolved
 * here, and whatever would still be read from the host is refused at loading. `isOnlyVirtual` checks it once more.
 */
export function virtualFiles(sources: VirtualSources): Plugin {
  return {
    name: 'virtual',
    setup(build) {
      build.onResolve({ filter: /.*/ }, args => resolve(args, sources))
      build.onLoad({ filter: /.*/, namespace: 'virtual' }, args => loadFile(args.path, sources))
      build.onLoad({ filter: /.*/, namespace: 'own' }, args => loadOwn(args.path, sources))
      build.onLoad({ filter: /.*/, namespace: 'library' }, args => loadLibrary(args.path))
      build.onLoad({ filter: /.*/ }, () => refusal(hostRefusal))
    },
  }
}

/** Whether a finished build read nothing but what it was given. */
export function isOnlyVirtual(inputs: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(inputs).every(input =>
    /^(?:virtual|own|library):|^<define:(?:process|import\.meta)\.env>$/.test(input),
  )
}

function resolve(args: OnResolveArgs, sources: VirtualSources): OnResolveResult {
  if (args.kind === 'entry-point') {
    const namespace = Object.hasOwn(sources.own, args.path) ? 'own' : 'virtual'
    return { path: args.path, namespace }
  }
  if (Object.hasOwn(sources.own, args.path) && args.namespace === 'own')
    return { path: args.path, namespace: 'own' }
  const importer = args.namespace === 'own' ? (sources.own[args.importer]?.importer ?? '') : args.importer
  const isDirect = args.namespace === 'own' && args.path.startsWith('virtual:')
  if (isDirect) return { path: args.path.slice('virtual:'.length), namespace: 'virtual' }
  const request = { specifier: args.path, importer, kind: args.kind, attributes: args.with }
  const found = resolveImport(request, sources)
  switch (found.type) {
    case 'file':
      return { path: found.path, namespace: 'virtual' }
    case 'library':
      // A `require` cannot be left to the browser; it becomes a module that imports.
      if (args.kind === 'require-call') return { path: found.name, namespace: 'library' }
      return { path: found.name, external: true }
    case 'remote':
      sources.remotes.set(found.address, found.name)
      if (args.kind === 'require-call') return { path: found.address, namespace: 'library' }
      return { path: found.address, external: true }
    case 'left-alone':
      return {
        path: args.path,
        external: true,
        ...(found.warning ? { warnings: [{ text: found.warning }] } : {}),
      }
    case 'refused':
      return refusal(found.reason)
  }
}

function loadFile(path: string, sources: VirtualSources): OnLoadResult {
  const source = Object.hasOwn(sources.files, path) ? sources.files[path] : undefined
  if (source === undefined) return refusal(hostRefusal)
  if (path.endsWith('.module.css')) return { contents: source, loader: 'local-css' }
  const loader = loaders.get(path.slice(path.lastIndexOf('.') + 1).toLowerCase())
  if (!loader) return refusal(`Files like "${path.slice(-40)}" cannot be imported`)
  const isCode = loader === 'tsx' || loader === 'ts' || loader === 'jsx'
  return { contents: isCode ? sources.prepare(path, source) : source, loader }
}

function loadOwn(path: string, sources: VirtualSources): OnLoadResult {
  const own = sources.own[path]
  return own ? { contents: own.contents, loader: own.loader } : refusal('No such module')
}

function loadLibrary(name: string): OnLoadResult {
  return { contents: `export * from ${JSON.stringify(name)}`, loader: 'js' }
}

function refusal(text: string): { errors: { text: string }[] } {
  return { errors: [{ text }] }
}

import { posix } from 'node:path'
import { isPartOfNode, remoteAddress, remoteModule } from './remote.ts'

/** What an import leads to. `refused` says why, in words for the person who wrote it. */
export type Resolution =
  | { type: 'file'; path: string }
  | { type: 'library'; name: string }
  | { type: 'remote'; address: string; name: string }
  | { type: 'left-alone'; warning?: string }
  | { type: 'refused'; reason: string }

export interface ImportRequest {
  specifier: string
  /** The file that asks; '' for the page itself. */
  importer: string
  /** esbuild's word for how it is asked: import-statement, require-call, import-rule, url-token … */
  kind: string
  attributes: Readonly<Record<string, string>>
}

export interface ImportScope {
  files: Readonly<Record<string, string>>
  /** Names that the import map knows. */
  libraries: ReadonlySet<string>
  /** What to tell people who ask for others. */
  available: readonly string[]
  /** Where browsers get all other packages; they are refused when it is absent. */
  cdn?: string | undefined
  /** Ranges of versions that the project asks for. */
  versions: ReadonlyMap<string, string>
}

const extensions = ['', '.tsx', '.ts', '.jsx', '.js', '.mjs', '.json', '.css']
const indexes = ['/index.tsx', '/index.ts', '/index.jsx', '/index.js']

/** Decides about one import by the input alone; the host's files and the network do not exist here. */
export function resolveImport(request: ImportRequest, scope: ImportScope): Resolution {
  const { specifier, kind } = request
  const attributes = Object.entries(request.attributes).filter(
    ([name, value]) => !(name === 'type' && value === 'json'),
  )
  if (attributes.length > 0)
    return refuse(`Import attributes other than type "json" are not available in previews`)
  if (kind === 'url-token' || kind === 'import-rule') return resolveInStyle(request, scope)
  if (isPartOfNode(specifier))
    return refuse(`'${shown(specifier)}' is part of Node; previews run in a browser`)
  const remote = remoteModule(specifier, scope)
  if (remote) return { type: 'remote', ...remote }
  if (/^[a-z][a-z0-9+.-]*:/i.test(specifier) || specifier.startsWith('//')) return refuseUrl(specifier)
  if (specifier.startsWith('/'))
    return refuse(`"${shown(specifier)}" is an absolute path; imports start from the importing file`)
  if (isRelative(specifier)) return resolveLocal(request, scope)
  if (scope.libraries.has(specifier)) return { type: 'library', name: specifier }
  const alias = /^[@~]\/(.+)$/.exec(specifier)?.[1]
  if (alias !== undefined) {
    const found = find(`src/${alias}`, scope.files) ?? find(alias, scope.files)
    return found === null ? notPart(specifier) : { type: 'file', path: found }
  }
  const remotePackage = remoteAddress(specifier, scope)
  if (remotePackage) return { type: 'remote', ...remotePackage }
  return refuse(
    `'${shown(specifier)}' is not available in previews. Available: ${scope.available.join(', ')}`,
  )
}

function resolveInStyle(request: ImportRequest, scope: ImportScope): Resolution {
  const { specifier, kind } = request
  if (kind === 'url-token' && /^(?:data:|#)/i.test(specifier)) return { type: 'left-alone' }
  if (/^(?:https?:)?\/\//i.test(specifier)) {
    return { type: 'left-alone', warning: `"${shown(specifier)}" is not loaded: previews have no network` }
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(specifier)) return refuseUrl(specifier)
  if (specifier.startsWith('/'))
    return refuse(`"${shown(specifier)}" is an absolute path; it must start from the style sheet`)
  return resolveLocal({ ...request, specifier: isRelative(specifier) ? specifier : `./${specifier}` }, scope)
}

function resolveLocal(request: ImportRequest, scope: ImportScope): Resolution {
  const target = posix
    .normalize(posix.join(posix.dirname(request.importer), request.specifier))
    .replace(/\/$/, '')
  if (target === '..' || target.startsWith('../'))
    return refuse(`"${shown(request.specifier)}" leaves the project`)
  const found = find(target, scope.files)
  return found === null ? notPart(request.specifier) : { type: 'file', path: found }
}

/** A path of the input for what an import may mean by it: as written, with an extension, or a folder's index. */
export function find(target: string, files: Readonly<Record<string, string>>): string | null {
  const candidates = [
    ...extensions.map(extension => target + extension),
    ...indexes.map(index => target + index),
  ]
  const typed = /^(.*)\.([mc]?)js(x?)$/.exec(target)
  if (typed) candidates.push(`${typed[1]}.${typed[2]}ts${typed[3]}`, `${typed[1]}.tsx`)
  if (target === '.') candidates.push(...indexes.map(index => index.slice(1)))
  return candidates.find(candidate => Object.hasOwn(files, candidate)) ?? null
}

function isRelative(specifier: string): boolean {
  return /^\.\.?(?:\/|$)/.test(specifier)
}

function refuseUrl(specifier: string): Resolution {
  return refuse(
    `"${shown(specifier)}" is not available in previews: imports come from the project or from the built-in libraries`,
  )
}

function notPart(specifier: string): Resolution {
  return refuse(`"${shown(specifier)}" is not part of this project`)
}

function refuse(reason: string): Resolution {
  return { type: 'refused', reason }
}

function shown(specifier: string): string {
  return specifier.length > 80 ? `${specifier.slice(0, 79)}…` : specifier
}

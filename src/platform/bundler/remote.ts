import { isBuiltin } from 'node:module'

/** A module that the browser itself gets: from where, and what it is called. */
export interface RemoteModule {
  address: string
  name: string
}

interface RemoteScope {
  cdn?: string | undefined
  versions: ReadonlyMap<string, string>
}

const packageName = /^(?:@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*$/i
const version = /^[\w.^~*+-]{1,60}$/
/** One React for the whole page, or hooks fail: what a CDN sends asks the import map for it. */
const shared = 'external=react,react-dom'

/** Names that the page's import map leads to its one React. */
export function isReact(name: string): boolean {
  return /^react(?:-dom)?(?:\/|$)/.test(name)
}

/** Whether an import means a module of Node's own, which no browser has. */
export function isPartOfNode(specifier: string): boolean {
  return isBuiltin(specifier)
}

/** Where a package is at the CDN, by esm.sh's way of naming; null for what is no name, and when there is no CDN. */
export function remoteAddress(specifier: string, { cdn, versions }: RemoteScope): RemoteModule | null {
  if (cdn === undefined || specifier.length > 214) return null
  const [first = '', second = '', ...rest] = specifier.split('/')
  const written = first.startsWith('@') ? `${first}/${second}` : first
  const inside = first.startsWith('@') ? rest : specifier.split('/').slice(1)
  // `name@1.2` as some write it; else as the project's package.json says.
  const at = written.indexOf('@', 1)
  const name = at === -1 ? written : written.slice(0, at)
  const asked = at === -1 ? versions.get(name) : written.slice(at + 1)
  if (!packageName.test(name) || !inside.every(part => /^[\w.~-]+$/.test(part) && !/^\.+$/.test(part)))
    return null
  const exact = asked !== undefined && version.test(asked) ? `@${asked}` : ''
  const path = [`${name}${exact}`, ...inside].join('/')
  return { address: `${cdn}/${path}?${shared}`, name: specifier }
}

/** A module that is written with its whole address at the CDN; null for every other address. */
export function remoteModule(specifier: string, { cdn }: RemoteScope): RemoteModule | null {
  if (cdn === undefined || specifier.length > 500 || !URL.canParse(specifier)) return null
  const address = new URL(specifier)
  return address.origin === cdn ? { address: address.href, name: address.href } : null
}

/** The ranges of packages in a project's package.json; none when it has none, or one that is no JSON. */
export function versionsIn(files: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  try {
    const manifest = JSON.parse(
      (Object.hasOwn(files, 'package.json') && files['package.json']) || '{}',
    ) as unknown
    const { dependencies } = (manifest ?? {}) as { dependencies?: unknown }
    for (const [name, range] of Object.entries(dependencies ?? {}))
      if (typeof range === 'string') found.set(name, range)
  } catch {
    // A broken manifest says nothing about versions.
  }
  return found
}

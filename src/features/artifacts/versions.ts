import { readFileSync } from 'node:fs'

const manifest = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
) as Record<'dependencies' | 'devDependencies', Record<string, string>>

/** The range of a package that exported projects ask for: the one that previews were made with, else the latest. */
export function libraryVersion(name: string): string {
  const found = { ...manifest.devDependencies, ...manifest.dependencies }
  return Object.hasOwn(found, name) ? (found[name] ?? 'latest') : 'latest'
}

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { libraries } from './libraries.ts'

/** The libraries of previews, built once as ES modules that share one React. */
export interface Vendor {
  /** The folder that holds the modules. */
  directory: string
  /** Specifier → file name inside `directory`; names hold a hash of their content. */
  imports: Readonly<Record<string, string>>
  /** Names to tell people, in the order of their usefulness. */
  available: readonly string[]
}

const here = dirname(fileURLToPath(import.meta.url))
/** Raise it when bundles are made in another way. */
const layout = 4

/** Where the vendor bundle is kept unless told otherwise; not under version control. */
export const vendorDirectory = join(here, '..', '..', '..', 'dist', 'vendor')

/**
 * The vendor bundle for the installed versions; built on the first call (a few seconds, in a process of its own, safe
 * beside other callers), afterwards only read. It is looked for in every folder and built in the first that allows it.
 */
export async function ensureVendor(...directories: readonly string[]): Promise<Vendor> {
  const stamp = await vendorStamp()
  const folders = (directories.length > 0 ? directories : [vendorDirectory]).map(parent =>
    join(parent, stamp),
  )
  for (const folder of folders) {
    const ready = await readVendor(folder)
    if (ready) return ready
  }
  let problem: unknown
  for (const folder of folders) {
    try {
      await runBuild(folder)
      const built = await readVendor(folder)
      if (built) return built
    } catch (error) {
      problem = error
    }
  }
  throw problem ?? new Error('The vendor bundle was built but cannot be read')
}

/** Names a vendor bundle by what goes into it. */
export async function vendorStamp(): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([layout, libraries]))
  for (const name of new Set(['esbuild', ...libraries.map(library => library.package)])) {
    hash.update(`${name}@${await versionOf(name)}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}

async function readVendor(folder: string): Promise<Vendor | null> {
  try {
    const imports = JSON.parse(await readFile(join(folder, 'imports.json'), 'utf8')) as Record<string, string>
    const available = libraries
      .filter(library => !library.specifier.includes('jsx-'))
      .map(library => library.specifier)
    return { directory: folder, imports, available }
  } catch {
    return null
  }
}

const require = createRequire(import.meta.url)

/** A package's version from its own package.json, found where Node finds packages. */
async function versionOf(name: string): Promise<string> {
  for (const folder of require.resolve.paths(name) ?? []) {
    const text = await readFile(join(folder, name, 'package.json'), 'utf8').catch(() => null)
    if (text !== null) return (JSON.parse(text) as { version: string }).version
  }
  throw new Error(`The package ${name} is not installed; run npm install`)
}

function runBuild(folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = join(here, 'vendor-build.ts')
    const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', data => {
      said = (said + data).slice(-2000)
    })
    child.on('error', reject)
    child.on('close', code =>
      code === 0 ? resolve() : reject(new Error(`The vendor bundle could not be built: ${said}`)),
    )
  })
}

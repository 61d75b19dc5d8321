import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const web = dirname(fileURLToPath(import.meta.url))
const root = dirname(web)

const builds = join(root, 'dist', 'web')

/**
 * The folder of the console as it is built from these very sources; built when it is missing, which takes a while and is
 * told. A build has a folder of its own, so that a server that still runs an older one keeps its files.
 */
export async function ensureConsole(tell: (line: string) => void, folder = builds): Promise<string> {
  const directory = join(folder, await stampOfSources())
  if (await isThere(directory)) return directory
  tell('Building the console…')
  const fresh = `${directory}.${process.pid}`
  await mkdir(folder, { recursive: true })
  try {
    await runVite(fresh)
    // Another process may have been faster: its build is the same.
    await rename(fresh, directory).catch(async error => {
      if (!(await isThere(directory))) throw error
    })
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
  await forgetOld(folder)
  return directory
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

const keptBuilds = 3

/** Removes all builds but the newest few. */
async function forgetOld(folder: string): Promise<void> {
  const paths = (await readdir(folder)).map(name => join(folder, name))
  const aged = await Promise.all(paths.map(async path => ({ path, madeAt: (await stat(path)).mtimeMs })))
  const old = aged.sort((one, other) => other.madeAt - one.madeAt).slice(keptBuilds)
  await Promise.all(old.map(({ path }) => rm(path, { recursive: true, force: true })))
}

function runVite(outDir: string): Promise<void> {
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
  const child = spawn(
    process.execPath,
    [vite, 'build', web, '--outDir', outDir, '--emptyOutDir', '--logLevel', 'warn'],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', code =>
      code === 0 ? resolve() : reject(new Error(`The console could not be built:\n${output}`)),
    )
  })
}

async function stampOfSources(): Promise<string> {
  const hash = createHash('sha256')
  const entries = await readdir(web, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  for (const file of [...files.sort(), join(root, 'package-lock.json')]) {
    hash.update(file.slice(root.length)).update(await readFile(file))
  }
  return hash.digest('hex').slice(0, 16)
}

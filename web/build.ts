import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const web = dirname(fileURLToPath(import.meta.url))
const root = dirname(web)

/** Where the built console is. */
export const consoleDirectory = join(root, 'dist', 'web')

/** Builds the console unless what is there was built from these very sources. Returns whether it had to. */
export async function ensureConsole(): Promise<boolean> {
  const stampFile = join(root, 'dist', 'web.stamp')
  const stamp = await hashOfSources()
  if ((await readFile(stampFile, 'utf8').catch(() => '')) === stamp) return false
  const fresh = join(root, 'dist', `web.${process.pid}`)
  await mkdir(dirname(fresh), { recursive: true })
  await runVite(fresh)
  await rm(consoleDirectory, { recursive: true, force: true })
  await rename(fresh, consoleDirectory)
  await writeFile(stampFile, stamp)
  return true
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

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256')
  const entries = await readdir(web, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  for (const file of [...files.sort(), join(root, 'package-lock.json')]) {
    hash.update(file.slice(root.length)).update(await readFile(file))
  }
  return hash.digest('hex')
}

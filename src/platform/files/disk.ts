import { randomUUID } from 'node:crypto'
import { constants, type Dirent } from 'node:fs'
import {
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  rmdir,
  unlink,
} from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { AppError } from '../../lib/errors.ts'
import { type Signer, sign, verify } from '../../lib/signed.ts'
import type { FileLink, Files } from './index.ts'
import { checkKey } from './keys.ts'

export interface DiskOptions {
  /** The folder that holds the objects; made when absent. */
  root: string
  /** Signs links; at least 32 bytes. */
  key: string | Uint8Array
  /** What links start with, e.g. `https://atelier.example`. */
  publicUrl: string | (() => string)
  now?: () => number
}

/** What a link stands for, once its signature and its age were checked. */
export interface LinkedFile {
  key: string
  contentType: string
  downloadName: string | null
}

/** Files on disk, and the check of the links they hand out. */
export interface DiskFiles extends Files {
  /** Throws AppError `missing` (not ours) or `gone` (expired). */
  openLink(token: string): LinkedFile
}

const temporary = '.partial-'

/** Objects as files under one folder: whole or absent, never through a symbolic link, on the disk when `put` returns. */
export async function openDiskFiles(options: DiskOptions): Promise<DiskFiles> {
  await mkdir(options.root, { recursive: true, mode: 0o700 })
  const root = await realpath(resolve(options.root))
  const now = options.now ?? Date.now
  const signer: Signer = { key: options.key, purpose: 'file', now }
  const pathOf = (key: string) => join(root, ...checkKey(key).split('/'))

  return {
    put: (key, bytes) => write(root, pathOf(key), bytes),
    get: key => read(root, pathOf(key)),
    delete: key => remove(root, pathOf(key)),
    list: prefix => walk(root, prefix),
    async link(key: string, link: FileLink) {
      const base = typeof options.publicUrl === 'function' ? options.publicUrl() : options.publicUrl
      const payload = [checkKey(key), link.contentType, link.downloadName ?? null]
      return `${base}/files/${sign(signer, payload, now() + link.expiresInSeconds * 1000)}`
    },
    openLink(token) {
      const [key, contentType, downloadName] = verify(signer, token) as [string, string, string | null]
      return { key, contentType, downloadName }
    },
    async close() {},
  }
}

async function write(root: string, path: string, bytes: Uint8Array): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await writeOnce(root, path, bytes)
    } catch (error) {
      // A delete beside us may remove the folder that we just made, because it was still empty.
      if (!isAbsent(error) || attempt === 10) throw storageError(error)
    }
  }
}

async function writeOnce(root: string, path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path)
  await makeFolder(root, folder)
  const partial = join(folder, `${temporary}${randomUUID()}`)
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  try {
    await using file = await open(partial, flags, 0o600)
    await file.writeFile(bytes)
    await file.sync()
    await rename(partial, path)
  } catch (error) {
    await unlink(partial).catch(() => undefined)
    throw error
  }
  await syncFolder(folder)
}

/** Makes one level after the other, so that no link on the way is followed. */
async function makeFolder(root: string, folder: string): Promise<void> {
  if (folder === root) return
  const isThere = await realpath(folder).then(
    real => real === folder,
    () => false,
  )
  if (isThere) return
  await makeFolder(root, dirname(folder))
  await mkdir(folder, { mode: 0o700 }).catch(error => {
    if (error.code !== 'EEXIST') throw error
  })
  await assertInside(root, folder)
}

async function read(root: string, path: string): Promise<Uint8Array | null> {
  let file: FileHandle
  try {
    await assertInside(root, dirname(path))
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    if (isAbsent(error)) return null
    throw error
  }
  try {
    return (await file.stat()).isFile() ? await file.readFile() : null
  } finally {
    await file.close()
  }
}

async function remove(root: string, path: string): Promise<void> {
  try {
    await assertInside(root, dirname(path))
    if ((await lstat(path)).isDirectory()) return
    await unlink(path)
  } catch (error) {
    if (!isAbsent(error)) throw error
  }
  await removeEmptyFolders(root, dirname(path))
}

async function removeEmptyFolders(root: string, folder: string): Promise<void> {
  while (folder.startsWith(root + sep)) {
    try {
      await rmdir(folder)
    } catch {
      return
    }
    folder = dirname(folder)
  }
}

/** Keys that start with `prefix`, in order of their segments; files that are still being written are not listed. */
async function* walk(root: string, prefix: string): AsyncGenerator<string> {
  yield* walkFolder(root, '', prefix)
}

async function* walkFolder(root: string, parent: string, prefix: string): AsyncGenerator<string> {
  for (const entry of await entriesOf(join(root, parent))) {
    const key = parent ? `${parent}/${entry.name}` : entry.name
    const isOnTheWay = key.startsWith(prefix) || prefix.startsWith(`${key}/`)
    if (!isOnTheWay || entry.name.startsWith(temporary)) continue
    if (entry.isDirectory()) yield* walkFolder(root, key, prefix)
    else if (entry.isFile() && key.startsWith(prefix)) yield key
  }
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}

/** A folder that a symbolic link leads out of the root is treated as absent. */
async function assertInside(root: string, folder: string): Promise<void> {
  if ((await realpath(folder)) !== folder || !(folder === root || folder.startsWith(root + sep))) {
    throw Object.assign(new Error('outside the root'), { code: 'ENOENT' })
  }
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  await using handle = await open(folder, constants.O_RDONLY)
  await handle.sync()
}

function isAbsent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP'
}

function storageError(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  return new AppError('unavailable', 'STORAGE_FULL', 'There is no space left to store files', {
    cause: error,
  })
}

import { chmod, mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const enoughBytes = 1_000_000_000

/** A new folder that others may enter, in memory when there is room (databases are made of many files). */
export async function makeTestFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(await findBase(), `atelier-${name}-`))
  await chmod(folder, 0o755)
  return folder
}

/** Deletes what makeTestFolder made. */
export function removeTestFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true })
}

async function findBase(): Promise<string> {
  const { bavail, bsize } = await statfs('/dev/shm').catch(() => ({ bavail: 0, bsize: 0 }))
  return bavail * bsize > enoughBytes ? '/dev/shm' : tmpdir()
}

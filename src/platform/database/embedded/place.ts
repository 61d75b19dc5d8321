import { randomBytes } from 'node:crypto'
import { chmod, chown, link, mkdir, open, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatabaseStartError } from '../start-error.ts'
import { exists, ignore } from './native.ts'
import { canReach, giveTo, newOwner, type Owner, ownerOf } from './owner.ts'

/** Where one cluster lives and who runs it. */
export interface Place {
  /** DATA_DIR itself, without links. */
  dataDir: string
  /** The folder that holds the cluster: DATA_DIR, or a folder that Postgres can reach. */
  home: string
  /** The cluster (PGDATA). */
  cluster: string
  owner: Owner
}

/** Where root puts what must be reachable for another user: a copy of the binaries, and clusters whose DATA_DIR is not. */
export const relocatedBase = '/var/lib/atelier'
const pointerName = 'postgres.location'

/**
 * Decides where the cluster of this DATA_DIR is. That is `DATA_DIR/postgres`, except when we are root and the user that
 * Postgres must run as cannot walk to DATA_DIR (as below /root): then it is a folder of its own under /var/lib/atelier,
 * and `DATA_DIR/postgres.location` names it.
 */
export async function findPlace(folder: string): Promise<Place> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(error => {
    throw new DatabaseStartError(`DATA_DIR ${folder} cannot be made: ${(error as Error).message}`)
  })
  const dataDir = await realpath(folder)
  const home = await homeOf(dataDir)
  const cluster = join(home, 'postgres')
  const owner = (await exists(cluster)) ? await takeOver(cluster) : newOwner()
  if (home === dataDir) await openPath(dataDir, owner)
  if (!(await canReach(home, owner))) {
    throw new DatabaseStartError(
      `user id ${owner.uid}, which runs Postgres for root, cannot reach ${home}: move DATA_DIR out of closed folders, or set DATABASE_URL`,
    )
  }
  return { dataDir, home, cluster, owner }
}

/** Who runs an existing cluster. One that belongs to root was copied or restored by root: it is given to Postgres' user. */
async function takeOver(cluster: string): Promise<Owner> {
  const owner = await ownerOf(cluster)
  const { uid } = await stat(cluster)
  if (!owner) {
    throw new DatabaseStartError(
      `the database in ${cluster} belongs to user id ${uid}: start as that user, or give the folder to this one`,
    )
  }
  if (owner.isOther && uid !== owner.uid) await giveTo(owner, cluster)
  return owner
}

/** Whether a database has been made for this DATA_DIR. Changes nothing. */
export async function hasCluster(folder: string): Promise<boolean> {
  return (await exists(join(folder, 'postgres'))) || (await exists(join(folder, pointerName)))
}

async function homeOf(dataDir: string): Promise<string> {
  const pointer = join(dataDir, pointerName)
  const recorded = await readFile(pointer, 'utf8').then(
    text => text.trim(),
    () => null,
  )
  if (recorded !== null) {
    if (await exists(join(recorded, 'postgres'))) return recorded
    throw new DatabaseStartError(
      `the database of ${dataDir} should be in ${recorded} (named by ${pointerName}) but is not there: bring it back, or delete ${pointer} to start empty`,
    )
  }
  if (await exists(join(dataDir, 'postgres'))) return dataDir
  const owner = newOwner()
  if (!owner.isOther || (await canReach(dirname(dataDir), owner))) return dataDir
  return relocate(dataDir, owner)
}

/** Lets the owner pass through DATA_DIR (only pass: 0710 for its group), when DATA_DIR is ours and closed. */
async function openPath(dataDir: string, owner: Owner): Promise<void> {
  const { uid } = await stat(dataDir)
  if (uid !== 0 || (await canReach(dataDir, owner))) return
  await chown(dataDir, 0, owner.gid)
  await chmod(dataDir, 0o710)
}

async function relocate(dataDir: string, owner: Owner): Promise<string> {
  const label = dataDir.replace(/[^A-Za-z0-9]+/g, '-').slice(-40)
  const home = join(relocatedBase, `${label.replace(/^-/, '')}-${randomBytes(4).toString('hex')}`)
  if (await mkdir(relocatedBase, { recursive: true })) await chmod(relocatedBase, 0o755)
  if (!(await canReach(relocatedBase, owner))) {
    throw new DatabaseStartError(
      `Postgres must not run as root, and user id ${owner.uid} can reach neither ${dataDir} nor ${relocatedBase}: put DATA_DIR elsewhere, start as an ordinary user, or set DATABASE_URL`,
    )
  }
  await mkdir(home)
  await chown(home, 0, owner.gid)
  await chmod(home, 0o710)
  await writeFile(join(home, 'origin'), `${dataDir}\n`, { mode: 0o600 })
  return home
}

/** Records a home outside DATA_DIR, whole or not at all. False when another process recorded its own first. */
export async function recordHome(place: Place): Promise<boolean> {
  if (place.home === place.dataDir) return true
  const pointer = join(place.dataDir, pointerName)
  const fresh = `${pointer}.new-${process.pid}`
  await writeDurably(fresh, `${place.home}\n`)
  try {
    await link(fresh, pointer)
    return true
  } catch (error) {
    ignore('EEXIST')(error as NodeJS.ErrnoException)
    return false
  } finally {
    await rm(fresh, { force: true })
    await syncFolder(place.dataDir)
  }
}

/** Writes a file that only its owner may read, and waits for the disk. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Waits until new and renamed entries of a folder are on the disk. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

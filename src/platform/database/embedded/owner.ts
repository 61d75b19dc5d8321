import { chown, lstat, readdir, stat } from 'node:fs/promises'
import { dirname, join, parse } from 'node:path'

/** The system user that Postgres runs as. `isOther` when that is not the user of this process. */
export interface Owner {
  uid: number
  gid: number
  isOther: boolean
}

/** Postgres refuses to run as root, so root hands it to this user and group, by custom `nobody`. */
const nobody = 65_534

/** Who may own a cluster made by this process. */
export function newOwner(): Owner {
  const uid = process.getuid?.() ?? 0
  const gid = process.getgid?.() ?? 0
  return uid === 0 ? { uid: nobody, gid: nobody, isOther: true } : { uid, gid, isOther: false }
}

/** Who owns an existing cluster; root may run it for any other user. Null when this process may not. */
export async function ownerOf(folder: string): Promise<Owner | null> {
  const { uid, gid } = await stat(folder)
  const self = process.getuid?.() ?? uid
  if (self === 0) return uid === 0 ? newOwner() : { uid, gid, isOther: true }
  return self === uid ? { uid, gid, isOther: false } : null
}

/** Whether the permission bits let the owner walk through every folder down to `path` and open it. */
export async function canReach(path: string, owner: Owner): Promise<boolean> {
  if (!owner.isOther) return true
  for (let folder = path; ; folder = dirname(folder)) {
    const found = await stat(folder)
    const bit = found.uid === owner.uid ? 0o100 : found.gid === owner.gid ? 0o010 : 0o001
    if ((found.mode & bit) === 0) return false
    if (folder === parse(folder).root) return true
  }
}

/** Gives a folder and all it holds to the owner; links are changed themselves, never followed. */
export async function giveTo(owner: Owner, folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await giveTo(owner, path)
    else if ((await lstat(path)).isFile()) await chown(path, owner.uid, owner.gid)
  }
  await chown(folder, owner.uid, owner.gid)
}

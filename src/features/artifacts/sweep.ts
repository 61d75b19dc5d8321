import { isId } from '../../lib/ids.ts'
import type { Bundler } from '../../platform/bundler/index.ts'
import type { Database } from '../../platform/database/index.ts'
import type { Files } from '../../platform/files/index.ts'
import { listByConversation, neededNames } from './objects.ts'
import { listContents } from './store.ts'

export interface SweepDeps {
  db: Database
  files: Files
  bundler: Pick<Bundler, 'fingerprint'>
}

/**
 * A sweep of objects that nothing refers to, such as those of a save that was cut by a crash, and of builds that are old. An object must be of no
 * use at two sweeps in a row, so that one which is just being saved is never taken; let minutes pass between them.
 */
export function createSweep({ db, files, bundler }: SweepDeps) {
  let suspects = new Set<string>()
  return async function sweep(): Promise<number> {
    const unneeded = new Set<string>()
    let removed = 0
    for await (const { conversationId, keys } of listByConversation(files)) {
      const artifacts = isId(conversationId) ? await listContents(db, conversationId) : []
      const needed = neededNames(artifacts, bundler.fingerprint)
      for (const key of keys) {
        if (needed.has(key.slice(key.lastIndexOf('/') + 1))) continue
        if (suspects.has(key)) {
          await files.delete(key)
          removed++
        } else unneeded.add(key)
      }
    }
    suspects = unneeded
    return removed
  }
}

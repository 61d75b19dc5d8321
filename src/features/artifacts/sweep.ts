import { isId } from '../../lib/ids.ts'
import type { Database } from '../../platform/database/index.ts'
import type { Files } from '../../platform/files/index.ts'
import { listByConversation } from './objects.ts'
import { listNeeded } from './store.ts'

/**
 * A sweep of objects that nothing refers to, such as those of a save that was cut by a crash. An object must be of no
 * use at two sweeps in a row, so that one which is just being saved is never taken; let minutes pass between them.
 */
export function createSweep(db: Database, files: Files) {
  let suspects = new Set<string>()
  return async function sweep(): Promise<number> {
    const unneeded = new Set<string>()
    let removed = 0
    for await (const { conversationId, keys } of listByConversation(files)) {
      const needed = isId(conversationId) ? await listNeeded(db, conversationId) : new Set<string>()
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

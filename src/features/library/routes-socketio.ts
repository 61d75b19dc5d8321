import type { SocketIo } from '../../transport/socketio.ts'
import type { Library } from './index.ts'

/**
 * `content {jobId}` and `entry {entryId}` when a call has changed something, so that other tabs read it again; and
 * `job_completed` on Socket.IO, to every socket of the account. A client that greets with `since`, the last `seq` it got,
 * is told what came after; others what nobody of their account seems to have received.
 */
export function serveLibraryOnSocketIo({
  library,
  socketIo,
}: {
  library: Library
  socketIo: SocketIo
}): void {
  library.watch(({ accountId, ...changed }) =>
    socketIo.tell(accountId, 'jobId' in changed ? 'content' : 'entry', changed),
  )
  socketIo.serve(line => {
    const { since } = line.greeting
    library.attach({
      accountId: line.identity.accountId,
      since: typeof since === 'number' && Number.isSafeInteger(since) && since >= 0 ? since : null,
      deliver: notice => line.deliver('job_completed', notice),
      signal: line.signal,
    })
    return {}
  })
}

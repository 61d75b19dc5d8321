import { hostname } from 'node:os'
import { type Database, statement } from '../../platform/database/index.ts'
import { type StoredLog, saveEnding } from './store.ts'

/** A name for this process that others can tell to be dead: host, pid and start. */
export function runnerName(): string {
  return `${hostname()}/${process.pid}/${Date.now().toString(36)}`
}

const staleAfterSeconds = 20

type Orphan = Pick<StoredLog, 'id' | 'content' | 'marks' | 'lastSeq'> & { runner: string; isStale: boolean }

const readOthers = statement<Orphan>(
  `select g.id, g.runner, g.marks, g.last_seq as "lastSeq", coalesce(m.content, '') as content,
     g.heartbeat_at < now() - make_interval(secs => $2) as "isStale"
   from generations g left join messages m on m.id = g.reply_id
   where g.status = 'running' and g.runner <> $1 limit 500`,
)

/**
 * Ends runs whose process has died: `interrupted`, with the text of their last checkpoint. A process of this machine is
 * known to be dead at once, any other after 20 seconds of silence. Returns how many.
 */
export async function recoverOrphans(db: Database, self: string): Promise<number> {
  const others = await readOthers(db, self, staleAfterSeconds)
  let count = 0
  for (const orphan of others) {
    if (!orphan.isStale && !isKnownDead(orphan.runner)) continue
    if (await interrupt(db, orphan)) count++
  }
  return count
}

function interrupt(db: Database, orphan: Orphan): Promise<boolean> {
  const error = { code: 'SERVER_STOPPED', message: 'The server stopped in the middle of this answer' }
  const end = { type: 'generation-end', status: 'interrupted', finishReason: null, error, usage: null }
  const lastSeq = orphan.lastSeq + 1
  return saveEnding(db, {
    generationId: orphan.id,
    content: orphan.content,
    lastSeq,
    marks: [...orphan.marks, { seq: lastSeq, ...end, costMicroCredits: 0 }],
    status: 'interrupted',
    finishReason: null,
    usage: null,
    costMicroCredits: 0,
    error,
  })
}

function isKnownDead(runner: string): boolean {
  const [host, pid] = runner.split('/')
  if (host !== hostname() || !pid) return false
  try {
    process.kill(Number(pid), 0)
    return Number(pid) === process.pid
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

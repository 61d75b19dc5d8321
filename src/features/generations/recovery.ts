import { hostname } from 'node:os'
import { AppError } from '../../lib/errors.ts'
import { statement } from '../../platform/database/index.ts'
import type { CatalogueModel, OwnKeys } from '../../platform/models/index.ts'
import type { Engine } from './engine.ts'
import { enqueue } from './launch.ts'
import { costOf, estimateTokens } from './prices.ts'
import { serverStopped } from './run.ts'
import { crashSpan } from './schema.ts'
import { generationColumns, type StoredLog } from './store.ts'
import { listWaiting, putBackOrphaned } from './store-jobs.ts'

/** A name for this process that others can tell to be dead: host, pid and start. */
export function runnerName(): string {
  return `${hostname()}/${process.pid}/${Date.now().toString(36)}`
}

const staleAfterSeconds = 20
const lostAfterSeconds = 10

type Orphan = StoredLog & { runner: string; isStale: boolean }

const readOthers = statement<Orphan>(
  `select ${generationColumns}, g.runner, g.marks, coalesce(m.content, '') as content,
     g.heartbeat_at < now() - make_interval(secs => $2) as "isStale"
   from generations g left join messages m on m.id = g.reply_id
   where g.status = 'running' and (g.runner <> $1 or g.heartbeat_at < now() - make_interval(secs => $2)) limit 500`,
)

/**
 * Looks after runs whose process has died: interactive ones are `interrupted` with the text of their last checkpoint,
 * jobs wait for another attempt. A process of this machine is known to be dead at once, any other after 20 seconds of
 * silence, unless nobody could have said anything: `mayBeSilent` when the database was away. Returns how many.
 */
export async function recoverOrphans(engine: Engine, { mayBeSilent = false } = {}): Promise<number> {
  const others = await readOthers(engine.db, engine.self, staleAfterSeconds)
  let count = 0
  for (const orphan of others) {
    if (engine.runs.has(orphan.id)) continue
    if ((!orphan.isStale || mayBeSilent) && !isKnownDead(orphan.runner)) continue
    const isOurs = orphan.isJob
      ? await putBackOrphaned(engine.db, orphan.id, orphan.runner)
      : await interrupt(engine, orphan)
    if (!isOurs) continue
    count++
    if (orphan.isJob) await enqueue(engine, orphan)
    else await rescue(engine, orphan)
  }
  return count
}

/** Tells others of an answer that its own observers can do no more for. */
async function rescue(engine: Engine, orphan: Orphan): Promise<void> {
  const { id, accountId, conversationId, messageId, replyId, content, replyOffset } = orphan
  const prefix = content.slice(0, replyOffset)
  const text = content.slice(replyOffset)
  for (const rescuer of engine.rescuers) {
    try {
      await rescuer({ generationId: id, accountId, conversationId, messageId, replyId, prefix, text })
    } catch (err) {
      engine.log.error({ generationId: id, err }, 'an interrupted answer could not be looked after')
    }
  }
}

/** Puts jobs back into the queue that it has lost, and ends those that it has given up. */
export async function recoverJobs(engine: Engine): Promise<void> {
  for (const job of await listWaiting(engine.db, lostAfterSeconds)) {
    const state = await engine.queue.state(job.id)
    if (state?.status === 'completed' || state?.status === 'failed') await engine.queue.remove(job.id)
    if (state === null || state.status === 'completed' || state.status === 'failed')
      await enqueue(engine, job)
  }
}

/** What an answer costs that ended with its process: the words that were kept, not the question. */
function keptOf(engine: Engine, orphan: Orphan) {
  const outputTokens = estimateTokens(orphan.content.slice(orphan.replyOffset))
  const model = modelOf(engine, orphan)
  if (!model || outputTokens === 0) return { usage: null, costMicroCredits: 0 }
  const usage = { inputTokens: 0, outputTokens, cachedInputTokens: 0, isEstimated: true }
  const isOnKey = orphan.keyId !== null
  return { usage, costMicroCredits: isOnKey ? 0 : Math.min(costOf(model, usage), orphan.holdMicroCredits) }
}

/** The provider that answers with the run's own key, where it has one. */
export function ownProvider({ model, keyId }: Pick<StoredLog, 'model' | 'keyId'>): OwnKeys {
  return keyId === null ? {} : { ownKeysFor: [model.slice(0, model.indexOf('/'))] }
}

/** Its model with its price, also one that is passed on by its name alone; null when it is not offered any more. */
function modelOf(engine: Engine, orphan: Orphan): CatalogueModel | null {
  try {
    return engine.models.find(orphan.model, ownProvider(orphan))
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
}

async function interrupt(engine: Engine, orphan: Orphan): Promise<boolean> {
  const error = serverStopped
  const kept = keptOf(engine, orphan)
  const end = { type: 'generation-end', status: 'interrupted', finishReason: null, error, ...kept }
  const lastSeq = orphan.lastSeq + crashSpan
  const finishedAt = await engine.endings.save({
    generationId: orphan.id,
    attempts: orphan.attempts,
    content: orphan.content,
    model: orphan.model,
    lastSeq,
    marks: [...orphan.marks, { seq: lastSeq, span: crashSpan, ...end }],
    status: 'interrupted',
    finishReason: null,
    ...kept,
    error,
  })
  return finishedAt !== null
}

/** Whether a runner is a process of this machine that is no more. */
export function isKnownDead(runner: string): boolean {
  const [host, pid] = runner.split('/')
  if (host !== hostname() || !pid) return false
  try {
    process.kill(Number(pid), 0)
    return Number(pid) === process.pid
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

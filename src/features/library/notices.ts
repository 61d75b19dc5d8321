import type { Cache } from '../../platform/cache/index.ts'
import type { Database } from '../../platform/database/index.ts'
import { deleteOldNotices, listFresh, listNotices, markDelivered, type NoticeRow } from './store-notices.ts'

/** How a job ended, as clients are told. */
export interface JobNotice {
  /** Grows; a client that gives the last one it got as `since` is told what came after. */
  seq: number
  userId: string
  jobId: string
  status: 'completed' | 'failed'
  /** Exactly what was written; when it failed in the middle, what there is. */
  generatedContent: string
  error?: string
  completedAt: string
}

/** One connection that wants to be told. */
export interface NoticeReader {
  accountId: string
  /** The last `seq` that the client got; null when it does not say. */
  since: number | null
  /** False when the connection has gone. */
  deliver(notice: JobNotice): Promise<boolean>
  signal: AbortSignal
}

export interface NoticesDeps {
  db: Database
  /** Carries wake-ups between processes; what is told is in the database. */
  cache: Cache
  report: (error: unknown, what: string) => void
}

const channel = 'library:notices'
const lookEveryMs = 1000
const pageSize = 20
/** A connection may have been dead for so long before anybody noticed: what was sent meanwhile is sent again. */
const graceMs = 120_000
const rememberedMs = 15 * 60_000

interface Listener extends NoticeReader {
  connectedAt: number
  /** Notices that were sent here, by the time when. */
  sent: Map<number, number>
  pump: Promise<void>
  isWanted: boolean
}

/**
 * Tells connections how jobs ended: at once where processes hear each other, within a second where only the database is
 * shared. A connection gets each end once; one that was away gets what it missed.
 */
export function createNotices(deps: NoticesDeps) {
  const listeners = new Map<string, Set<Listener>>()
  let lookedAt = Date.now()
  let isLooking = false

  const pump = (accountId: string) => {
    for (const listener of listeners.get(accountId) ?? []) wakeUp(deps, listener)
  }
  const look = async () => {
    if (isLooking || listeners.size === 0) return
    isLooking = true
    try {
      const now = Date.now()
      const seconds = (now - lookedAt) / 1000 + 5
      for (const accountId of await listFresh(deps.db, [...listeners.keys()], seconds)) pump(accountId)
      lookedAt = now
    } catch (error) {
      deps.report(error, 'ended content jobs could not be looked for; it is tried again')
    } finally {
      isLooking = false
    }
  }
  const timer = setInterval(() => void look(), lookEveryMs)
  timer.unref()
  const listening = deps.cache.subscribe(channel, pump)
  listening.catch(error => deps.report(error, 'wake-ups from other processes are not heard'))

  return {
    /** Says to every process that something of the account may have ended. */
    wake: (accountId: string): void =>
      void deps.cache.publish(channel, accountId).catch(error => deps.report(error, 'a wake-up was lost')),
    /** Tells a connection what it missed, and from now on each end, until its signal aborts. */
    attach(reader: NoticeReader): void {
      if (reader.signal.aborted) return
      const listener: Listener = {
        ...reader,
        connectedAt: Date.now(),
        sent: new Map(),
        pump: Promise.resolve(),
        isWanted: false,
      }
      // Nobody looked while nobody listened.
      if (listeners.size === 0) lookedAt = Date.now()
      const ofAccount = listeners.get(reader.accountId) ?? new Set()
      listeners.set(reader.accountId, ofAccount.add(listener))
      reader.signal.addEventListener(
        'abort',
        () => {
          ofAccount.delete(listener)
          if (ofAccount.size === 0 && listeners.get(reader.accountId) === ofAccount)
            listeners.delete(reader.accountId)
        },
        { once: true },
      )
      wakeUp(deps, listener)
    },
    tidy: () => deleteOldNotices(deps.db),
    async close() {
      clearInterval(timer)
      await (await listening.catch(() => null))?.()
    },
  }
}

/** Sends a listener what there is for it, one page after the other; never twice at the same time. */
function wakeUp(deps: NoticesDeps, listener: Listener): void {
  if (listener.isWanted) return
  listener.isWanted = true
  listener.pump = listener.pump
    .then(async () => {
      listener.isWanted = false
      while (await sendPage(deps, listener));
    })
    .catch(error => deps.report(error, 'the end of a content job could not be told; it is tried again'))
}

/** True when there may be more. */
async function sendPage({ db }: NoticesDeps, listener: Listener): Promise<boolean> {
  const now = Date.now()
  for (const [seq, at] of listener.sent) if (at < now - rememberedMs) listener.sent.delete(seq)
  const rows = await listNotices(db, {
    accountId: listener.accountId,
    after: listener.since,
    missedSince: new Date(Math.max(listener.connectedAt - graceMs, now - rememberedMs + graceMs)),
    except: [...listener.sent.keys()],
    limit: pageSize,
  })
  for (const row of rows) {
    if (listener.signal.aborted || !(await listener.deliver(present(listener.accountId, row)))) return false
    listener.sent.set(row.seq, Date.now())
    // Ends are not told in the order of their numbers when two transactions overlap: only old ones are left behind.
    if (listener.since !== null && row.createdAt.getTime() < now - graceMs)
      listener.since = Math.max(listener.since, row.seq)
    await markDelivered(db, row.seq)
  }
  return rows.length === pageSize
}

function present(accountId: string, row: NoticeRow): JobNotice {
  const { seq, jobId, text: generatedContent } = row
  const completedAt = row.finishedAt.toISOString()
  const told = { seq, userId: accountId, jobId, generatedContent, completedAt }
  if (row.status === 'completed') return { ...told, status: 'completed' }
  const error = row.error?.message ?? (row.status === 'cancelled' ? 'Cancelled' : 'The job failed')
  return { ...told, status: 'failed', error }
}

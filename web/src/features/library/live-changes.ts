import { useEffect, useSyncExternalStore } from 'react'
import { io, type Socket } from 'socket.io-client'
import { request } from '../../api/client.ts'
import { liveGenerations } from '../../api/live.ts'
import { changeJobs, refreshEntries, refreshJobs } from './job-cache.ts'

/** How a job ended, as the server tells it; `seq` grows. */
interface JobNotice {
  seq: number
  userId: string
  jobId: string
  status: 'completed' | 'failed'
  generatedContent: string
  error?: string
  completedAt: string
}

const againMs = 3_000
/** The last end that this page was told, for each account: after a connection was lost, what came after it is told. */
const heard = new Map<string, number>()

let isConnected = false
const listeners = new Set<() => void>()

function become(connected: boolean): void {
  isConnected = connected
  for (const listener of listeners) listener()
}

/** Whether changes arrive by themselves; without that, whoever shows them must ask now and then. */
export function useIsLive(): boolean {
  return useSyncExternalStore(
    listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => isConnected,
  )
}

/** Keeps jobs and entries as other tabs, other devices and workers change them, while a page of this section is open. */
export function useLiveChanges(accountId: string): void {
  useEffect(() => {
    const leaveSocket = connect(accountId)
    const leaveEvents = liveGenerations.onEvent((event, { id, text }) => {
      if (event.type !== 'generation-end') return
      const status = event.status === 'interrupted' ? 'failed' : event.status
      if (status === 'queued' || status === 'running') return
      changeJobs(job => (job.generationId === id ? { ...job, status, text: job.text || text } : job))
    })
    return () => {
      leaveSocket()
      leaveEvents()
    }
  }, [accountId])
}

function connect(accountId: string): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const socket: Socket = io({
    transports: ['websocket', 'polling'],
    reconnectionDelayMax: 5_000,
    auth: answer => void greeting(accountId).then(answer, () => answer({})),
  })
  // A refused sign-in or a session that was ended is not tried again by itself; the ticket renews what can be renewed.
  const again = () => {
    become(false)
    if (socket.active) return
    clearTimeout(timer)
    timer = setTimeout(() => socket.connect(), againMs)
  }
  socket.on('connect', () => {
    become(true)
    refreshJobs()
    refreshEntries()
  })
  socket.on('connect_error', again)
  socket.on('disconnect', again)
  socket.on('content', refreshJobs)
  socket.on('entry', refreshEntries)
  socket.on('generation', ({ kind }: { kind?: string }) => {
    if (kind === 'content') refreshJobs()
  })
  socket.on('job_completed', (notice: JobNotice) => take(notice))
  return () => {
    clearTimeout(timer)
    socket.off()
    socket.close()
    become(false)
  }
}

async function greeting(accountId: string): Promise<object> {
  const { ticket } = await request<{ ticket: string }>('/tickets', { method: 'POST', body: {} })
  const since = heard.get(accountId)
  return { ticket, ...(since === undefined ? {} : { since }) }
}

/** The same end may be told twice: it changes nothing then. */
function take({ seq, userId, jobId, status, generatedContent, error }: JobNotice): void {
  heard.set(userId, Math.max(heard.get(userId) ?? 0, seq))
  changeJobs(job =>
    job.id === jobId && (job.status === 'queued' || job.status === 'running')
      ? {
          ...job,
          status,
          text: generatedContent,
          ...(error === undefined ? {} : { error: { code: 'FAILED', message: error } }),
        }
      : job,
  )
  refreshJobs()
}

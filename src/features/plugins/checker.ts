import { Worker } from 'node:worker_threads'
import { AppError } from '../../lib/errors.ts'
import type { Finding, Report } from './schema.ts'

export interface CheckerLimits {
  /** How long one check may take before it is given up. */
  timeMs: number
  /** Heap of the thread. */
  memoryMegabytes: number
  /** How many checks may wait, of everybody and of one account. */
  queue: number
  queuePerAccount: number
  /** A thread with nothing to do for so long ends. */
  idleMs: number
}

const defaults: CheckerLimits = {
  timeMs: 8000,
  memoryMegabytes: 256,
  queue: 64,
  queuePerAccount: 16,
  idleMs: 60_000,
}

export type Checker = ReturnType<typeof createChecker>

interface Job {
  code: string
  accountId: string
  resolve(report: Report): void
  reject(error: unknown): void
}

/**
 * Checks plugins off the event loop, one after the other in a thread of its own that is replaced when a check needs too
 * much. Accounts take turns. `check` always gives a report, also for code that cannot be checked; it throws AppError
 * limited CHECK_QUEUE when too many wait, and unavailable when the server stops.
 */
export function createChecker(given: Partial<CheckerLimits> = {}) {
  const limits = { ...defaults, ...given }
  const queue: Job[] = []
  let worker: Worker | null = null
  let rest: NodeJS.Timeout | undefined
  let isBusy = false
  let isClosed = false
  let lastServed = ''

  function check(code: string, accountId: string): Promise<Report> {
    if (isClosed) return Promise.reject(stopping())
    const own = queue.filter(job => job.accountId === accountId).length
    if (queue.length >= limits.queue || own >= limits.queuePerAccount) {
      const message = 'Too many plugins wait to be checked. Please try again in a moment.'
      return Promise.reject(new AppError('limited', 'CHECK_QUEUE', message, { retryAfterSeconds: 2 }))
    }
    return new Promise((resolve, reject) => {
      queue.push({ code, accountId, resolve, reject })
      void work()
    })
  }

  async function work(): Promise<void> {
    if (isBusy) return
    isBusy = true
    clearTimeout(rest)
    for (let job = takeNext(); job; job = takeNext()) {
      lastServed = job.accountId
      try {
        job.resolve(await checkOn(job.code))
      } catch (error) {
        job.reject(error)
      }
    }
    isBusy = false
    rest = setTimeout(() => void retire(), limits.idleMs).unref()
  }

  /** The next of another account than the last; its own where nobody else waits. */
  function takeNext(): Job | undefined {
    const other = queue.findIndex(job => job.accountId !== lastServed)
    return queue.splice(Math.max(0, other), 1)[0]
  }

  async function checkOn(code: string): Promise<Report> {
    worker ??= startWorker(limits)
    const answer = await ask(worker, code, limits.timeMs)
    if (isClosed) throw stopping()
    if (answer !== null) return reportOf(answer.findings, answer.durationMs)
    await retire()
    return reportOf([tooMuch], limits.timeMs)
  }

  async function retire(): Promise<void> {
    const old = worker
    worker = null
    await old?.terminate()
  }

  return {
    check,
    async close() {
      isClosed = true
      clearTimeout(rest)
      for (const job of queue.splice(0)) job.reject(stopping())
      await retire()
    },
  }
}

function startWorker({ memoryMegabytes }: CheckerLimits): Worker {
  const worker = new Worker(new URL('./checks/worker.ts', import.meta.url), {
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: memoryMegabytes, stackSizeMb: 4 },
  })
  worker.unref()
  // A thread that dies tells whoever waits for it; while nobody does, that must not end the process.
  worker.on('error', () => undefined)
  return worker
}

interface Answer {
  findings: Finding[]
  durationMs: number
}

/** The thread's answer; null when it died or took too long. */
function ask(worker: Worker, code: string, timeMs: number): Promise<Answer | null> {
  return new Promise(resolve => {
    const settle = (answer: Answer | null) => {
      clearTimeout(timer)
      worker.off('message', settle).off('error', onEnd).off('exit', onEnd)
      resolve(answer)
    }
    const onEnd = () => settle(null)
    const timer = setTimeout(onEnd, timeMs)
    worker.once('message', settle).once('error', onEnd).once('exit', onEnd)
    worker.postMessage({ code })
  })
}

const tooMuch: Finding = {
  rule: 'too-complex',
  severity: 'error',
  line: 1,
  message: 'The code could not be checked: it is too large or too deeply nested',
  advice: 'Make it shorter, and nest fewer expressions and blocks in one another.',
}

/** Findings with their counts. */
export function reportOf(findings: Finding[], durationMs: number): Report {
  const errors = findings.filter(finding => finding.severity === 'error').length
  return {
    findings,
    errors,
    warnings: findings.length - errors,
    durationMs: Math.round(durationMs * 10) / 10,
  }
}

function stopping(): AppError {
  return new AppError('unavailable', 'SHUTTING_DOWN', 'The server is shutting down')
}

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError } from '../../lib/errors.ts'
import { workFolder } from './limits.ts'
import { inspectTree } from './memory.ts'
import type { WorkerAnswer, WorkerTask } from './worker.ts'

/** One child process that does one thing at a time. */
interface Worker {
  child: ChildProcess
  folder: string
  /** Ends it when it has had nothing to do for long. */
  rest?: NodeJS.Timeout
}

interface Job {
  task: WorkerTask
  resolve: (result: unknown) => void
  reject: (error: unknown) => void
}

export interface PoolLimits {
  timeMs: number
  memoryBytes: number
  queue: number
  concurrency: number
  /** A worker that has nothing to do for this long gives its memory back. */
  idleMs: number
}

const script = fileURLToPath(new URL('./worker.ts', import.meta.url))

/**
 * Child processes that work, replaced whenever one had to be killed. `run` gives what the task is for, or throws AppError: `timeout` BUILD_TIMEOUT,
 * `too-large` BUILD_INPUT for memory or a crash, `limited` BUILD_QUEUE when too many wait.
 */
export function createPool(limits: PoolLimits) {
  const queue: Job[] = []
  const idle: Worker[] = []
  const all = new Set<Worker>()
  let running = 0
  let isClosed = false

  function run(task: WorkerTask): Promise<unknown> {
    if (isClosed) return Promise.reject(closedError())
    if (queue.length >= limits.queue) {
      return Promise.reject(
        new AppError('limited', 'BUILD_QUEUE', 'Too many builds are waiting. Please try again in a moment.', {
          retryAfterSeconds: 5,
        }),
      )
    }
    return new Promise((resolve, reject) => {
      queue.push({ task, resolve, reject })
      void next()
    })
  }

  async function next(): Promise<void> {
    if (running >= limits.concurrency) return
    const job = queue.shift()
    if (!job) return
    running++
    try {
      job.resolve(await runOn(job.task))
    } catch (error) {
      job.reject(error)
    } finally {
      running--
      void next()
    }
  }

  async function runOn(task: WorkerTask): Promise<unknown> {
    const worker = idle.pop() ?? (await startWorker())
    clearTimeout(worker.rest)
    all.add(worker)
    if (isClosed) {
      await retire(worker)
      throw closedError()
    }
    try {
      const result = await workWithin(worker, task, limits)
      idle.push(worker)
      worker.rest = setTimeout(() => {
        idle.splice(idle.indexOf(worker), 1)
        void retire(worker)
      }, limits.idleMs).unref()
      return result
    } catch (error) {
      await retire(worker)
      throw isClosed ? closedError() : error
    }
  }

  async function retire(worker: Worker): Promise<void> {
    all.delete(worker)
    clearTimeout(worker.rest)
    await endWorker(worker)
  }

  return {
    run,
    async close() {
      isClosed = true
      for (const job of queue.splice(0)) job.reject(closedError())
      await Promise.all([...all].map(retire))
    },
  }
}

function closedError(): AppError {
  return new AppError('unavailable', 'SHUTTING_DOWN', 'The server is shutting down')
}

async function startWorker(): Promise<Worker> {
  const folder = await mkdtemp(join(tmpdir(), workFolder))
  const child = fork(script, [], {
    cwd: folder,
    // Nothing of our environment: only what keeps the builder small.
    env: { GOMEMLIMIT: '384MiB', GOMAXPROCS: '2' },
    execArgv: ['--max-old-space-size=256', '--disable-warning=ExperimentalWarning'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  return { child, folder }
}

async function workWithin(worker: Worker, task: WorkerTask, limits: PoolLimits): Promise<unknown> {
  const over = new AbortController()
  const timer = setTimeout(() => over.abort(timeoutError(limits.timeMs)), limits.timeMs)
  const watch = setInterval(() => {
    void inspectTree(worker.child.pid ?? 0).then(tree => {
      if (tree.bytes > limits.memoryBytes)
        over.abort(sizeError('The build needs more memory than is allowed'))
    })
  }, 50)
  try {
    const reply = await ask(worker.child, task, over.signal)
    if (reply.type === 'done') return reply.result
    throw sizeError('The sources cannot be built: they are too large or too deeply nested')
  } finally {
    clearTimeout(timer)
    clearInterval(watch)
  }
}

function ask(child: ChildProcess, request: WorkerTask, signal: AbortSignal): Promise<WorkerAnswer> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown) => settle(() => resolve(message as WorkerAnswer))
    const onEnd = () =>
      settle(() => reject(sizeError('The sources cannot be built: they are too large or too deeply nested')))
    const onAbort = () => settle(() => reject(signal.reason))
    function settle(finish: () => void) {
      child.off('message', onMessage).off('exit', onEnd).off('error', onEnd)
      signal.removeEventListener('abort', onAbort)
      finish()
    }
    child.on('message', onMessage).on('exit', onEnd).on('error', onEnd)
    signal.addEventListener('abort', onAbort)
    child.send(request, error => {
      if (error) onEnd()
    })
  })
}

/** Ends a worker and the esbuild service below it, the lower one first, so that its parent collects it. */
async function endWorker({ child, folder }: Worker): Promise<void> {
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    const exited = once(child, 'exit')
    const { children } = await inspectTree(child.pid)
    for (const pid of children) kill(pid)
    for (let round = 0; round < 50 && (await inspectTree(child.pid)).children.length > 0; round++) {
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    child.kill('SIGKILL')
    await exited
  }
  await rm(folder, { recursive: true, force: true })
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

function timeoutError(timeMs: number): AppError {
  return new AppError(
    'timeout',
    'BUILD_TIMEOUT',
    `The build took longer than ${timeMs / 1000} seconds and was stopped`,
  )
}

function sizeError(message: string): AppError {
  return new AppError('too-large', 'BUILD_INPUT', message)
}

import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./database-program.ts', import.meta.url))

/** What the program says once its database is ready. */
export interface Ready {
  startMs: number
  cluster: string
  socket: string
  postmaster: number
  url: string
}

/** A child process that stands on an embedded database. */
export interface DatabaseProcess {
  pid: number
  ready: Ready
  /** Sends a command and gives its answer. */
  ask<Answer = Record<string, unknown>>(command: string): Promise<Answer>
  kill(): Promise<void>
  close(): Promise<void>
}

/** Starts the program on a folder, as another user if told. Rejects with its one line when it does not start. */
export async function startDatabaseProcess(
  dataDir: string,
  user: { uid?: number; gid?: number } = {},
): Promise<DatabaseProcess> {
  const child = spawn(process.execPath, [program, dataDir], {
    ...user,
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let complaint = ''
  child.stderr.on('data', chunk => {
    complaint += chunk
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
  async function next<Answer>(): Promise<Answer> {
    const { value, done } = await lines.next()
    if (!done) return JSON.parse(value) as Answer
    await exited
    throw new Error(complaint.trim() || 'the program ended without a word')
  }
  const ready = await next<Ready>()
  const ask = <Answer>(command: string) => {
    child.stdin.write(`${command}\n`)
    return next<Answer>()
  }
  return {
    pid: pidOf(child),
    ready,
    ask,
    kill: () => kill(child, exited),
    close: () => ask('close').then(() => exited),
  }
}

async function kill(child: ChildProcess, exited: Promise<void>): Promise<void> {
  child.kill('SIGKILL')
  await exited
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the program did not start')
  return child.pid
}

/** Whether a process with this id runs; one that has ended and waits to be noticed by its parent does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A process of the benchmark, which answers each message with one message. */
export interface Worker {
  pid: number
  ask<Answer>(message: object): Promise<Answer>
  stop(): Promise<void>
}

/** Starts a file of bench/ as a process; resolves with its first message. */
export async function startWorker<Hello>(
  file: string,
  environment: Record<string, string> = {},
): Promise<{ worker: Worker; hello: Hello }> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    env: { PATH: process.env.PATH ?? '', ...environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const waiting: { resolve(value: unknown): void; reject(reason: Error): void }[] = []
  child.on('message', message => waiting.shift()?.resolve(message))
  child.on('exit', () => {
    for (const each of waiting.splice(0)) each.reject(new Error(`${file} ended before it answered`))
  })
  const next = <Answer>() =>
    new Promise<Answer>((resolve, reject) =>
      waiting.push({ resolve: resolve as (value: unknown) => void, reject }),
    )
  const hello = await next<Hello>()
  const worker = {
    pid: pidOf(child),
    ask<Answer>(message: object): Promise<Answer> {
      const answer = next<Answer>()
      child.send(message)
      return answer
    },
    stop: () => stopChild(child),
  }
  return { worker, hello }
}

export interface ServerProcess {
  pid: number
  /** The first line of its output that fits. */
  found: string
  /** Resolves when it has ended. */
  ended: Promise<void>
  stop(): Promise<void>
}

/** Starts `node …` in a folder and waits for a line of output; throws with what it said when it ends before that. */
export async function startServer(
  args: readonly string[],
  options: { cwd: string; env: Record<string, string>; awaited: RegExp },
): Promise<ServerProcess> {
  const { cwd, env, awaited } = options
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'exit').then(() => {})
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk).slice(-4000)
  })
  for await (const line of createInterface({ input: child.stdout })) {
    said = `${said}${line}\n`.slice(-4000)
    const found = awaited.exec(line)?.[1]
    if (found === undefined) continue
    // A pipe that nobody reads would fill up.
    child.stdout.resume()
    return { pid: pidOf(child), found, ended, stop: () => stopChild(child) }
  }
  throw new Error(`${args.join(' ')} ended before it was ready:\n${said}`)
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  if (child.connected) child.disconnect()
  else child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await exited
  clearTimeout(timer)
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('a process did not start')
  return child.pid
}

/** Linux counts in hundredths of a second. */
const tickMs = 10

/** CPU time of a process with all its threads, user and system, in milliseconds; 0 when it is gone. */
export function cpuMsOf(pid: number, { withEndedChildren = false } = {}): number {
  const fields = statOf(pid)
  const count = withEndedChildren ? 4 : 2
  return fields.slice(11, 11 + count).reduce((sum, ticks) => sum + Number(ticks), 0) * tickMs
}

/** CPU time of a process and its children, those that have ended included, in milliseconds. */
export function familyCpuMsOf(pid: number): number {
  const children = readdirSync('/proc').filter(
    name => /^\d+$/.test(name) && statOf(Number(name))[1] === String(pid),
  )
  const living = children.reduce((sum, child) => sum + cpuMsOf(Number(child)), 0)
  return living + cpuMsOf(pid, { withEndedChildren: true })
}

/** The fields of /proc/<pid>/stat from the third (state) on. */
function statOf(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}

/** Resident memory of a process in KB. */
export function residentKbOf(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1] ?? 0)
}

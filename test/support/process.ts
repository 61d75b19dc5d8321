import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { freePort } from './ports.ts'

const root = join(import.meta.dirname, '..', '..')

/** The server as an operator starts it: a process of its own with its embedded database. */
export interface ServerProcess extends AsyncDisposable {
  url: string
  pid: number
  /** What it printed so far. */
  output(): string
  /** Ends it with a signal and resolves with its exit code (null after SIGKILL). */
  kill(signal: NodeJS.Signals): Promise<number | null>
}

export interface ServerProcessOptions {
  dataDir: string
  /** What it does: serves by default. */
  verb?: 'serve' | 'worker'
  port?: number
  env?: Record<string, string>
  /** Runs it as this user. */
  uid?: number
}

/** Starts `bin/atelier.mjs serve`, or another verb, on a data folder and waits until it says that it is ready. */
export async function startProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const port = options.port ?? (await freePort())
  const child = spawn(process.execPath, [join(root, 'bin', 'atelier.mjs'), options.verb ?? 'serve'], {
    cwd: options.dataDir,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: options.dataDir,
      PORT: String(port),
      HOST: '127.0.0.1',
      DATA_DIR: options.dataDir,
      LOG_LEVEL: 'warn',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  const kill = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal)
      await once(child, 'exit')
    }
    return child.exitCode
  }
  await ready(child, () => output)
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    output: () => output,
    kill,
    async [Symbol.asyncDispose]() {
      await kill('SIGTERM')
    },
  }
}

async function ready(child: ChildProcess, output: () => string): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!/Atelier(?:'s worker)? is ready/.test(output())) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`the server ended:\n${output()}`)
    if (Date.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`the server did not become ready:\n${output()}`)
    }
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

import { chmod, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ScriptedProvider, startProvider } from '../provider/index.ts'
import { isRunning } from '../support/database-process.ts'
import { makeTestFolder, removeTestFolder } from '../support/folder.ts'
import { freePort } from '../support/ports.ts'
import { type ServerProcess, startProcess } from '../support/process.ts'
import type { Report } from './report.ts'

/** A server or a worker that may be killed and started again at the same place. */
export interface Member {
  name: string
  verb: 'serve' | 'worker'
  env: Record<string, string>
  url: string
  /** The running process; the last one while it is dead. */
  process: ServerProcess
  /** When it was last seen to die, in milliseconds since the epoch; 0 for never. */
  diedAt: number
  kill(signal?: NodeJS.Signals): Promise<number | null>
  restart(): Promise<void>
  isAlive(): boolean
}

export interface MemberOptions {
  name: string
  verb?: 'serve' | 'worker'
  env?: Record<string, string>
}

/** Everything that one scenario runs: processes, folders, and the provider they talk to. Gone when closed. */
export class Stage {
  readonly folder: string
  readonly dataDir: string
  readonly provider: ScriptedProvider
  readonly members: Member[] = []
  readonly #report: Report
  readonly #closers: (() => Promise<void>)[] = []
  readonly #outputs: (() => string)[] = []
  #closing: Promise<void> | null = null
  #isAbandoned = false

  static async open(report: Report): Promise<Stage> {
    const folder = await makeTestFolder('faults')
    // Temporary files of all members, so that those which are left can be seen.
    await mkdir(join(folder, 'tmp'))
    await chmod(join(folder, 'tmp'), 0o1777)
    const stage = new Stage(folder, await startProvider({ logLimit: 20_000 }), report)
    open.add(stage)
    return stage
  }

  constructor(folder: string, provider: ScriptedProvider, report: Report) {
    this.folder = folder
    this.dataDir = join(folder, 'data')
    this.provider = provider
    this.#report = report
  }

  /** Has something closed with the stage, before what was opened earlier. */
  defer(close: () => Promise<void>): void {
    this.#closers.push(close)
    if (this.#isAbandoned) void close()
  }

  /** Starts a server or a worker on the stage's data folder. */
  async start({ name, verb = 'serve', env = {} }: MemberOptions): Promise<Member> {
    await mkdir(this.dataDir, { recursive: true })
    await chmod(this.dataDir, 0o755)
    const port = await freePort()
    const launch = async () => {
      if (this.#isAbandoned) throw new Error('the suite was interrupted')
      const all = { ...settings(this.provider), TMPDIR: join(this.folder, 'tmp'), ...env }
      const started = await startProcess({ dataDir: this.dataDir, verb, port, env: all })
      this.#outputs.push(started.output)
      return started
    }
    const member: Member = {
      name,
      verb,
      env,
      url: `http://127.0.0.1:${port}`,
      process: await launch(),
      diedAt: 0,
      async kill(signal = 'SIGKILL') {
        member.diedAt = Date.now()
        return member.process.kill(signal)
      },
      async restart() {
        member.process = await launch()
      },
      isAlive: () => isRunning(member.process.pid),
    }
    this.members.push(member)
    return member
  }

  /** Bugs that any process of this stage has logged. */
  bugs(): string[] {
    return this.#outputs
      .flatMap(output => output().split('\n'))
      .filter(line => /"level":[56]0|Error: |unhandled/i.test(line) && !line.includes('"level":40'))
  }

  /** Ends everything in order, and reports what is left of it. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    for (const { name, process } of this.members) {
      const code = await process.kill('SIGTERM')
      this.#report.check(code === 0 || code === null, () => `${name} ended with exit code ${code} on SIGTERM`)
    }
    for (const close of this.#closers.reverse()) await close()
    await this.provider.close()
    // A database is over when it says so; its process is, a moment later.
    let processes = await processesOf(this.folder)
    for (let tries = 0; processes.length > 0 && tries < 100; tries++) {
      await sleep(50)
      processes = await processesOf(this.folder)
    }
    this.#report.check(
      processes.length === 0,
      () => `processes are left: ${processes.map(each => each.command).join('; ')}`,
    )
    // Node's own cache of compiled code is meant to stay.
    const files = (await readdir(join(this.folder, 'tmp'))).filter(name => name !== 'node-compile-cache')
    this.#report.check(files.length === 0, () => `temporary files are left: ${files.join(', ')}`)
    await this.#remove()
  }

  /** Ends everything at once, for when the suite is interrupted. */
  async abandon(): Promise<void> {
    this.#isAbandoned = true
    for (const { process } of this.members) void process.kill('SIGKILL')
    const closing = [...this.#closers.map(close => close()), this.provider.close()]
    await Promise.race([Promise.allSettled(closing), sleep(3000)])
    await this.#remove()
  }

  async #remove(): Promise<void> {
    // A process that is just being started cannot be recognized for a moment, and may have started another one.
    for (let quiet = 0; quiet < 3; await sleep(50)) {
      const found = await processesOf(this.folder)
      for (const { pid } of found) kill(pid)
      quiet = found.length === 0 ? quiet + 1 : 0
    }
    open.delete(this)
    await removeTestFolder(this.folder)
  }
}

const open = new Set<Stage>()

/** Ends all stages at once. */
export async function abandonAll(): Promise<void> {
  await Promise.allSettled([...open].map(stage => stage.abandon()))
}

/** What an operator would set for a server that talks to the scripted provider and refuses nobody. */
function settings(provider: ScriptedProvider): Record<string, string> {
  return {
    OPENAI_API_KEY: 'a-key-of-nobody',
    OPENAI_BASE_URL: provider.baseUrls.openai,
    ANTHROPIC_BASE_URL: provider.baseUrls.anthropic,
    GEMINI_BASE_URL: provider.baseUrls.gemini,
    OPENROUTER_BASE_URL: provider.baseUrls.openrouter,
    DEFAULT_MODEL: 'openai/scripted',
    ALLOW_ANY_MODEL: 'true',
    JWT_EXPIRES_IN: '24h',
    RATE_LIMIT_MAX_REQUESTS: '10000000',
    SIGNUP_LIMIT_PER_HOUR: '100000',
    BASIC_DAILY_MESSAGE_LIMIT: '1000000',
    SIGNUP_CREDITS: '100000000',
    WORKER_CONCURRENCY: '24',
    LOG_LEVEL: 'warn',
  }
}

/** Processes whose command line or environment names a folder; a stage's folder is in both for all that it started. */
async function processesOf(folder: string): Promise<{ pid: number; command: string }[]> {
  const found: { pid: number; command: string }[] = []
  for (const name of await readdir('/proc').catch(() => [])) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === process.pid) continue
    const command = await textOf(`/proc/${name}/cmdline`)
    const environment = await textOf(`/proc/${name}/environ`)
    if (command && (command.includes(folder) || environment.includes(folder))) {
      found.push({ pid, command: command.replaceAll('\0', ' ').slice(0, 100) })
    }
  }
  return found
}

function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { presets, type Script } from './script.ts'
import type { ProviderRequest } from './server.ts'

export type { Script } from './script.ts'
export { keyFingerprint, type ProviderRequest } from './server.ts'

/** The scripted provider in a process of its own, with what a test needs to steer and to question it. */
export interface ScriptedProvider extends AsyncDisposable {
  url: string
  /** Base URLs as the configuration wants them; the path tells in the log which one was used. */
  baseUrls: { gemini: string; openrouter: string; openai: string; anthropic: string }
  /** The next requests play these, in this order; a name is one of the presets. */
  script(...scripts: (Script | string)[]): Promise<void>
  /** Every request so far, oldest first. */
  requests(): Promise<ProviderRequest[]>
  /** The log once it fulfils a condition, at most `timeoutMs` later; throws otherwise. */
  waitFor(isMet: (requests: ProviderRequest[]) => boolean, timeoutMs?: number): Promise<ProviderRequest[]>
  /** Forgets requests and scripts. */
  clear(): Promise<void>
  close(): Promise<void>
}

/** Starts the scripted provider on a free port of 127.0.0.1. It ends with `close`, and with this process. */
export async function startProvider({
  tokens = 5,
  intervalMs = 0,
  logLimit = 1000,
} = {}): Promise<ScriptedProvider> {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url))
  const settings = [
    '--tokens',
    String(tokens),
    '--interval-ms',
    String(intervalMs),
    '--log',
    String(logLimit),
  ]
  const child = spawn(process.execPath, [main, ...settings, '--with-parent'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const url = await addressOf(child)

  async function call(path: string, method: string, body?: unknown): Promise<ProviderRequest[]> {
    const response = await fetch(`${url}/__admin/${path}`, {
      method,
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    return (await response.json()) as ProviderRequest[]
  }
  const requests = () => call('requests', 'GET')

  async function waitFor(isMet: (requests: ProviderRequest[]) => boolean, timeoutMs = 5000) {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const log = await requests()
      if (isMet(log)) return log
      if (Date.now() > deadline)
        throw new Error(`the provider's log never came to what was expected: ${JSON.stringify(log)}`)
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }

  async function close(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  }

  return {
    url,
    baseUrls: {
      gemini: `${url}/gemini`,
      openrouter: `${url}/openrouter/api/v1`,
      openai: `${url}/openai/v1`,
      anthropic: `${url}/anthropic`,
    },
    script: async (...scripts) => {
      await call('scripts', 'POST', scripts.map(scriptOf))
    },
    requests,
    waitFor,
    clear: async () => {
      await call('requests', 'DELETE')
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function scriptOf(script: Script | string): Script {
  if (typeof script !== 'string') return script
  const preset = presets[script]
  if (!preset) throw new Error(`no preset script "${script}"; there are ${Object.keys(presets).join(', ')}`)
  return preset
}

async function addressOf(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('the scripted provider has no output')
  for await (const line of createInterface(child.stdout)) return (JSON.parse(line) as { url: string }).url
  throw new Error('the scripted provider did not start')
}

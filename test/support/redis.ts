import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { makeTestFolder, removeTestFolder } from './folder.ts'
import { findMachine } from './machine.ts'
import { freePort } from './ports.ts'

/** A real Redis of its own on a free port of 127.0.0.1; gone with its folder when closed. */
export interface TestRedis {
  url: string
  /** Where it writes down every change that it was ever told. */
  folder: string
  /** Stops it as if the machine had gone; `start` brings it back on the same port with what was on disk. */
  stop(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

/** Starts a Redis. Throws when the machine has none: ask findMachine first. */
export async function startRedis(): Promise<TestRedis> {
  const program = findMachine().redis
  if (!program) throw new Error('no redis-server on this machine')
  const folder = await makeTestFolder('redis')
  const port = await freePort()
  const options = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'yes',
  ]
  let running: ReturnType<typeof spawn> | null = null

  async function start(): Promise<void> {
    const child = spawn(program ?? '', options, { stdio: ['ignore', 'pipe', 'ignore'] })
    running = child
    let said = ''
    for await (const chunk of child.stdout) {
      said += String(chunk)
      if (said.includes('Ready to accept connections')) return
    }
    throw new Error(`Redis ended:\n${said}`)
  }
  async function stop(): Promise<void> {
    if (!running || running.exitCode !== null) return
    const exited = once(running, 'exit')
    running.kill('SIGKILL')
    await exited
    running = null
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    folder,
    start,
    stop,
    async close() {
      await stop()
      await removeTestFolder(folder)
    },
  }
}

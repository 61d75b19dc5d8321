import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { makeTestFolder, removeTestFolder } from './folder.ts'
import { findMachine } from './machine.ts'

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
    for await (const chunk of child.stdout) if (String(chunk).includes('Ready to accept connections')) break
    child.stdout.resume()
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

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

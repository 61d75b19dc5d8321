import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Target } from '../load.ts'
import { cpuMsOf, startWorker, type Worker } from '../processes.ts'

/** What the client of paced streams is told, and what it answers to `measure`. */
export type RelayCommand = { do: 'add'; target: RelayTarget; count: number } | { do: 'measure'; ms: number }
export type RelayTarget = Pick<Target, 'port' | 'path' | 'requests'>
export interface RelayReport {
  p50Ms: number
  p99Ms: number
  tokens: number
  failures: string[]
}

/** Through what tokens go, and whose processor time is told. */
export interface Relay {
  target: RelayTarget
  pids: Record<string, number>
  say(text: string): void
}

const firstStreams = 400
const stepStreams = 200
const mostStreams = 3000
const windowMs = 2000
const atMostMs = 50_000
/** Others use the machine too: what a moment of theirs spoiled gets further chances. */
const chances = 4
const tokensPerSecond = 20
const delayMs = 250

/** Adds streams until tokens come too late or not at all; the number of streams that held last. */
export async function climb({ target, pids, say }: Relay): Promise<number> {
  const { worker: client } = await startWorker('./distributed/relay-client.ts')
  await using ending = new AsyncDisposableStack()
  ending.defer(() => client.stop())
  const watched = { ...pids, client: client.pid }
  const ends = performance.now() + atMostMs
  let held = 0
  let streams = 0
  while (streams < mostStreams && performance.now() < ends) {
    const count = streams === 0 ? firstStreams : stepStreams
    await client.ask({ do: 'add', target, count })
    streams += count
    let isHeld = false
    for (let chance = 0; chance < chances && !isHeld; chance++)
      isHeld = await holds(streams, { client, watched, say })
    if (!isHeld) return held
    held = streams
  }
  say(`  ${held} streams held when the time was over\n`)
  return held
}

interface Watch {
  client: Worker
  watched: Record<string, number>
  say(text: string): void
}

async function holds(streams: number, { client, watched, say }: Watch): Promise<boolean> {
  await sleep(500)
  const before = Object.entries(watched).map(([name, pid]) => ({ name, pid, cpuMs: cpuMsOf(pid) }))
  const busyBefore = machineBusyMs()
  const report = await client.ask<RelayReport>({ do: 'measure', ms: windowMs })
  const busyMs = machineBusyMs() - busyBefore
  const cores = before.map(
    ({ name, pid, cpuMs }) => `${name} ${((cpuMsOf(pid) - cpuMs) / windowMs).toFixed(2)}`,
  )
  if (report.failures.length > 0) throw new Error(`streams failed: ${report.failures[0]}`)
  const expected = (streams * tokensPerSecond * windowMs) / 1000
  const share = report.tokens / expected
  const delays = `p50 ${report.p50Ms.toFixed(0)} p99 ${report.p99Ms.toFixed(0)} ms`
  say(
    `  ${streams} streams: ${delays}, ${(share * 100).toFixed(0)} % of the tokens; cores: ${cores.join(', ')}, all ${(busyMs / windowMs).toFixed(2)}\n`,
  )
  return report.p99Ms <= delayMs && share > 0.9
}

/** What all processes of the machine took so far. */
function machineBusyMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
}

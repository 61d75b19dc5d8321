import { setTimeout as sleep } from 'node:timers/promises'
import { Queue, QueueEvents } from 'bullmq'
import { median } from '../columns.ts'
import { cpuMsOf, type Worker } from '../processes.ts'
import { askNow, askQueued, inLanes, type Question, type Reading } from './asking.ts'
import type { Askable, World } from './worlds.ts'

export type Ask = (world: Askable, question: Question) => Reading

const warmUps = 120
const pairs = 120
/** Long enough for a worker to be idle again. */
const idleMs = 40

/** Medians of the time to the first token in milliseconds, asked in turn so that the machine's moods hit both alike. */
export async function measureFirstTokens(world: World): Promise<{ now: number; queued: number }> {
  const now: number[] = []
  const queued: number[] = []
  for (let turn = 0; turn < warmUps + pairs; turn++) {
    const isWarm = turn >= warmUps
    for (const [ask, times] of [
      [askNow, now],
      [askQueued, queued],
    ] as const) {
      if (isWarm) await sleep(idleMs)
      const reading = ask(world, { say: '[[5]]', turn: turn * 2 + (ask === askNow ? 0 : 1) })
      const ms = await reading.first
      await reading.done
      if (isWarm) times.push(ms)
    }
  }
  return { now: median(now), queued: median(queued) }
}

const jobs = 1200
const outstanding = 100

/** Processes by name, as functions that tell their processor time so far in milliseconds. */
export type Clocks = Record<string, () => number>

/**
 * Jobs a second through everything: accepted, run by the worker, stored, and the last event read; and the microseconds of
 * processor time that each process took for one.
 */
export async function measureJobs(world: Askable, clocks: Clocks = {}) {
  const work = (turn: number) => askQueued(world, { say: '[[5]]', turn }).done
  const before = Object.entries(clocks).map(([name, clock]) => ({ name, clock, ms: clock() }))
  const started = performance.now()
  await inLanes(jobs, outstanding, work)
  const perSecond = (jobs * 1000) / (performance.now() - started)
  const costs = before.map(({ name, clock, ms }) => ({ name, us: ((clock() - ms) * 1000) / jobs }))
  return { perSecond, costs }
}

const bareJobs = 5000

/**
 * Jobs a second of BullMQ alone: added one by one, done by a worker of its own. `isWaited` when whoever adds a job waits for
 * its end before the next, as who asks and reads an answer does.
 */
export async function measureBareJobs(redisUrl: string, worker: Worker, isWaited: boolean): Promise<number> {
  const { hostname, port } = new URL(redisUrl)
  const connection = { host: hostname, port: Number(port) }
  const queue = new Queue('bare', { connection })
  const events = new QueueEvents('bare', { connection })
  for (const each of [queue, events]) each.setMaxListeners(outstanding * 4)
  try {
    await events.waitUntilReady()
    const started = performance.now()
    const lanes = inLanes(bareJobs, outstanding, async () => {
      const job = await queue.add('job', { id: 'x' })
      if (isWaited) await job.waitUntilFinished(events)
    })
    await Promise.all([worker.ask({ count: bareJobs }), lanes])
    return (bareJobs * 1000) / (performance.now() - started)
  } finally {
    await events.close()
    await queue.close()
  }
}

/** Whose processor time counts, and who counts the tokens. */
export interface Streaming {
  world: World
  ask: Ask
  /** The processes that the tokens pass. */
  pids: readonly number[]
  provider: Worker
}

const pacedStreams = 40
const pacedEveryMs = 20
const pacedMs = 4000
const longAnswers = 48
const longTokens = 2000

/** Tokens for a second of processor time, of streams that all run: what beginning and ending costs is left out. */
export async function measurePaced({ world, ask, pids, provider }: Streaming): Promise<number> {
  const tokens = Math.ceil((pacedMs + 2000) / pacedEveryMs)
  const readings: Reading[] = []
  for (let turn = 0; turn < pacedStreams; turn++) {
    readings.push(ask(world, { say: `[[${tokens} every ${pacedEveryMs}]]`, turn }))
    await sleep(7)
  }
  await Promise.all(readings.map(reading => reading.first))
  const sent = async () => (await provider.ask<{ pacedTokens: number }>({})).pacedTokens
  const before = { cpuMs: cpuOf(pids), tokens: await sent() }
  await sleep(pacedMs)
  const passed = (await sent()) - before.tokens
  const cpuMs = cpuOf(pids) - before.cpuMs
  for (const reading of readings) expectWords(await reading.done, tokens)
  return (passed * 1000) / cpuMs
}

/** The same of long answers that come as fast as they can be had, with all that they cost. */
export async function measureFast({ world, ask, pids }: Streaming): Promise<number> {
  const before = cpuOf(pids)
  await inLanes(longAnswers, 8, async turn =>
    expectWords(await ask(world, { say: `[[${longTokens}]]`, turn }).done, longTokens),
  )
  return (longAnswers * longTokens * 1000) / (cpuOf(pids) - before)
}

function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuMsOf(pid), 0)
}

/** Figures of a path that loses tokens mean nothing. */
function expectWords(text: string, count: number): void {
  const found = text.split('word ').length - 1
  if (found !== count) throw new Error(`an answer had ${found} of ${count} tokens: ${text.slice(0, 300)}`)
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { LoadCommand, LoadReport } from './load.ts'
import { cpuMsOf, familyCpuMsOf, residentKbOf, type Worker } from './processes.ts'
import type { Row } from './rows.ts'

/** How much is measured in one round. */
export interface Amounts {
  /** Requests before anything is counted, so that what is measured is compiled code. */
  warmUpRequests: number
  latencyRequests: number
  requests: number
  pacedMs: number
  longAnswers: number
  followers: number
}

/** Those who take part in a measurement besides the server. */
export interface Bench {
  client: Worker
  provider: Worker
  postmaster: number
  amounts: Amounts
}

/** One figure, and what Postgres took beside it in the same unit. */
export interface Figure {
  value: number
  postgres?: number
}

export interface Column {
  key: string
  title: string
  unit: string
  /** Null where the row has nothing to measure. */
  measure(row: Row, bench: Bench): Promise<Figure | null>
}

const concurrency = 16
const longTokens = 2000
const pacedStreams = 40
const pacedEveryMs = 20

/** The columns that are measured once each round. Their goal is a ratio to the floor. */
export const columns: readonly Column[] = [
  { key: 'firstToken', title: 'first token, c=1', unit: 'ms', measure: measureFirstToken },
  {
    key: 'request',
    title: 'request of 5 tokens',
    unit: 'µs CPU',
    measure: (row, bench) => measureRequests(row, bench, true),
  },
  { key: 'pacedToken', title: `token, ${pacedStreams} paced streams`, unit: 'µs CPU', measure: measurePaced },
  { key: 'fastToken', title: 'token, as fast as it goes', unit: 'µs CPU', measure: measureFast },
  {
    key: 'whole',
    title: 'request not streamed',
    unit: 'µs CPU',
    measure: (row, bench) => measureRequests(row, bench, false),
  },
]

export async function command(bench: Bench, told: LoadCommand): Promise<LoadReport> {
  const report = await bench.client.ask<LoadReport>(told)
  if (report.failures.length > 0)
    throw new Error(`requests failed: ${report.failures.slice(0, 3).join('\n')}`)
  return report
}

/** Lets a server compile what it is about to be measured by; conversations are rewound so that they stay short. */
export async function warmUp(row: Row, bench: Bench): Promise<void> {
  for (let done = 0; done < bench.amounts.warmUpRequests; done += 1000) {
    await row.rewind()
    const target = row.target('[[5]]', { stream: done % 2000 === 0 })
    await command(bench, { do: 'run', target, count: 1000, concurrency })
  }
}

async function measureFirstToken(row: Row, bench: Bench): Promise<Figure> {
  const target = row.target('[[5]]', { stream: true })
  const count = bench.amounts.latencyRequests
  const report = await command(bench, { do: 'run', target, count, concurrency: 1 })
  return { value: median(report.firstTokenMs) }
}

/** CPU time of the server and of Postgres while `work` runs, in µs for each of what it counts. */
async function cpuOf(row: Row, bench: Bench, work: () => Promise<number>): Promise<Figure | null> {
  if (row.pid === null) return null
  const before = { server: cpuMsOf(row.pid), postgres: familyCpuMsOf(bench.postmaster) }
  const count = await work()
  const server = cpuMsOf(row.pid) - before.server
  const postgres = familyCpuMsOf(bench.postmaster) - before.postgres
  return { value: (server * 1000) / count, postgres: (postgres * 1000) / count }
}

function measureRequests(row: Row, bench: Bench, stream: boolean): Promise<Figure | null> {
  const count = bench.amounts.requests
  return cpuOf(row, bench, async () => {
    const target = row.target('[[5]]', { stream })
    expectWords(await command(bench, { do: 'run', target, count, concurrency }), 5)
    return count
  })
}

function measureFast(row: Row, bench: Bench): Promise<Figure | null> {
  const count = bench.amounts.longAnswers
  return cpuOf(row, bench, async () => {
    const target = row.target(`[[${longTokens}]]`, { stream: true })
    expectWords(await command(bench, { do: 'run', target, count, concurrency: 8 }), longTokens)
    return count * longTokens
  })
}

/** A window in the middle, when all streams run: what starting and ending costs is another column. */
async function measurePaced(row: Row, bench: Bench): Promise<Figure | null> {
  if (row.pid === null) return null
  const { pacedMs } = bench.amounts
  const tokens = Math.ceil((pacedMs + 1500) / pacedEveryMs)
  const target = row.target(`[[${tokens} every ${pacedEveryMs}]]`, { stream: true })
  await command(bench, { do: 'open', target, count: pacedStreams, staggerMs: 7 })
  await sleep(200)
  const figure = await cpuOf(row, bench, async () => {
    const before = await pacedTokens(bench)
    await sleep(pacedMs)
    return (await pacedTokens(bench)) - before
  })
  expectWords(await command(bench, { do: 'finish' }), tokens)
  return figure
}

async function pacedTokens(bench: Bench): Promise<number> {
  return (await bench.provider.ask<{ pacedTokens: number }>({})).pacedTokens
}

/** Resident memory that open streams add, in KB each: each has its own run, its first token has come, and all is quiet. */
export async function measureFollowers(row: Row, bench: Bench): Promise<Figure | null> {
  if (row.pid === null) return null
  const { followers } = bench.amounts
  // A server in use: its young generation has grown to its full size, which is no stream's fault.
  await warmUp(row, bench)
  await sleep(2500)
  const before = residentKbOf(row.pid)
  const target = row.target('[[quiet]]', { stream: true })
  await command(bench, { do: 'open', target, count: followers, staggerMs: 0 })
  await sleep(2500)
  const value = (residentKbOf(row.pid) - before) / followers
  await command(bench, { do: 'drop' })
  return { value }
}

/** Figures of a server that loses tokens mean nothing. */
function expectWords(report: LoadReport, count: number): void {
  const found = report.sample.split('word ').length - 1
  if (found !== count)
    throw new Error(`an answer had ${found} of ${count} tokens: ${report.sample.slice(0, 300)}`)
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  if (sorted.length === 0) return Number.NaN
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2
}

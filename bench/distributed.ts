// npm run bench:distributed: what the queue, a worker apart and Redis cost beside the path inside one process, in one run of
// about three and a half minutes. Needs redis-server on the PATH. Option: --only firstToken,jobs,streaming,followers,relays
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { startRedis } from '../test/support/redis.ts'
import { type Bench, measureFollowers } from './columns.ts'
import { askNow, askQueued } from './distributed/asking.ts'
import {
  measureBareJobs,
  measureFast,
  measureFirstTokens,
  measureJobs,
  measurePaced,
  type Streaming,
} from './distributed/measures.ts'
import { climb } from './distributed/relays.ts'
import { machineLine, type Result, tableOf } from './distributed/report.ts'
import { openWorld, type World } from './distributed/worlds.ts'
import type { Target } from './load.ts'
import { runToEnd } from './main.ts'
import { cpuMsOf, familyCpuMsOf, startWorker } from './processes.ts'
import { requestOf } from './rows.ts'

const { values: options } = parseArgs({ options: { only: { type: 'string' } } })
const wanted = (key: string) => options.only?.split(',').includes(key) ?? true
const stack = new AsyncDisposableStack()
const say = (text: string) => process.stdout.write(text)

/** Everything that runs while it is measured. */
interface Stage {
  embedded: World
  redis: World
  redisUrl: string
  redisPid: number
  providerPort: number
  bench: Bench
}

async function open(): Promise<Stage> {
  const redisServer = await startRedis()
  stack.defer(() => redisServer.close())
  const { worker: provider, hello } = await startWorker<{ port: number }>('./provider.ts')
  stack.defer(() => provider.stop())
  const { worker: client } = await startWorker('./client.ts')
  stack.defer(() => client.stop())
  const shared = { providerPort: hello.port, stack }
  const embedded = await openWorld({ ...shared, label: 'one process', redisUrl: null })
  const redis = await openWorld({ ...shared, label: 'worker and Redis', redisUrl: redisServer.url })
  const amounts = { warmUpRequests: 4000, latencyRequests: 0, requests: 0, pacedMs: 0, longAnswers: 0 }
  return {
    providerPort: hello.port,
    ...{ embedded, redis, redisUrl: redisServer.url, redisPid: await pidOfRedis(redisServer.url) },
    bench: { client, provider, postmaster: 0, amounts: { ...amounts, followers: 1000 } },
  }
}

async function pidOfRedis(url: string): Promise<number> {
  const connection = new Redis(url)
  const [, pid] = /process_id:(\d+)/.exec(await connection.info('server')) ?? []
  connection.disconnect()
  return Number(pid)
}

async function firstTokens({ embedded, redis }: Stage): Promise<Result[]> {
  const results: Result[] = []
  for (const [world, goal] of [
    [embedded, 20],
    [redis, 10],
  ] as const) {
    const { now, queued } = await measureFirstTokens(world)
    results.push({
      what: `queue to first token, ${world === redis ? 'Redis' : 'embedded Postgres'}`,
      goal: `≤ ${goal} ms more`,
      figure: `${(queued - now).toFixed(1)} ms (${queued.toFixed(1)} queued, ${now.toFixed(1)} interactive)`,
      isMet: queued - now <= goal,
    })
  }
  return results
}

async function jobs(stage: Stage): Promise<Result[]> {
  const { redis, redisUrl, redisPid, bench } = stage
  const { worker } = await startWorker('./distributed/bare-queue.ts', { REDIS_URL: redisUrl })
  await using ending = new AsyncDisposableStack()
  ending.defer(() => worker.stop())
  const floor = await openJobsFloor(stage, ending)
  await measureBareJobs(redisUrl, worker, false)
  await measureJobs(floor)
  await measureJobs(redis)
  const shared = {
    postgres: () => familyCpuMsOf(redis.postmaster),
    redis: () => cpuMsOf(redisPid),
    provider: () => cpuMsOf(bench.provider.pid),
    client: () => cpuMsOf(process.pid),
  }
  const { server, worker: working } = redis
  const whole = await measureJobs(redis, {
    server: () => cpuMsOf(server.pid),
    worker: () => cpuMsOf(working?.pid ?? 0),
    ...shared,
  })
  const least = await measureJobs(floor, { ...floor.clocks, ...shared })
  const bare = await measureBareJobs(redisUrl, worker, false)
  const waited = await measureBareJobs(redisUrl, worker, true)
  const results: Result[] = []
  for (const [what, { perSecond, costs }] of [
    ['jobs a second against bare BullMQ', whole],
    ['the same, the floor of jobs', least],
  ] as const) {
    say(`  ${what}: a job costs ${costs.map(({ name, us }) => `${name} ${us.toFixed(0)}`).join(', ')} µs\n`)
    const figure = `${(perSecond / bare).toFixed(2)} (${perSecond.toFixed(0)}/s, BullMQ alone ${bare.toFixed(0)}/s, ${waited.toFixed(0)}/s when each job is waited for)`
    results.push({ what, goal: '≥ 0.25', figure, isMet: perSecond / bare >= 0.25 })
  }
  return results
}

/** The least that a job can cost with BullMQ, Postgres and Redis: a server and a worker that are written for it alone. */
async function openJobsFloor({ redis, redisUrl, providerPort }: Stage, ending: AsyncDisposableStack) {
  const environment = {
    REDIS_URL: redisUrl,
    OPENAI_BASE_URL: `http://127.0.0.1:${providerPort}/v1`,
    FLOOR_DATABASE_URL: await redis.createDatabase('bench_jobs_floor'),
  }
  const begin = async <Hello>(role: string) => {
    const started = await startWorker<Hello>('./servers/jobs-floor.ts', { ...environment, FLOOR_ROLE: role })
    ending.defer(() => started.worker.stop())
    return started
  }
  const server = await begin<{ port: number }>('server')
  const worker = await begin('worker')
  const clocks = { server: () => cpuMsOf(server.worker.pid), worker: () => cpuMsOf(worker.worker.pid) }
  return { port: server.hello.port, callers: redis.callers, clocks }
}

async function streaming({ embedded, redis, redisPid, bench }: Stage): Promise<Result[]> {
  const { provider } = bench
  const inside: Streaming = { world: embedded, ask: askNow, pids: [embedded.server.pid], provider }
  const pids = [redis.server.pid, redis.worker?.pid ?? 0, redisPid]
  const apart: Streaming = { world: redis, ask: askQueued, pids, provider }
  const results: Result[] = []
  for (const [what, measure] of [
    ['paced, 40 streams', measurePaced],
    ['as fast as it goes', measureFast],
  ] as const) {
    await measure(inside)
    await measure(apart)
    const here = await measure(inside)
    const before = pids.map(cpuNow)
    const there = await measure(apart)
    const taken = pids.map((pid, index) => cpuNow(pid) - (before[index] ?? 0))
    say(`  ${what}: server, worker and Redis took ${taken.join(', ')} ms\n`)
    const figure = `${(there / here).toFixed(2)} (${thousands(there)} k, inside one process ${thousands(here)} k)`
    const isMet = there / here >= 0.5
    results.push({ what: `tokens for a CPU second, ${what}`, goal: '≥ 0.5', figure, isMet })
  }
  return results
}

const cpuNow = (pid: number) => cpuMsOf(pid)
const thousands = (value: number) => (value / 1000).toFixed(1)

async function followers({ embedded, bench }: Stage): Promise<Result[]> {
  const kb = await measureFollowers(
    {
      ...{ name: 'atelier', label: '', pid: embedded.server.pid },
      target: (asked, { stream }) => ({
        port: embedded.port,
        path: '/api/v1/generations',
        // Runs that nobody ends would fail one by one in the midst of what is measured next.
        requests: requestsTo(embedded, { message: asked, stream, onDisconnect: 'cancel' }),
        firstMark: stream ? '"type":"text-delta"' : '"status":"completed"',
        endMark: '"status":"completed"',
      }),
      rewind: async () => {},
      stop: async () => {},
    },
    bench,
  )
  const mb = ((kb?.value ?? Number.NaN) * bench.amounts.followers) / 1024
  const figure = `${mb.toFixed(0)} MB`
  return [{ what: '1,000 open idle followers', goal: '≤ 60 MB', figure, isMet: mb <= 60 }]
}

function requestsTo(world: World, body: object): Target['requests'] {
  const { headers, body: text } = requestOf(JSON.stringify(body))
  return world.callers.map(({ token }) => ({
    headers: { ...headers, authorization: `Bearer ${token}` },
    body: text,
  }))
}

const stamped = '[[100000 stamped 50]]'

async function relays({ embedded, bench, providerPort }: Stage): Promise<Result[]> {
  const { worker: proxy, hello } = await startWorker<{ port: number }>('./servers/bare-proxy.ts', {
    OPENAI_BASE_URL: `http://127.0.0.1:${providerPort}/v1`,
  })
  await using ending = new AsyncDisposableStack()
  ending.defer(() => proxy.stop())
  const chat = { model: 'bench', messages: [{ role: 'user', content: stamped }], stream: true }
  const { pid: provider } = bench.provider
  const bare = await climb({
    target: { port: hello.port, path: '/v1/chat/completions', requests: [requestOf(JSON.stringify(chat))] },
    pids: { relay: proxy.pid, provider },
    say,
  })
  const asked = { message: stamped, stream: true, onDisconnect: 'cancel' }
  const atelier = await climb({
    target: { port: embedded.port, path: '/api/v1/generations', requests: requestsTo(embedded, asked) },
    pids: { relay: embedded.server.pid, provider },
    say,
  })
  const ratio = atelier / bare
  const figure = `${ratio.toFixed(2)} (${atelier} streams, bare node:http ${bare})`
  const isMet = ratio >= 0.5
  return [{ what: 'streams of 20 tokens/s, p99 delay ≤ 250 ms', goal: '≥ 0.5', figure, isMet }]
}

const parts = { followers, firstToken: firstTokens, jobs, streaming, relays }

async function main(): Promise<void> {
  say('opening a server on embedded Postgres, and a server and a worker on Redis\n')
  const stage = await open()
  const results: Result[] = []
  for (const [key, measure] of Object.entries(parts)) {
    if (!wanted(key)) continue
    say(`measuring ${key}\n`)
    results.push(...(await measure(stage)))
  }
  say(`\n${machineLine()}\n\n${tableOf(results)}\n`)
}

await runToEnd(main, stack)

// The load client, a process of its own: runs LoadCommands that arrive as process messages, one after another.
import http from 'node:http'
import type { LoadCommand, LoadReport, Target } from './load.ts'

const agent = new http.Agent({ keepAlive: true, maxFreeSockets: 2000, scheduling: 'lifo' })
let open: Exchange[] = []

interface Outcome {
  firstTokenMs: number
  body: string
  failure: string | null
}

interface Exchange {
  request: http.ClientRequest
  outcome: Outcome
  first: Promise<void>
  done: Promise<Outcome>
}

/** Sends one request; `first` resolves at its first token (or its end), `done` at its end. */
function exchange(target: Target, index: number): Exchange {
  const { headers = {}, body = '' } = target.requests[index % target.requests.length] ?? {}
  const started = performance.now()
  const first = Promise.withResolvers<void>()
  const done = Promise.withResolvers<Outcome>()
  const outcome: Outcome = { firstTokenMs: Number.NaN, body: '', failure: null }
  const finish = (failure: string | null) => {
    outcome.failure = failure
    first.resolve()
    done.resolve(outcome)
  }
  const request = http.request({
    host: '127.0.0.1',
    port: target.port,
    path: target.path,
    method: 'POST',
    headers,
    agent,
  })
  request.on('error', error => finish(error.message))
  request.on('response', response => {
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      outcome.body += text
      if (!Number.isNaN(outcome.firstTokenMs) || !outcome.body.includes(target.firstMark)) return
      outcome.firstTokenMs = performance.now() - started
      first.resolve()
    })
    response.on('end', () => {
      const isWhole =
        response.statusCode === 200 && outcome.body.includes(target.endMark, outcome.body.length - 2000)
      finish(isWhole ? null : `${response.statusCode}: ${outcome.body.slice(-500)}`)
    })
    response.on('error', error => finish(error.message))
  })
  request.end(body)
  return { request, outcome, first: first.promise, done: done.promise }
}

function report(outcomes: readonly Outcome[], started: number): LoadReport {
  return {
    firstTokenMs: outcomes.map(outcome => outcome.firstTokenMs),
    durationMs: performance.now() - started,
    failures: [...new Set(outcomes.flatMap(outcome => outcome.failure ?? []))],
    sample: outcomes.at(-1)?.body ?? '',
  }
}

async function run(target: Target, count: number, concurrency: number): Promise<LoadReport> {
  const started = performance.now()
  const outcomes: Outcome[] = []
  let next = 0
  const lane = async () => {
    while (next < count) {
      const outcome = await exchange(target, next++).done
      outcomes.push(outcomes.length === count - 1 ? outcome : { ...outcome, body: '' })
    }
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
  return report(outcomes, started)
}

async function openAll(target: Target, count: number, staggerMs: number): Promise<LoadReport> {
  const started = performance.now()
  for (let index = 0; index < count; index++) {
    open.push(exchange(target, index))
    if (staggerMs > 0) await new Promise(resolve => setTimeout(resolve, staggerMs))
    else if (index % 20 === 19) await Promise.all(open.slice(-20).map(each => each.first))
  }
  await Promise.all(open.map(each => each.first))
  const outcomes = open.map(each => each.outcome)
  return report(outcomes, started)
}

async function finishAll(): Promise<LoadReport> {
  const started = performance.now()
  const outcomes = await Promise.all(open.map(each => each.done))
  open = []
  return report(outcomes, started)
}

async function dropAll(): Promise<LoadReport> {
  for (const { request } of open) request.destroy()
  const { durationMs } = await finishAll()
  return { firstTokenMs: [], durationMs, failures: [], sample: '' }
}

function obey(command: LoadCommand): Promise<LoadReport> {
  switch (command.do) {
    case 'run':
      return run(command.target, command.count, command.concurrency)
    case 'open':
      return openAll(command.target, command.count, command.staggerMs)
    case 'finish':
      return finishAll()
    case 'drop':
      return dropAll()
  }
}

process.on('message', (command: LoadCommand) => {
  obey(command).then(done => process.send?.(done))
})
process.on('disconnect', () => process.exit(0))
process.send?.({ ready: true })

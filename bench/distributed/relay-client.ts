// Reads many streams of stamped tokens, and tells how long tokens took from the provider to here.
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RelayCommand, RelayReport, RelayTarget } from './relays.ts'

let delays: number[] = []
let isMeasuring = false
const failures = new Set<string>()
let opened = 0

/** Opens one stream; resolves when its first bytes have come. */
function open(target: RelayTarget): Promise<void> {
  const { headers = {}, body = '' } = target.requests[opened++ % target.requests.length] ?? {}
  const { promise, resolve } = Promise.withResolvers<void>()
  const { port, path } = target
  const request = http.request({ host: '127.0.0.1', port, path, method: 'POST', headers, agent: false })
  request.on('error', error => fail(error.message, resolve))
  request.on('response', response => {
    if (response.statusCode !== 200) fail(`status ${response.statusCode}`, resolve)
    let rest = ''
    response.setEncoding('latin1')
    response.on('data', (chunk: string) => {
      resolve()
      const text = rest + chunk
      const now = performance.timeOrigin + performance.now()
      let end = 0
      for (const match of text.matchAll(/@(\d+\.\d)@/g)) {
        end = match.index + match[0].length
        if (isMeasuring) delays.push(now - Number(match[1]))
      }
      rest = text.slice(Math.max(end, text.length - 20))
    })
    response.on('end', () => fail('a stream ended', resolve))
    response.on('error', error => fail(error.message, resolve))
  })
  request.end(body)
  return promise
}

function fail(reason: string, resolve: () => void): void {
  failures.add(reason)
  resolve()
}

async function add(target: RelayTarget, count: number): Promise<void> {
  const opening: Promise<void>[] = []
  for (let index = 0; index < count; index++) {
    opening.push(open(target))
    await sleep(2)
  }
  await Promise.all(opening)
}

async function measure(ms: number): Promise<RelayReport> {
  delays = []
  isMeasuring = true
  await sleep(ms)
  isMeasuring = false
  const sorted = Float64Array.from(delays).sort()
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.POSITIVE_INFINITY
  return { p50Ms: at(0.5), p99Ms: at(0.99), tokens: sorted.length, failures: [...failures] }
}

process.on('message', (command: RelayCommand) => {
  const done = command.do === 'add' ? add(command.target, command.count) : measure(command.ms)
  done.then(report => process.send?.(report ?? { isDone: true }))
})
process.on('disconnect', () => process.exit(0))
process.send?.({ isReady: true })

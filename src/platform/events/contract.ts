import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { newId } from '../../lib/ids.ts'
import type { EventLogs, LogEvent } from './index.ts'

/** Event logs as two processes have them; the same ones twice where there is only one process. */
export interface EventProcesses {
  writing: EventLogs
  reading: EventLogs
}

/** All events of some batches. */
export async function collect(batches: AsyncIterable<readonly LogEvent[]> | null): Promise<LogEvent[]> {
  const events: LogEvent[] = []
  for await (const batch of batches ?? []) events.push(...batch)
  return events
}

/** The text of some events, with a mark for each that is none. */
export function textOf(events: readonly LogEvent[]): string {
  return events.map(event => event.text ?? '§').join('')
}

/** Follows a log that may not have arrived yet. */
export async function followSoon(
  logs: EventLogs,
  id: string,
  request: { after: number; signal?: AbortSignal },
): Promise<AsyncIterable<readonly LogEvent[]>> {
  for (let attempt = 0; attempt < 400; attempt++) {
    const found = await logs.follow(id, request)
    if (found) return found
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  throw new Error(`the log ${id} did not arrive`)
}

/** As JSON carries it: what no wire can carry, -0, is not asked of a log. */
const asJson = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown

const anyEvent = fc.oneof(
  fc.record({
    type: fc.constant('text-delta'),
    text: fc.string({ minLength: 1, maxLength: 9, unit: 'binary' }),
  }),
  fc.record({ type: fc.constant('reasoning-delta'), text: fc.string({ minLength: 1, maxLength: 4 }) }),
  fc.record({ type: fc.constant('mark'), value: fc.jsonValue().map(asJson) }),
)

const pause = () => new Promise(resolve => setImmediate(resolve))

/** What event logs promise to readers of any process. */
export function eventLogsContract(open: () => Promise<EventProcesses>, numRuns = 100): void {
  let there: EventProcesses
  beforeAll(async () => {
    there = await open()
  })
  afterAll(async () => {
    await there.writing.close()
    await there.reading.close()
  })

  describe('event logs', () => {
    test('a log that nobody opened is not there', async () => {
      expect(await there.reading.follow(newId(), { after: 0 })).toBeNull()
      expect(await there.reading.read(newId(), 0)).toBeNull()
    })

    test('however they are written, from every position a reader gets exactly what it missed', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(anyEvent, fc.boolean()), { minLength: 1, maxLength: 25 }),
          fc.nat({ max: 150 }),
          async (events, wanted) => {
            const id = newId()
            const log = there.writing.open(id)
            const early = events[0] && log.append(events[0][0])
            const live = followSoon(there.reading, id, { after: 0 }).then(collect)
            for (const [event, isPause] of events.slice(1)) {
              if (isPause) await pause()
              log.append(event)
            }
            log.end()
            const written = await collect(await there.writing.follow(id, { after: 0 }))
            const whole = await live
            expect(early?.seq).toBeGreaterThan(0)
            expect(textOf(whole)).toBe(textOf(written))
            expect(whole.filter(event => event.text === undefined)).toEqual(
              written.filter(event => event.text === undefined),
            )
            expect(whole.at(-1)?.seq).toBe(log.seq)
            const after = Math.min(wanted, log.seq)
            const rest = await collect(await there.reading.follow(id, { after }))
            expect(textOf(rest)).toBe(textOf(whole).slice(after))
            const page = await there.reading.read(id, after)
            expect(textOf(page?.events ?? [])).toBe(textOf(rest))
            expect(page?.isEnded).toBe(true)
          },
        ),
        { numRuns },
      )
    })

    test('a reader waits for what comes, and ends with the log', async () => {
      const id = newId()
      const log = there.writing.open(id)
      log.append({ type: 'start' })
      const batches = (await followSoon(there.reading, id, { after: 0 }))[Symbol.asyncIterator]()
      expect((await batches.next()).value).toEqual([{ seq: 1, type: 'start' }])
      const next = batches.next()
      log.append({ type: 'text-delta', text: 'a' })
      log.append({ type: 'text-delta', text: 'b' })
      expect((await next).value).toEqual([{ seq: 3, type: 'text-delta', text: 'ab' }])
      expect(await there.reading.read(id, 2)).toEqual({
        events: [{ seq: 3, type: 'text-delta', text: 'b' }],
        isEnded: false,
      })
      const last = batches.next()
      log.end()
      expect(await last).toEqual({ value: undefined, done: true })
    })

    test('a reader that leaves stops waiting, and others go on', async () => {
      const id = newId()
      const log = there.writing.open(id)
      log.append({ type: 'start' })
      const controller = new AbortController()
      const leaving = followSoon(there.reading, id, { after: 1, signal: controller.signal }).then(collect)
      const staying = followSoon(there.reading, id, { after: 0 }).then(collect)
      await pause()
      controller.abort()
      expect(await leaving).toEqual([])
      log.append({ type: 'text-delta', text: 'more' })
      log.end()
      expect(textOf(await staying)).toBe('§more')
    })

    test('who waits for a log is told when it is opened, also when it ended before', async () => {
      const id = newId()
      const logs = there.reading
      const waited = async (withinMs: number) => {
        const startedAt = performance.now()
        await logs.opened(id, { withinMs })
        return performance.now() - startedAt
      }
      expect(await waited(100)).toBeGreaterThan(90)
      const waiting = [waited(5000), waited(5000)]
      await new Promise(resolve => setTimeout(resolve, 50))
      const first = there.writing.open(id)
      first.append({ type: 'text-delta', text: 'first' })
      for (const each of await Promise.all(waiting)) expect(each).toBeLessThan(4000)
      expect(await waited(5000)).toBeLessThan(4000)
      first.end()
      await collect(await followSoon(logs, id, { after: 0 }))
      // Another process may hear of the end a little after its readers do.
      await vi.waitFor(async () => expect(await waited(100)).toBeGreaterThan(90), { timeout: 5000 })
      const again = waited(5000)
      await new Promise(resolve => setTimeout(resolve, 50))
      const second = there.writing.open(id)
      second.append({ type: 'attempt-start', span: 5 })
      second.append({ type: 'text-delta', text: 'second' })
      expect(await again).toBeLessThan(4000)
      const rest = followSoon(logs, id, { after: 5 }).then(collect)
      second.end()
      expect(textOf(await rest)).toBe('second')
      const controller = new AbortController()
      const leaving = logs.opened(newId(), { withinMs: 60_000, signal: controller.signal })
      controller.abort()
      await leaving
    })

    test('many followers of one log all get it whole', async () => {
      const id = newId()
      const log = there.writing.open(id)
      log.append({ type: 'start' })
      const followers = Array.from({ length: 50 }, (_, index) =>
        followSoon(there.reading, id, { after: index % 2 }).then(collect),
      )
      for (let index = 0; index < 200; index++) {
        log.append({ type: 'text-delta', text: `${index} ` })
        if (index % 20 === 0) await pause()
      }
      log.end()
      const whole = Array.from({ length: 200 }, (_, index) => `${index} `).join('')
      for (const [index, events] of (await Promise.all(followers)).entries()) {
        expect(textOf(events)).toBe(index % 2 === 0 ? `§${whole}` : whole)
      }
    })
  })
}

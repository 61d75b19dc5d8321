import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { eventLogsContract } from './contract.ts'
import type { LogEvent } from './index.ts'
import { createMemoryEventLogs } from './memory.ts'

async function collect(batches: AsyncIterable<readonly LogEvent[]> | null): Promise<LogEvent[]> {
  const events: LogEvent[] = []
  for await (const batch of batches ?? []) events.push(...batch)
  return events
}

const textOf = (events: readonly LogEvent[]) => events.map(event => event.text ?? '').join('')

const anyEvent = fc.oneof(
  fc.record({ type: fc.constant('text-delta'), text: fc.string({ minLength: 1, maxLength: 9 }) }),
  fc.constant({ type: 'mark' }),
)

describe('memory event logs', () => {
  eventLogsContract(async () => {
    const logs = createMemoryEventLogs()
    return { writing: logs, reading: logs }
  })

  test('a log that nobody opened is not there', async () => {
    const logs = createMemoryEventLogs()
    expect(await logs.follow('unknown', { after: 0 })).toBeNull()
    expect(await logs.read('unknown', 0)).toBeNull()
  })

  test('positions count text by its length and other events as one', () => {
    const log = createMemoryEventLogs().open('a')
    expect(log.append({ type: 'start' }).seq).toBe(1)
    expect(log.append({ type: 'text-delta', text: 'héllo' }).seq).toBe(6)
    expect(log.append({ type: 'end' }).seq).toBe(7)
  })

  test('from every position a reader gets exactly what it missed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyEvent, { maxLength: 30 }),
        fc.nat({ max: 200 }),
        async (events, wanted) => {
          const logs = createMemoryEventLogs()
          const log = logs.open('a')
          for (const event of events) log.append(event)
          log.end()
          const whole = await collect(await logs.follow('a', { after: 0 }))
          const after = Math.min(wanted, log.seq)
          const rest = await collect(await logs.follow('a', { after }))
          const isKept = (event: LogEvent) => event.seq > after
          expect(rest.filter(event => event.text === undefined)).toEqual(
            whole.filter(event => event.text === undefined && isKept(event)),
          )
          const seen = (await logs.read('a', 0))?.events ?? []
          const size = (list: readonly LogEvent[]) =>
            list.reduce((sum, event) => sum + (event.text?.length ?? 1), 0)
          expect(size(rest)).toBe(log.seq - after)
          expect(textOf(whole).endsWith(textOf(rest))).toBe(true)
          expect(seen).toEqual(whole)
        },
      ),
    )
  })

  test('a waiting reader gets what comes in one step together, and ends with the log', async () => {
    const logs = createMemoryEventLogs()
    const log = logs.open('a')
    const batches: number[] = []
    const reading = (async () => {
      for await (const batch of (await logs.follow('a', { after: 0 })) ?? []) batches.push(batch.length)
    })()
    await new Promise(resolve => setImmediate(resolve))
    log.append({ type: 'text-delta', text: 'a' })
    log.append({ type: 'text-delta', text: 'b' })
    await new Promise(resolve => setImmediate(resolve))
    log.append({ type: 'mark' })
    log.end()
    await reading
    expect(batches).toEqual([1, 1])
  })

  test('a late reader gets a long log in pieces', async () => {
    const logs = createMemoryEventLogs()
    const log = logs.open('a')
    for (let i = 0; i < 300; i++) log.append({ type: 'text-delta', text: 'x'.repeat(1000) })
    log.append({ type: 'text-delta', text: 'y'.repeat(100_000) })
    log.end()
    const sizes: number[] = []
    for await (const batch of (await logs.follow('a', { after: 500 })) ?? []) {
      sizes.push(batch.reduce((sum, event) => sum + (event.text?.length ?? 1), 0))
    }
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(log.seq - 500)
    expect(Math.max(...sizes.slice(0, -1))).toBeLessThanOrEqual(65_536)
  })

  test('a reader that leaves stops waiting', async () => {
    const logs = createMemoryEventLogs()
    logs.open('a')
    const controller = new AbortController()
    const reading = collect(await logs.follow('a', { after: 0, signal: controller.signal }))
    controller.abort()
    expect(await reading).toEqual([])
  })

  test('an ended log takes nothing more', () => {
    const log = createMemoryEventLogs().open('a')
    log.end()
    expect(() => log.append({ type: 'late' })).toThrow(/ended/)
  })
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { portions, type StreamedEvent } from './portions.ts'

const limit = 32_768

/** Events with rising positions, some longer than a portion, with characters of one and of two units. */
const anyBatch = fc
  .array(
    fc.oneof(
      fc.record({
        type: fc.constantFrom('text-delta', 'reasoning-delta', 'text-snapshot'),
        unit: fc.constantFrom('a', '🎈', 'é'),
        count: fc.oneof(fc.nat({ max: 20 }), fc.integer({ min: 10_000, max: 90_000 })),
      }),
      fc.constant({ type: 'mark' }),
    ),
    { maxLength: 8 },
  )
  .map(list => {
    let seq = 0
    return list.map((each): StreamedEvent => {
      const text = 'unit' in each ? each.unit.repeat(each.count) : undefined
      seq += text?.length ?? 1
      return { seq, type: each.type, ...(text === undefined ? {} : { text }) }
    })
  })

function joined(events: readonly StreamedEvent[]): StreamedEvent[] {
  const result: StreamedEvent[] = []
  for (const event of events) {
    const last = result.at(-1)
    if (event.text !== undefined && last?.text !== undefined && last.type === event.type)
      result[result.length - 1] = { ...event, text: last.text + event.text }
    else result.push({ ...event })
  }
  return result
}

test('portions are the same events in pieces that are small, whole characters, and told their true positions', () => {
  fc.assert(
    fc.property(anyBatch, batch => {
      const parts = [...portions(batch)]
      const all = parts.flat()
      expect(joined(all)).toEqual(joined(batch))
      for (const part of parts) {
        const sizes = part.map(event => event.text?.length ?? 1)
        const isOneWhole = part.length === 1 && part[0]?.type === 'text-snapshot'
        if (!isOneWhole) expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(limit)
      }
      for (const event of all) expect(event.text?.isWellFormed() ?? true).toBe(true)
      const ends = new Set(batch.map(event => event.seq))
      let position = 0
      for (const event of all) {
        position += event.text?.length ?? 1
        if (ends.has(event.seq)) expect(event.seq).toBe(position)
      }
    }),
    { numRuns: 60 },
  )
})

test('a small event is handed on as it is', () => {
  const batch = [{ seq: 2, type: 'text-delta', text: 'hi' }]
  expect([...portions(batch)][0]).toBe(batch)
})

import { expect, test } from 'vitest'
import type { LogEvent } from '../../platform/events/index.ts'
import { replay } from './replay.ts'
import { crashSpan } from './schema.ts'
import type { StoredLog } from './store.ts'

const start: LogEvent = { seq: 1, type: 'generation-start' }

/** A log whose process died when so much of it had been kept. */
function diedAfter(text: string, marks: LogEvent[]): StoredLog {
  const kept = text.length + marks.length
  const lastSeq = kept + crashSpan
  const end = { seq: lastSeq, span: crashSpan, type: 'generation-end', status: 'interrupted' }
  return {
    content: text,
    replyOffset: 0,
    status: 'interrupted',
    lastSeq,
    marks: [...marks, end],
  } as StoredLog
}

test('whoever is ahead of what was kept gets the kept text as a whole and the end, however little he is ahead', () => {
  for (const stored of [diedAfter('', []), diedAfter('The sea', [start])]) {
    const kept = stored.lastSeq - crashSpan
    for (const ahead of [1, 2, 3, 1000]) {
      const events = replay(stored, kept + ahead)
      expect(events.map(event => event.type)).toEqual(['text-snapshot', 'generation-end'])
      expect(events[0]?.text).toBe(stored.content)
      expect(events[1]?.seq).toBe((events[0]?.seq ?? 0) + 1)
      // One that leaves between the two is told both again.
      expect(replay(stored, events[0]?.seq ?? 0).map(event => event.type)).toContain('generation-end')
    }
  }
})

test('whoever is not ahead gets the rest and the end, and at the end nothing', () => {
  const stored = diedAfter('The sea', [start])
  expect(replay(stored, 0).map(event => event.type)).toEqual([
    'generation-start',
    'text-delta',
    'generation-end',
  ])
  expect(replay(stored, 5)[0]).toMatchObject({ text: 'sea', seq: 8 })
  expect(replay(stored, 8).map(event => event.type)).toEqual(['generation-end'])
  expect(replay(stored, stored.lastSeq)).toEqual([])
})

test('between two attempts of a job there is no text, until the next attempt writes behind it', () => {
  const stored = {
    content: '',
    replyOffset: 0,
    status: 'running',
    lastSeq: 900,
    marks: [] as LogEvent[],
  } as unknown
  expect(replay(stored as StoredLog, 0)).toEqual([])
})

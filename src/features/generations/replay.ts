import { type LogEvent, restOf, sizeOf } from '../../platform/events/index.ts'
import type { StoredLog } from './store.ts'

/**
 * The events of a stored generation after a position, rebuilt from its text and marks: the gaps between the marks are
 * text. A reader that is ahead of what was kept (the last second before a crash) is told the kept text as a whole.
 */
export function replay(stored: StoredLog, after: number): LogEvent[] {
  const marksSize = stored.marks.reduce((sum, mark) => sum + sizeOf(mark), 0)
  const text = stored.content.slice(stored.replyOffset, stored.replyOffset + stored.lastSeq - marksSize)
  if (isAhead(stored, after)) return aheadOf(stored, text)
  const events: LogEvent[] = []
  let position = 0
  let taken = 0
  const writeTextUpTo = (end: number) => {
    if (end <= position) return
    const piece = text.slice(taken, taken + end - position)
    taken += piece.length
    position = end
    // Between two attempts of a job there is a position, but no text: the next attempt writes behind it.
    if (piece !== '') events.push({ seq: end, type: 'text-delta', text: piece })
  }
  for (const mark of stored.marks) {
    writeTextUpTo(mark.seq - sizeOf(mark))
    events.push(mark)
    position = mark.seq
  }
  writeTextUpTo(stored.lastSeq)
  return events.filter(event => event.seq > after).map(event => restOf(event, after))
}

/** Whether a reader has seen text that was not kept. */
function isAhead({ status, marks, lastSeq }: StoredLog, after: number): boolean {
  if (!isFinal(status)) return false
  const last = marks.at(-1)
  const keptUntil = last?.type === 'generation-end' ? last.seq - sizeOf(last) : lastSeq
  return after > keptUntil && after < lastSeq
}

/** The kept text as a whole, and the end at its own position: whoever has that has everything. */
function aheadOf(stored: StoredLog, text: string): LogEvent[] {
  const snapshot = { seq: stored.lastSeq - 1, type: 'text-snapshot', text }
  const end = stored.marks.findLast(mark => mark.type === 'generation-end')
  return end ? [snapshot, end] : [snapshot]
}

/** Whether a status never changes again. */
export function isFinal(status: StoredLog['status']): boolean {
  return status !== 'queued' && status !== 'running'
}

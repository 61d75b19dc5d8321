/** An event of a log as wires see it: a position, a type, and perhaps text. */
export interface StreamedEvent {
  seq: number
  type: string
  text?: string
}

const defaultMaxLength = 32_768

/**
 * Cuts a batch into portions of at most 32,768 UTF-16 units of text (or fewer), so that a reader who takes nothing costs
 * no more than one. Only texts that mean the same in pieces (`…-delta`) are cut, never inside a character.
 */
export function* portions<Event extends StreamedEvent>(
  batch: readonly Event[],
  maxLength: number = defaultMaxLength,
): Generator<readonly Event[]> {
  if (batch.length === 1 && (batch[0]?.text?.length ?? 0) <= maxLength) {
    yield batch
    return
  }
  let portion: Event[] = []
  let length = 0
  for (const event of batch) {
    for (const piece of pieces(event, maxLength)) {
      const size = piece.text?.length ?? 1
      if (length + size > maxLength && portion.length > 0) {
        yield portion
        portion = []
        length = 0
      }
      portion.push(piece)
      length += size
    }
  }
  if (portion.length > 0) yield portion
}

function* pieces<Event extends StreamedEvent>(event: Event, maxLength: number): Generator<Event> {
  const { text } = event
  if (text === undefined || text.length <= maxLength || !event.type.endsWith('-delta')) {
    yield event
    return
  }
  const start = event.seq - text.length
  for (let from = 0; from < text.length; ) {
    const to = characterEnd(text, from + maxLength)
    yield { ...event, seq: start + to, text: text.slice(from, to) }
    from = to
  }
}

/** The nearest place at or before `at` where no pair of surrogates is torn. */
function characterEnd(text: string, at: number): number {
  if (at >= text.length) return text.length
  const before = text.charCodeAt(at - 1)
  return before >= 0xd800 && before <= 0xdbff ? at - 1 : at
}

/**
 * One event of a log. `seq` is the log's length after the event: an event that carries `text` adds its length in UTF-16
 * units, one with a `span` adds that, any other adds 1. So any position can be resumed from, joined events mean the same as single ones, and the
 * whole log can be rebuilt from the text and the few events between (see docs/decisions on log positions).
 */
export interface LogEvent {
  seq: number
  type: string
  text?: string
  span?: number
  [field: string]: unknown
}

/** The live part of event logs: what is being written now, shared between those who read it. */
export interface EventLogs {
  /** Opens a log for writing; there is one writer. */
  open(id: string): EventLogWriter
  /** What is there now after a position, without waiting; null when the log is not live anywhere. */
  read(id: string, after: number): Promise<{ events: readonly LogEvent[]; isEnded: boolean } | null>
  /**
   * Events after position `after`, in batches of what is ready (of about 64k at most, so that a slow reader holds no
   * more), until the log ends or `signal` aborts; null when the log is not live anywhere. A position inside a text event
   * gives the rest of that text.
   */
  follow(
    id: string,
    options: { after: number; signal?: AbortSignal },
  ): Promise<AsyncIterable<readonly LogEvent[]> | null>
  /**
   * Resolves when a log of this id is being written, by whatever process: at once if it is so already, else when it is
   * opened, and in any case after `withinMs` or when `signal` aborts.
   */
  opened(id: string, options: { withinMs: number; signal?: AbortSignal }): Promise<void>
  close(): Promise<void>
}

export interface EventLogWriter {
  /** Position after the last event. */
  readonly seq: number
  /** Appends one event; its `seq` is assigned here and returned. */
  append(event: { type: string; text?: string; span?: number; [field: string]: unknown }): LogEvent
  /** No more events; readers end after the last one, and the log is forgotten a little later. */
  end(): void
}

/** How far an event moves its log's position. */
export function sizeOf(event: { text?: string; span?: number }): number {
  return event.text === undefined ? (event.span ?? 1) : event.text.length
}

/** What remains of an event for a reader that already has everything up to a position. */
export function restOf(event: LogEvent, position: number): LogEvent {
  if (event.text === undefined) return event
  const seen = position - (event.seq - event.text.length)
  return seen > 0 ? { ...event, text: event.text.slice(seen) } : event
}

/** The same events with neighbouring texts of one type joined: fewer frames, same positions at their ends. */
export function joined(events: readonly LogEvent[]): readonly LogEvent[] {
  if (events.length < 2) return events
  const result: LogEvent[] = []
  for (const event of events) {
    const last = result.at(-1)
    if (last?.text !== undefined && event.text !== undefined && last.type === event.type) {
      result[result.length - 1] = { ...event, text: last.text + event.text }
    } else result.push(event)
  }
  return result
}

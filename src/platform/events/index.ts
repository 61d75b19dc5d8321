/**
 * One event of a log. `seq` is the log's length after the event: an event that carries `text` adds its length in UTF-16
 * units, any other adds 1. So any position can be resumed from, joined events mean the same as single ones, and the
 * whole log can be rebuilt from the text and the few events between (see docs/decisions on log positions).
 */
export interface LogEvent {
  seq: number
  type: string
  text?: string
  [field: string]: unknown
}

/** The live part of event logs: what is being written now, shared between those who read it. */
export interface EventLogs {
  /** Opens a log for writing; there is one writer. */
  open(id: string): EventLogWriter
  /**
   * Events after position `after`, in batches of what is ready, until the log ends or `signal` aborts; null when the
   * log is not live here. A position inside a text event gives the rest of that text.
   */
  follow(id: string, options: { after: number; signal?: AbortSignal }): AsyncIterable<readonly LogEvent[]> | null
  close(): Promise<void>
}

export interface EventLogWriter {
  /** Position after the last event. */
  readonly seq: number
  /** Appends one event; its `seq` is assigned here and returned. */
  append(event: { type: string; text?: string; [field: string]: unknown }): LogEvent
  /** No more events; readers end after the last one, and the log is forgotten a little later. */
  end(): void
}

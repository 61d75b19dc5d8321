/** Where and what the load client sends, and how it knows a first token and a whole answer. */
export interface Target {
  port: number
  path: string
  /** Sent in turn. */
  requests: readonly { headers: Record<string, string>; body: string }[]
  /** Text that only a token brings. */
  firstMark: string
  /** Text that ends every whole answer. */
  endMark: string
}

/** What the load client is told to do. */
export type LoadCommand =
  | { do: 'run'; target: Target; count: number; concurrency: number }
  | { do: 'open'; target: Target; count: number; staggerMs: number }
  | { do: 'finish' }
  | { do: 'drop' }

/** What it answers. */
export interface LoadReport {
  /** Milliseconds to the first token, one for each request. */
  firstTokenMs: number[]
  durationMs: number
  /** Why requests failed; empty when all went well. */
  failures: string[]
  /** One whole answer. */
  sample: string
}

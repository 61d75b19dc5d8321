/** What the scripted provider does with one request. Everything has a default; the default script is a good answer. */
export interface Script {
  /** The answer, one word per token. */
  text?: string
  /** The stream's bytes as they are, instead of frames made from the rest; for recorded answers. */
  raw?: string
  /** How many made-up tokens to say when there is no `text`. */
  tokens?: number
  /** Thinking before the answer, one word per token. */
  reasoning?: string
  /** Time between tokens; 0 sends the whole answer at once. */
  intervalMs?: number
  /** Time before the status line. */
  delayMs?: number
  /** Counts to tell; false tells none. By default 12 tokens in, and as many out as were said. */
  usage?: false | { input?: number; output?: number; cached?: number }
  finish?: 'stop' | 'length' | 'filtered' | 'none'
  /** An answer with this status and an error body instead of a stream. */
  status?: number
  error?: ErrorText
  headers?: Record<string, string>
  fault?: Fault
  /** Tokens said before the fault; 2 unless told. */
  faultAfter?: number
  delivery?: Delivery
}

export interface ErrorText {
  message?: string
  /** OpenAI's `code`, Anthropic's `type`, Gemini's `status`. */
  code?: string
  /** Sent as it is instead of the provider's error shape. */
  body?: string
  contentType?: string
}

/**
 * How a good answer goes wrong. `stall` says nothing (no status line), `stall-middle` stops saying anything, `cut-fin`
 * and `cut-rst` break the connection, `in-band-error` tells an overload inside the stream, `garbage` sends a frame that
 * is no JSON, `wrong-type` sends the stream as HTML, `huge-frame` sends 9 MB without a line end, `prompt-blocked`
 * answers that the prompt is not allowed, `redirect` sends elsewhere.
 */
export type Fault =
  | 'stall'
  | 'stall-middle'
  | 'cut-fin'
  | 'cut-rst'
  | 'in-band-error'
  | 'garbage'
  | 'wrong-type'
  | 'huge-frame'
  | 'prompt-blocked'
  | 'redirect'

/** `joined`: all at once. `frames`: one write each. `bytes`: one write per byte. A list: cut at these offsets. */
export type Delivery = 'joined' | 'frames' | 'bytes' | readonly number[]

/** Scripts by name. A model of this name, or `[[script:name]]` in the last message, plays it. */
export const presets: Readonly<Record<string, Script>> = {
  ok: {},
  'no-usage': { usage: false },
  'no-finish': { finish: 'none' },
  length: { finish: 'length' },
  filtered: { finish: 'filtered' },
  reasoning: { reasoning: 'let me think', text: 'the answer is 42' },
  bytes: { delivery: 'bytes' },
  drip: { intervalMs: 100, tokens: 20 },
  slow: { intervalMs: 20, tokens: 200 },
  'rate-limited': {
    status: 429,
    headers: { 'retry-after': '7' },
    error: { message: 'slow down', code: 'rate_limit_exceeded' },
  },
  'server-error': { status: 500, error: { message: 'it broke' } },
  unavailable: { status: 503, error: { message: 'overloaded, try later' } },
  'key-refused': { status: 401, error: { message: 'no such key' } },
  'out-of-credit': { status: 402, error: { message: 'add credits' } },
  'bad-request': { status: 400, error: { message: 'unknown field' } },
  'context-too-long': {
    status: 400,
    error: {
      message: "This model's maximum context length is 4096 tokens.",
      code: 'context_length_exceeded',
    },
  },
  stall: { fault: 'stall' },
  'stall-middle': { fault: 'stall-middle' },
  'cut-fin': { fault: 'cut-fin' },
  'cut-rst': { fault: 'cut-rst' },
  'cut-fin-first': { fault: 'cut-fin', faultAfter: -1 },
  'cut-rst-first': { fault: 'cut-rst', faultAfter: -1 },
  'in-band-error': { fault: 'in-band-error' },
  garbage: { fault: 'garbage' },
  'wrong-type': { fault: 'wrong-type' },
  'huge-frame': { fault: 'huge-frame' },
  'prompt-blocked': { fault: 'prompt-blocked' },
  redirect: { fault: 'redirect' },
}

const marker = /\[\[script:(\{.*?\}|[\w-]+)\]\]/s

/** The script that a message or a model's name asks for; undefined when neither does. */
export function scriptFor(model: string, message: string): Script | undefined {
  const marked = marker.exec(message)?.[1]
  if (marked?.startsWith('{')) return JSON.parse(marked) as Script
  const name = marked ?? model.slice(model.lastIndexOf('/') + 1)
  return Object.hasOwn(presets, name) ? presets[name] : undefined
}

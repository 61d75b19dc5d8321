import type { Script } from './script.ts'

/** The three wire formats that the scripted provider speaks. */
export type WireName = 'gemini' | 'chat' | 'messages'

/** What is sent for a script: `tokens[i]` is the frame of the i-th token. */
export interface Frames {
  head: Buffer
  tokens: Buffer[]
  tail: Buffer
  inBandError: Buffer
  blocked: Buffer
}

interface Said {
  reasoning: string[]
  words: string[]
  usage: { input: number; output: number; cached: number } | undefined
  finish: 'stop' | 'length' | 'filtered' | 'none'
}

const cache = new Map<string, Frames>()

/** The frames of a script, made once and kept. */
export function framesFor(wire: WireName, script: Script): Frames {
  const key = wire + JSON.stringify(script)
  const known = cache.get(key)
  if (known) return known
  const made = builders[wire](whatIsSaid(script))
  const none = Buffer.alloc(0)
  const frames =
    script.raw === undefined ? made : { ...made, head: Buffer.from(script.raw), tokens: [], tail: none }
  if (cache.size > 500) cache.clear()
  cache.set(key, frames)
  return frames
}

/** The words of an answer; joined they are its text. */
export function wordsOf(script: Script): string[] {
  if (script.text !== undefined) return script.text.match(/\s*\S+|\s+$/g) ?? []
  return Array.from({ length: script.tokens ?? 5 }, (_, index) => `${index === 0 ? '' : ' '}tok${index}`)
}

function whatIsSaid(script: Script): Said {
  const words = wordsOf(script)
  const reasoning = script.reasoning?.match(/\s*\S+/g) ?? []
  const told = script.usage === false ? undefined : (script.usage ?? {})
  const usage = told && {
    input: told.input ?? 12,
    output: told.output ?? words.length + reasoning.length,
    cached: told.cached ?? 0,
  }
  return { reasoning, words, usage, finish: script.finish ?? 'stop' }
}

const builders: Record<WireName, (said: Said) => Frames> = {
  gemini: geminiFrames,
  chat: chatFrames,
  messages: messagesFrames,
}

function sse(lineEnd: string, ...frames: (object | string)[]): Buffer {
  return Buffer.from(
    frames
      .map(frame => `data: ${typeof frame === 'string' ? frame : JSON.stringify(frame)}${lineEnd}${lineEnd}`)
      .join(''),
  )
}

function geminiFrames({ reasoning, words, usage, finish }: Said): Frames {
  const frame = (extra: object) => ({ ...extra, modelVersion: 'scripted', responseId: 'r-scripted' })
  const candidate = (parts: object[], extra: object = {}) =>
    frame({ candidates: [{ content: { parts, role: 'model' }, ...extra, index: 0 }] })
  const usageMetadata = usage && {
    promptTokenCount: usage.input,
    candidatesTokenCount: usage.output - reasoning.length,
    totalTokenCount: usage.input + usage.output,
    ...(usage.cached ? { cachedContentTokenCount: usage.cached } : {}),
    ...(reasoning.length ? { thoughtsTokenCount: reasoning.length } : {}),
  }
  const reasons = { stop: 'STOP', length: 'MAX_TOKENS', filtered: 'SAFETY', none: undefined }
  const end =
    finish === 'none'
      ? []
      : [{ ...candidate([{ text: '' }], { finishReason: reasons[finish] }), usageMetadata }]
  return {
    head: Buffer.alloc(0),
    tokens: [
      ...reasoning.map(text => sse('\r\n', candidate([{ text, thought: true }]))),
      ...words.map(text => sse('\r\n', candidate([{ text }]))),
    ],
    tail: sse('\r\n', ...end),
    inBandError: sse('\r\n', {
      error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' },
    }),
    blocked: sse('\r\n', frame({ promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, usageMetadata })),
  }
}

function chatFrames({ reasoning, words, usage, finish }: Said): Frames {
  const chunk = (delta: object, finishReason: string | null = null) => ({
    id: 'chatcmpl-scripted',
    object: 'chat.completion.chunk',
    created: 1_760_000_000,
    model: 'scripted',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
  })
  const reasons = { stop: 'stop', length: 'length', filtered: 'content_filter', none: null }
  const counted = usage && {
    ...chunk({}),
    choices: [],
    usage: {
      prompt_tokens: usage.input,
      completion_tokens: usage.output,
      total_tokens: usage.input + usage.output,
      prompt_tokens_details: { cached_tokens: usage.cached },
    },
  }
  const end = finish === 'none' ? [] : [chunk({}, reasons[finish]), ...(counted ? [counted] : []), '[DONE]']
  const error = { code: 502, message: 'Provider disconnected unexpectedly' }
  return {
    head: Buffer.concat([
      Buffer.from(': OPENROUTER PROCESSING\n\n'),
      sse('\n', chunk({ role: 'assistant', content: '' })),
    ]),
    tokens: [
      ...reasoning.map(text => sse('\n', chunk({ reasoning: text, content: '' }))),
      ...words.map(text => sse('\n', chunk({ content: text }))),
    ],
    tail: sse('\n', ...end),
    inBandError: sse('\n', { ...chunk({ content: '' }, 'error'), error }),
    blocked: sse('\n', {
      error: { code: 403, message: 'Input was flagged', metadata: { reasons: ['violence'] } },
    }),
  }
}

function messagesFrames({ reasoning, words, usage, finish }: Said): Frames {
  const event = (type: string, data: object) =>
    Buffer.concat([Buffer.from(`event: ${type}\n`), sse('\n', { type, ...data })])
  const delta = (data: object) => event('content_block_delta', { index: 0, delta: data })
  const reasons = { stop: 'end_turn', length: 'max_tokens', filtered: 'refusal', none: null }
  const counts = usage && {
    input_tokens: usage.input - usage.cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: usage.cached,
    output_tokens: 1,
  }
  const stopped = {
    delta: { stop_reason: reasons[finish], stop_sequence: null },
    ...(usage ? { usage: { output_tokens: usage.output } } : {}),
  }
  return {
    head: Buffer.concat([
      event('message_start', {
        message: { id: 'msg_scripted', role: 'assistant', content: [], ...(counts ? { usage: counts } : {}) },
      }),
      event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      event('ping', {}),
    ]),
    tokens: [
      ...reasoning.map(thinking => delta({ type: 'thinking_delta', thinking })),
      ...words.map(text => delta({ type: 'text_delta', text })),
    ],
    tail:
      finish === 'none'
        ? Buffer.alloc(0)
        : Buffer.concat([
            event('content_block_stop', { index: 0 }),
            event('message_delta', stopped),
            event('message_stop', {}),
          ]),
    inBandError: event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } }),
    blocked: Buffer.concat([
      event('message_delta', { delta: { stop_reason: 'refusal' } }),
      event('message_stop', {}),
    ]),
  }
}

/** The error body in a wire's own shape. */
export function errorBody(
  wire: WireName,
  status: number,
  { message = 'scripted failure', code }: { message?: string; code?: string },
): string {
  if (wire === 'gemini')
    return JSON.stringify({ error: { code: status, message, status: code ?? 'SCRIPTED' } })
  if (wire === 'chat') return JSON.stringify({ error: { code: code ?? status, message, type: 'scripted' } })
  return JSON.stringify({ type: 'error', error: { type: code ?? 'scripted_error', message } })
}

/** The whole answer as one JSON body, as OpenAI sends it when `stream` is not asked for. */
export function chatBody(script: Script): string {
  const { words, usage, finish } = whatIsSaid(script)
  return JSON.stringify({
    id: 'chatcmpl-scripted',
    object: 'chat.completion',
    model: 'scripted',
    choices: [{ index: 0, message: { role: 'assistant', content: words.join('') }, finish_reason: finish }],
    usage: usage && {
      prompt_tokens: usage.input,
      completion_tokens: usage.output,
      total_tokens: usage.input + usage.output,
    },
  })
}

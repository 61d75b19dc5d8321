import type { EventSourceMessage } from 'eventsource-parser'
import { createHttpAdapter, keyFor, type Reading, type ToldFailure, type Wire } from './http-stream.ts'
import type { FinishReason, ModelAdapter, ModelRequest } from './index.ts'
import type { Outbound } from './outbound.ts'
import { type PartBuffer, tokenCount } from './part-buffer.ts'

export interface AnthropicSettings {
  apiKey?: string | undefined
  baseUrl: string
  outbound: Outbound
}

/**
 * Anthropic's Messages API. Claude 4.1 to 4.6 refuse temperature together with top_p, and later Claude models refuse
 * all sampling values; so temperature and top_k are sent to the older ones, top_p never, and nothing to the newer ones.
 */
export function createAnthropic({ apiKey, baseUrl, outbound }: AnthropicSettings): ModelAdapter {
  const wire: Wire = {
    provider: 'anthropic',
    label: 'Anthropic',
    prepare: request => {
      const secret = keyFor(request, apiKey)
      return {
        url: address(request.baseUrl ?? baseUrl),
        headers: { 'anthropic-version': '2023-06-01', ...(secret ? { 'x-api-key': secret } : {}) },
        body: messagesBody(request),
        secret,
      }
    },
    read,
    failure,
  }
  return createHttpAdapter(wire, outbound)
}

function address(baseUrl: string): string {
  const root = baseUrl.replace(/\/+$/, '')
  return `${root.endsWith('/v1') ? root : `${root}/v1`}/messages`
}

function messagesBody(request: ModelRequest) {
  return {
    model: request.model,
    max_tokens: request.maxOutputTokens,
    ...(request.system ? { system: request.system } : {}),
    messages: request.messages
      .filter(message => message.content !== '')
      .map(({ role, content }) => ({ role, content })),
    stream: true,
    ...(takesSampling(request.model)
      ? { temperature: Math.min(1, request.temperature), top_k: request.topK }
      : {}),
  }
}

/** Claude up to 4.6, and models that are not Claude (behind a compatible address). An unknown Claude is a newer one. */
function takesSampling(model: string): boolean {
  if (!model.startsWith('claude-')) return true
  return (
    /^claude-(instant|2|3)/.test(model) ||
    /^claude-(opus|sonnet|haiku)-4(-[0-6])?(-\d{8}|-latest)?$/.test(model)
  )
}

interface MessagesFrame {
  type?: string
  message?: { usage?: Record<string, unknown> }
  content_block?: { type?: string; text?: unknown }
  delta?: { type?: string; text?: unknown; thinking?: unknown; stop_reason?: string | null }
  usage?: Record<string, unknown>
  error?: MessagesFailure
}

interface MessagesFailure {
  type?: unknown
  message?: unknown
}

/** The type inside the data decides; it equals the event's name. Unknown types are passed over, as the API asks for. */
function read(event: EventSourceMessage, parts: PartBuffer): Reading {
  const frame = JSON.parse(event.data) as MessagesFrame
  switch (frame.type) {
    case 'content_block_delta':
      if (frame.delta?.type === 'text_delta') parts.text(frame.delta.text)
      else if (frame.delta?.type === 'thinking_delta') parts.reasoning(frame.delta.thinking)
      return 'more'
    case 'content_block_start':
      if (frame.content_block?.type === 'text') parts.text(frame.content_block.text)
      return 'more'
    case 'message_start':
      if (frame.message?.usage) readUsage(frame.message.usage, parts)
      return 'more'
    case 'message_delta':
      if (frame.usage) readUsage(frame.usage, parts)
      if (frame.delta?.stop_reason) parts.noteFinish(finishReasons.get(frame.delta.stop_reason) ?? 'unknown')
      return 'more'
    case 'message_stop':
      return 'last'
    case 'error':
      return toldFailure(frame.error ?? {}, 500)
    default:
      return 'more'
  }
}

const finishReasons = new Map<string, FinishReason>([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['refusal', 'filtered'],
])

/** `input_tokens` leaves out what was read from or written to the cache; counts in `message_delta` are totals so far. */
function readUsage(usage: Record<string, unknown>, parts: PartBuffer): void {
  const known = parts.usage
  const cachedInputTokens = tokenCount(usage.cache_read_input_tokens)
  const inputTokens =
    tokenCount(usage.input_tokens) + cachedInputTokens + tokenCount(usage.cache_creation_input_tokens)
  parts.noteUsage({
    inputTokens: inputTokens || (known?.inputTokens ?? 0),
    outputTokens: tokenCount(usage.output_tokens) || (known?.outputTokens ?? 0),
    cachedInputTokens: inputTokens ? cachedInputTokens : (known?.cachedInputTokens ?? 0),
  })
}

const failureStatuses = new Map<string, number>([
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['api_error', 500],
  ['timeout_error', 504],
  ['overloaded_error', 529],
])

function failure(body: unknown, status: number): ToldFailure {
  const told = (body as { error?: MessagesFailure } | undefined | null)?.error
  return told ? toldFailure(told, status < 400 ? 502 : status) : { status }
}

function toldFailure(error: MessagesFailure, fallbackStatus: number): ToldFailure {
  const type = typeof error.type === 'string' ? error.type : ''
  return {
    status: failureStatuses.get(type) ?? fallbackStatus,
    code: type,
    message: typeof error.message === 'string' ? error.message : '',
  }
}

import type { EventSourceMessage } from 'eventsource-parser'
import { createHttpAdapter, keyFor, type Reading, type ToldFailure, type Wire } from './http-stream.ts'
import type { FinishReason, ModelAdapter, ModelRequest } from './index.ts'
import type { Outbound } from './outbound.ts'
import { type PartBuffer, tokenCount } from './part-buffer.ts'

export interface OpenAiCompatibleSettings {
  /** The catalogue's name for it: `openrouter`, `openai`, … */
  provider: string
  /** The provider's name as people know it. */
  label: string
  apiKey?: string | undefined
  baseUrl: string
  outbound: Outbound
}

/**
 * Anything that speaks OpenAI's `chat/completions`: OpenRouter, OpenAI, Ollama, vLLM, LM Studio, … `baseUrl` is what
 * comes before `/chat/completions`. OpenAI's own reasoning models get `max_completion_tokens` and no sampling values,
 * because they refuse others.
 */
export function createOpenAiCompatible(settings: OpenAiCompatibleSettings): ModelAdapter {
  const wire: Wire = {
    provider: settings.provider,
    label: settings.label,
    prepare: request => {
      const secret = keyFor(request, settings.apiKey)
      const baseUrl = (request.baseUrl ?? settings.baseUrl).replace(/\/+$/, '')
      return {
        url: `${baseUrl}/chat/completions`,
        headers: secret ? { authorization: `Bearer ${secret}` } : {},
        body: chatBody(request, settings.provider, baseUrl),
        secret,
      }
    },
    read,
    failure,
  }
  return createHttpAdapter(wire, settings.outbound)
}

function chatBody(request: ModelRequest, provider: string, baseUrl: string) {
  const isReasoning = provider === 'openai' && isReasoningModel(request.model)
  const messages: { role: string; content: string }[] = request.messages
    .filter(message => message.content !== '')
    .map(({ role, content }) => ({ role, content }))
  if (request.system)
    messages.unshift({ role: isReasoning ? 'developer' : 'system', content: request.system })
  return {
    model: request.model,
    messages,
    stream: true,
    stream_options: { include_usage: true },
    ...(isReasoning
      ? { max_completion_tokens: request.maxOutputTokens }
      : { max_tokens: request.maxOutputTokens, temperature: request.temperature, top_p: request.topP }),
    ...(isReasoning || refusesTopK(baseUrl) ? {} : { top_k: request.topK }),
  }
}

/** OpenAI's o-series and GPT-5 and later, except the chat variants, which sample as older models do. */
function isReasoningModel(model: string): boolean {
  if (/^o\d+(-|$)/.test(model) || model === 'codex-mini-latest') return true
  const version = /^gpt-(\d+)(?:\.\d+)?(-chat)?/.exec(model)
  return version !== null && Number(version[1]) >= 5 && version[2] === undefined
}

/** These answer 400 or 422 to `top_k`; OpenRouter, Ollama, vLLM, llama.cpp and LM Studio take it. */
function refusesTopK(baseUrl: string): boolean {
  return /^https:\/\/([\w.-]+\.)?(openai\.com|azure\.com|mistral\.ai|groq\.com|perplexity\.ai)(:\d+)?(\/|$)/i.test(
    baseUrl,
  )
}

interface ChatFrame {
  choices?: {
    delta?: { content?: unknown; reasoning?: unknown; reasoning_content?: unknown; refusal?: unknown } | null
    finish_reason?: string | null
  }[]
  usage?: Record<string, unknown> | null
  error?: ChatFailure | string | null
}

interface ChatFailure {
  code?: unknown
  type?: unknown
  message?: unknown
  metadata?: { raw?: unknown; reasons?: unknown } | null
}

function read(event: EventSourceMessage, parts: PartBuffer): Reading {
  if (event.data === '[DONE]') return 'last'
  const frame = JSON.parse(event.data) as ChatFrame
  if (frame.error) return toldFailure(frame.error, 500)
  const choice = frame.choices?.[0]
  if (choice?.delta) {
    parts.reasoning(choice.delta.reasoning ?? choice.delta.reasoning_content)
    parts.text(choice.delta.content ?? choice.delta.refusal)
  }
  if (choice?.finish_reason) {
    if (choice.finish_reason === 'error') return { status: 502, message: 'the model stopped with an error' }
    parts.noteFinish(finishReasons.get(choice.finish_reason) ?? 'unknown')
  }
  if (frame.usage) readUsage(frame.usage, parts)
  return 'more'
}

const finishReasons = new Map<string, FinishReason>([
  ['stop', 'stop'],
  ['length', 'length'],
  ['content_filter', 'filtered'],
])

/** `prompt_tokens` includes the cached ones, `completion_tokens` the reasoning. */
function readUsage(usage: Record<string, unknown>, parts: PartBuffer): void {
  const inputTokens = tokenCount(usage.prompt_tokens)
  const outputTokens = tokenCount(usage.completion_tokens)
  if (inputTokens + outputTokens === 0) return
  const details = usage.prompt_tokens_details as Record<string, unknown> | null | undefined
  const cachedInputTokens = Math.min(inputTokens, tokenCount(details?.cached_tokens))
  parts.noteUsage({ inputTokens, outputTokens, cachedInputTokens })
}

function failure(body: unknown, status: number): ToldFailure {
  const told = (body as { error?: ChatFailure | string } | undefined | null)?.error
  return told ? toldFailure(told, status < 400 ? 502 : status) : { status }
}

/** OpenRouter's codes are HTTP statuses, OpenAI's are words. */
function toldFailure(error: ChatFailure | string, fallbackStatus: number): ToldFailure {
  if (typeof error === 'string') return { status: fallbackStatus, message: error }
  const number = Number(error.code)
  const words = [error.code, error.type].filter(word => typeof word === 'string')
  const isFlagged = Array.isArray(error.metadata?.reasons)
  const raw = typeof error.metadata?.raw === 'string' ? ` (${error.metadata.raw})` : ''
  return {
    status: number >= 400 && number < 600 ? number : (wordStatus(words) ?? fallbackStatus),
    code: [...words, ...(isFlagged ? ['moderation'] : [])].join(' '),
    message: typeof error.message === 'string' ? error.message + raw : '',
  }
}

/** Statuses for words that come inside a stream, where there is no status line. */
function wordStatus(words: readonly unknown[]): number | undefined {
  const said = words.join(' ')
  if (/insufficient_quota|billing/.test(said)) return 402
  if (/rate_limit/.test(said)) return 429
  if (/invalid_api_key|authentication/.test(said)) return 401
  if (/server_error|overloaded|unavailable/.test(said)) return 500
  if (/context_length_exceeded|invalid_request|content_filter|content_policy/.test(said)) return 400
  return undefined
}

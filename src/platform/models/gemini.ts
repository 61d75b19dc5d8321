import type { EventSourceMessage } from 'eventsource-parser'
import { createHttpAdapter, keyFor, type Reading, type ToldFailure, type Wire } from './http-stream.ts'
import type { FinishReason, ModelAdapter, ModelRequest } from './index.ts'
import type { Outbound } from './outbound.ts'
import { type PartBuffer, tokenCount } from './part-buffer.ts'
import { wholeSeconds } from './provider-error.ts'

/** How one HTTP provider is reached. `apiKey` is the operator's; a request may bring its own. */
export interface GeminiSettings {
  apiKey?: string | undefined
  baseUrl: string
  outbound: Outbound
}

/** Google's Gemini API (`v1beta`, `streamGenerateContent` as server-sent events). The key travels in a header only. */
export function createGemini({ apiKey, baseUrl, outbound }: GeminiSettings): ModelAdapter {
  const wire: Wire = {
    provider: 'gemini',
    label: 'Gemini',
    prepare: request => {
      const secret = keyFor(request, apiKey)
      return {
        url: address(request.baseUrl ?? baseUrl, request.model),
        headers: secret ? { 'x-goog-api-key': secret } : {},
        body: geminiBody(request),
        secret,
      }
    },
    read,
    failure,
  }
  return createHttpAdapter(wire, outbound)
}

function address(baseUrl: string, model: string): string {
  const root = baseUrl.replace(/\/+$/, '')
  const versioned = /\/v\d+(alpha|beta)?$/.test(root) ? root : `${root}/v1beta`
  return `${versioned}/models/${encodeURIComponent(model.replace(/^models\//, ''))}:streamGenerateContent?alt=sse`
}

function geminiBody(request: ModelRequest) {
  return {
    ...(request.system ? { systemInstruction: { parts: [{ text: request.system }] } } : {}),
    contents: request.messages
      .filter(message => message.content !== '')
      .map(message => ({
        role: message.role === 'assistant' ? 'model' : 'user',
        parts: [{ text: message.content }],
      })),
    generationConfig: {
      temperature: request.temperature,
      topK: request.topK,
      topP: request.topP,
      maxOutputTokens: request.maxOutputTokens,
    },
  }
}

interface GeminiFrame {
  candidates?: { content?: { parts?: { text?: unknown; thought?: unknown }[] }; finishReason?: string }[]
  promptFeedback?: { blockReason?: string }
  usageMetadata?: Record<string, unknown>
  error?: GeminiFailure
}

interface GeminiFailure {
  code?: unknown
  message?: unknown
  status?: unknown
  details?: unknown
}

function read(event: EventSourceMessage, parts: PartBuffer): Reading {
  const frame = JSON.parse(event.data) as GeminiFrame
  if (frame.error) return toldFailure(frame.error, 500)
  const candidate = frame.candidates?.[0]
  for (const part of candidate?.content?.parts ?? []) {
    if (part.thought === true) parts.reasoning(part.text)
    else parts.text(part.text)
  }
  if (frame.usageMetadata) readUsage(frame.usageMetadata, parts)
  if (candidate?.finishReason) parts.noteFinish(finishReason(candidate.finishReason))
  const blockReason = frame.promptFeedback?.blockReason
  if (blockReason)
    return { status: 400, code: 'content_filter', message: `the prompt was blocked (${blockReason})` }
  return 'more'
}

/** Gemini counts cached tokens into the prompt, and thinking apart from the answer; it bills thinking as output. */
function readUsage(usage: Record<string, unknown>, parts: PartBuffer): void {
  const inputTokens = tokenCount(usage.promptTokenCount)
  const outputTokens = tokenCount(usage.candidatesTokenCount) + tokenCount(usage.thoughtsTokenCount)
  if (inputTokens + outputTokens === 0) return
  const cachedInputTokens = Math.min(inputTokens, tokenCount(usage.cachedContentTokenCount))
  parts.noteUsage({ inputTokens, outputTokens, cachedInputTokens })
}

const filteredReasons = new Set([
  'SAFETY',
  'RECITATION',
  'LANGUAGE',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
])

function finishReason(reason: string): FinishReason {
  if (reason === 'STOP') return 'stop'
  if (reason === 'MAX_TOKENS') return 'length'
  return filteredReasons.has(reason) || reason.startsWith('IMAGE_') ? 'filtered' : 'unknown'
}

function failure(body: unknown, status: number): ToldFailure {
  const first = Array.isArray(body) ? body[0] : body
  const told = (first as { error?: GeminiFailure } | undefined | null)?.error
  return told ? toldFailure(told, status) : { status }
}

function toldFailure(error: GeminiFailure, fallbackStatus: number): ToldFailure {
  const details = (Array.isArray(error.details) ? error.details : []) as Record<string, unknown>[]
  const reason = details.find(detail => typeof detail?.reason === 'string')?.reason
  const delay = details.find(detail => typeof detail?.retryDelay === 'string')?.retryDelay
  const seconds = Number.parseFloat(String(delay))
  return {
    status: tokenCount(error.code) || fallbackStatus,
    code: String(reason ?? error.status ?? ''),
    message: typeof error.message === 'string' ? error.message : '',
    retryAfterSeconds: Number.isFinite(seconds) ? wholeSeconds(seconds) : undefined,
  }
}

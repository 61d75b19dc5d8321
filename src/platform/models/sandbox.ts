// The sandbox model's answers live in sandbox/. Code comes in fences whose info string is the language, and for a file of
// a project also its path, as: ```tsx title="src/App.tsx". A fence without `title` is a single file without a name.

import type { CatalogueModel, ModelAdapter, ModelPart, ModelRequest } from './index.ts'
import { composeReply } from './sandbox/reply.ts'

/** The sandbox model in the catalogue: priced like a small model so that money can be seen, or free. */
export function sandboxModel({ isFree }: { isFree: boolean }): CatalogueModel {
  return {
    id: 'sandbox/sandbox',
    provider: 'sandbox',
    name: 'sandbox',
    label: 'Sandbox (built in, no key needed)',
    contextTokens: 32_768,
    maxOutputTokens: 8192,
    inputPriceMicroCredits: isFree ? 0 : 10_000,
    outputPriceMicroCredits: isFree ? 0 : 40_000,
  }
}

/**
 * A model without any model: it answers from templates, always the same to the same conversation, says so in each
 * answer, and writes one word (one token) per `delayMs`; with 0 as fast as it is read.
 */
export function createSandboxModel({ delayMs }: { delayMs: number }): ModelAdapter {
  return {
    provider: 'sandbox',
    stream: (request, { signal }) => write(request, { delayMs, signal }),
  }
}

const wordsPerStepAtFullSpeed = 8
const charactersPerInputToken = 4

async function* write(
  request: ModelRequest,
  { delayMs, signal }: { delayMs: number; signal: AbortSignal },
): AsyncGenerator<readonly ModelPart[]> {
  signal.throwIfAborted()
  const words = inWords(composeReply(request))
  const inputTokens = countInput(request)
  const count = Math.min(words.length, Math.max(0, request.maxOutputTokens))
  const step = delayMs === 0 ? wordsPerStepAtFullSpeed : 1
  yield [{ type: 'usage', usage: { inputTokens, outputTokens: 0, cachedInputTokens: 0 } }]
  for (let at = 0; at < count; at += step) {
    if (delayMs > 0) await pause(delayMs, signal)
    signal.throwIfAborted()
    yield [{ type: 'text', text: words.slice(at, Math.min(count, at + step)).join('') }]
  }
  signal.throwIfAborted()
  yield [
    { type: 'usage', usage: { inputTokens, outputTokens: count, cachedInputTokens: 0 } },
    { type: 'finish', reason: count < words.length ? 'length' : 'stop' },
  ]
}

/** The text cut into words with the space before them; joined again they are the text. */
function inWords(text: string): string[] {
  return text.match(/\s*\S{1,16}|\s+$/g) ?? []
}

function countInput(request: ModelRequest): number {
  const characters = request.messages.reduce(
    (sum, message) => sum + message.content.length,
    request.system?.length ?? 0,
  )
  return Math.ceil(characters / charactersPerInputToken)
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, delayMs)
    signal.addEventListener('abort', stop, { once: true })
  })
}

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Script, type ScriptedProvider, startProvider } from '../../../test/provider/index.ts'
import { AppError } from '../../lib/errors.ts'
import type { FinishReason, ModelAdapter, ModelPart, ModelRequest, Usage } from './index.ts'

/** What the contract needs to know of one adapter. */
export interface AdapterUnderTest {
  name: keyof ScriptedProvider['baseUrls']
  create(baseUrl: string, apiKey: string): ModelAdapter
  /** What a blocked prompt becomes: an error, or (where the provider tells it so) a finish reason. */
  blockedPrompt: 'error' | 'finish'
}

export const testKey = 'sk-test-0123456789abcdef'

/** A request with nothing special about it. */
export function askFor(changes: Partial<ModelRequest> = {}): ModelRequest {
  return {
    model: 'some-model',
    messages: [{ role: 'user', content: 'hello' }],
    temperature: 0.7,
    topK: 40,
    topP: 0.95,
    maxOutputTokens: 1000,
    ...changes,
  }
}

export interface Heard {
  parts: ModelPart[]
  /** How many parts each step brought. */
  steps: number[]
  text: string
  reasoning: string
  usage: Usage | undefined
  finish: FinishReason | undefined
  error: unknown
}

/** Listens to the end, or to the error. */
export async function listen(
  adapter: ModelAdapter,
  request = askFor(),
  signal = new AbortController().signal,
): Promise<Heard> {
  const heard: Heard = {
    parts: [],
    steps: [],
    text: '',
    reasoning: '',
    usage: undefined,
    finish: undefined,
    error: undefined,
  }
  try {
    for await (const parts of adapter.stream(request, { signal })) {
      heard.steps.push(parts.length)
      for (const part of parts) hear(heard, part)
    }
  } catch (error) {
    heard.error = error
  }
  return heard
}

function hear(heard: Heard, part: ModelPart): void {
  heard.parts.push(structuredClone(part))
  if (part.type === 'text') heard.text += part.text
  else if (part.type === 'reasoning') heard.reasoning += part.text
  else if (part.type === 'usage') heard.usage = part.usage
  else heard.finish = part.reason
}

/** The error as the contract words it. */
export function told(
  error: unknown,
): { kind: string; code: string; retryAfterSeconds: number | undefined } | unknown {
  if (!(error instanceof AppError)) return error
  const { kind, code, retryAfterSeconds } = error
  return { kind, code, retryAfterSeconds }
}

const failure = (kind: string, code: string, retryAfterSeconds?: number) => ({
  kind,
  code,
  retryAfterSeconds,
})

/** What every adapter promises, through real HTTP, against the scripted provider. */
export function describeAdapterContract({ name, create, blockedPrompt }: AdapterUnderTest): void {
  describe(`${name} keeps the adapter's contract`, () => {
    let provider: ScriptedProvider
    let adapter: ModelAdapter
    beforeAll(async () => {
      provider = await startProvider()
      adapter = create(provider.baseUrls[name], testKey)
    })
    afterAll(() => provider.close())
    const play = async (script: Script | string, request?: ModelRequest) => {
      await provider.clear()
      await provider.script(script)
      return listen(adapter, request)
    }

    test('a good answer: text, then usage, then why it stopped', async () => {
      const heard = await play('ok')
      expect(heard.error).toBeUndefined()
      expect(heard.text).toBe('tok0 tok1 tok2 tok3 tok4')
      expect(heard.usage).toEqual({ inputTokens: 12, outputTokens: 5, cachedInputTokens: 0 })
      expect(heard.parts.at(-1)).toEqual({ type: 'finish', reason: 'stop' })
      expect(heard.parts.filter(part => part.type === 'finish')).toHaveLength(1)
    })

    test('the key travels in its header and nowhere else', async () => {
      await play('ok')
      const [request] = await provider.requests()
      expect(request?.auth).not.toBeNull()
      expect(JSON.stringify(request)).not.toContain(testKey)
    })

    test('a request may bring a key of its own; the operator’s key does not go to an address that came with a request', async () => {
      await provider.clear()
      await listen(adapter, askFor({ apiKey: 'own-key' }))
      await listen(adapter, askFor({ baseUrl: provider.baseUrls[name] }))
      const [own, foreign] = await provider.requests()
      expect(own?.auth?.fingerprint).toBeDefined()
      expect(foreign?.auth).toBeNull()
    })

    test('prompts reach the provider unchanged', async () => {
      const content = 'a "quoted" line\r\n\ttab \\ slash 日本 👩‍👩‍👧 <b>&amp;</b> \u2028 end '
      await play('ok', askFor({ messages: [{ role: 'user', content }], system: 'Be brief. ✓' }))
      const [request] = await provider.requests()
      expect(request?.prompt).toBe(content)
      expect(JSON.stringify(request?.body)).toContain('Be brief. ✓')
    })

    test('messages without content are left out, the rest keeps its order', async () => {
      const messages = ['one', '', 'two'].map(
        (content, index) => ({ role: index === 1 ? 'assistant' : 'user', content }) as const,
      )
      await play('ok', askFor({ messages }))
      const [request] = await provider.requests()
      expect(JSON.stringify(request?.body)).toMatch(/one.*two/)
      expect(JSON.stringify(request?.body)).not.toContain('""')
    })

    test('what comes in one read is one step, and adjacent text is one part', async () => {
      const heard = await play({ tokens: 50 })
      expect(heard.parts.filter(part => part.type === 'text')).toHaveLength(1)
      expect(heard.steps.length).toBeLessThanOrEqual(2)
    })

    // Tried again because the machine itself can stop for a moment.
    test('tokens that come one by one are handed over one by one', { retry: 2 }, async () => {
      const heard = await play({ tokens: 12, intervalMs: 30 })
      const texts = heard.parts.filter(part => part.type === 'text').map(part => part.text)
      expect(texts.join('')).toBe(Array.from({ length: 12 }, (_, index) => `tok${index}`).join(' '))
      // Two that come while the machine is busy elsewhere are one read.
      expect(texts.length).toBeGreaterThan(6)
    })

    test('a stream split at every byte is the same stream', async () => {
      const text = 'Grüße, 日本 and 👩‍👩‍👧 — "quoted"\n\ndata: not a frame'
      const heard = await play({ text, delivery: 'bytes', reasoning: 'hm … ja' })
      expect(heard).toMatchObject({ text, reasoning: 'hm … ja', finish: 'stop', error: undefined })
    })

    test('a stream split anywhere is the same stream', async () => {
      const text = 'Ä 👍 line\nsecond line\r\nthird  end'
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(1500), { maxLength: 40 }), async cuts => {
          const heard = await play({ text, delivery: cuts, usage: { input: 30, output: 9, cached: 20 } })
          expect(heard).toMatchObject({ text, finish: 'stop', error: undefined })
          expect(heard.usage).toEqual({ inputTokens: 30, outputTokens: 9, cachedInputTokens: 20 })
        }),
        { numRuns: 25 },
      )
    })

    test('a long answer to a slow reader waits at the provider and arrives whole', async () => {
      const text = `${'x'.repeat(999)} `.repeat(8000).trim()
      await provider.script({ text, delivery: 'joined' })
      const steps: number[] = []
      for await (const parts of adapter.stream(askFor(), { signal: new AbortController().signal })) {
        steps.push(parts.reduce((sum, part) => sum + (part.type === 'text' ? part.text.length : 0), 0))
        if (steps.length < 4) await new Promise(resolve => setTimeout(resolve, 100))
      }
      expect(steps.reduce((sum, length) => sum + length, 0)).toBe(text.length)
      expect(Math.max(...steps)).toBeGreaterThan(1024 * 1024)
      expect(Math.max(...steps)).toBeLessThan(1.5 * 1024 * 1024)
    })

    test.each([
      ['length', 'length'],
      ['filtered', 'filtered'],
    ])('stopped for %s', async (script, reason) => {
      expect(await play(script)).toMatchObject({
        finish: reason,
        error: undefined,
        text: 'tok0 tok1 tok2 tok3 tok4',
      })
    })

    test('reasoning is told apart from the answer', async () => {
      expect(await play('reasoning')).toMatchObject({
        reasoning: 'let me think',
        text: 'the answer is 42',
        finish: 'stop',
      })
    })

    test('without usage there is no usage', async () => {
      const heard = await play('no-usage')
      expect(heard).toMatchObject({ usage: undefined, finish: 'stop', error: undefined })
    })

    test('counts that make no sense are not believed', async () => {
      const heard = await play({ usage: { input: -5, output: 1e300, cached: 7 } })
      expect(heard.error).toBeUndefined()
      for (const count of Object.values(heard.usage ?? {}))
        expect(Number.isSafeInteger(count) && count >= 0).toBe(true)
    })

    test('an end without a finish reason has no finish part', async () => {
      expect(await play('no-finish')).toMatchObject({
        text: 'tok0 tok1 tok2 tok3 tok4',
        finish: undefined,
        error: undefined,
      })
    })

    test.each(['cut-fin', 'cut-rst'])('%s in the middle: what came, then PROVIDER_CUT', async script => {
      const heard = await play(script)
      expect(heard.text).toBe('tok0 tok1')
      expect(heard.finish).toBeUndefined()
      expect(told(heard.error)).toEqual(failure('upstream', 'PROVIDER_CUT'))
    })

    test.each(['cut-fin-first', 'cut-rst-first'])('%s: nothing came, PROVIDER_ERROR', async script => {
      const heard = await play(script)
      expect(heard.parts).toEqual([])
      expect(told(heard.error)).toEqual(failure('upstream', 'PROVIDER_ERROR'))
    })

    test('nobody listens there: PROVIDER_ERROR', async () => {
      const heard = await listen(create('http://127.0.0.1:1', testKey))
      expect(told(heard.error)).toEqual(failure('upstream', 'PROVIDER_ERROR'))
    })

    test.each([
      ['rate-limited', failure('upstream', 'PROVIDER_RATE_LIMITED', 7)],
      ['server-error', failure('upstream', 'PROVIDER_ERROR')],
      ['unavailable', failure('upstream', 'PROVIDER_ERROR')],
      ['key-refused', failure('unavailable', 'PROVIDER_KEY_REFUSED')],
      ['out-of-credit', failure('unavailable', 'PROVIDER_OUT_OF_CREDIT')],
      ['bad-request', failure('unprocessable', 'PROVIDER_REFUSED')],
      ['context-too-long', failure('unprocessable', 'CONTEXT_TOO_LONG')],
      ['garbage', failure('upstream', 'PROVIDER_BAD_RESPONSE')],
      ['wrong-type', failure('upstream', 'PROVIDER_BAD_RESPONSE')],
      ['huge-frame', failure('upstream', 'PROVIDER_BAD_RESPONSE')],
      ['redirect', failure('upstream', 'PROVIDER_BAD_RESPONSE')],
    ])('%s', async (script, expected) => {
      expect(told((await play(script)).error)).toEqual(expected)
    })

    test('a redirect is named as such', async () => {
      expect(((await play('redirect')).error as AppError).message).toContain('redirects elsewhere')
    })

    test('Retry-After as a date', async () => {
      const at = new Date(Date.now() + 20_000).toUTCString()
      const { error } = await play({ status: 503, headers: { 'retry-after': at } })
      expect((error as AppError).retryAfterSeconds).toBeGreaterThanOrEqual(15)
      expect((error as AppError).retryAfterSeconds).toBeLessThanOrEqual(21)
    })

    test('an overload told inside the stream: what came, then PROVIDER_ERROR', async () => {
      const heard = await play('in-band-error')
      expect(heard).toMatchObject({ text: 'tok0 tok1', finish: undefined })
      expect(told(heard.error)).toEqual(failure('upstream', 'PROVIDER_ERROR'))
    })

    test('a blocked prompt', async () => {
      const heard = await play({ fault: 'prompt-blocked', faultAfter: 0 })
      expect(heard.text).toBe('')
      if (blockedPrompt === 'finish') expect(heard).toMatchObject({ finish: 'filtered', error: undefined })
      else expect(told(heard.error)).toEqual(failure('unprocessable', 'CONTENT_FILTERED'))
    })

    test('the provider’s words are shown without keys, markup and excess', async () => {
      const message = `bad key ${testKey} and sk-proj-abc*****xyz <b onclick="x">bold</b>\n\u0007 ${'long '.repeat(200)}`
      const { error } = await play({ status: 400, error: { message } })
      const shown = (error as AppError).message
      expect(shown).toContain('bad key [key] and [key] bold long')
      expect(shown.length).toBeLessThanOrEqual(300)
      expect(shown).not.toMatch(/[<>\n]/)
    })

    test('a page in place of an error is not shown', async () => {
      const { error } = await play({
        status: 502,
        error: { body: '<html><h1>Bad gateway</h1></html>', contentType: 'text/html' },
      })
      expect(told(error)).toEqual(failure('upstream', 'PROVIDER_ERROR'))
      expect((error as AppError).message).not.toContain('gateway')
    })

    test('aborted before it begins: nothing is sent', async () => {
      await provider.clear()
      const heard = await listen(adapter, askFor(), AbortSignal.abort('no more'))
      expect(heard.error).toBe('no more')
      expect(await provider.requests()).toEqual([])
    })

    test.each(['stall', 'stall-middle', 'slow'])(
      'aborted in %s: the reason is thrown and the connection closed at once',
      async script => {
        await provider.clear()
        await provider.script(script)
        const controller = new AbortController()
        const listening = listen(adapter, askFor(), controller.signal)
        await provider.waitFor(
          log => log.length === 1 && (script === 'stall' || (log[0]?.tokensSent ?? 0) >= 2),
        )
        const abortedAt = Date.now()
        controller.abort(new Error('stop it'))
        const heard = await listening
        expect(heard.error).toEqual(new Error('stop it'))
        const [request] = await provider.waitFor(log => log[0]?.clientClosedAt !== null)
        expect((request?.clientClosedAt ?? 0) - abortedAt).toBeLessThan(2000)
      },
    )

    test('a reader that leaves closes the connection', async () => {
      await provider.clear()
      await provider.script('slow')
      for await (const parts of adapter.stream(askFor(), { signal: new AbortController().signal })) {
        if (parts.some(part => part.type === 'text')) break
      }
      const [request] = await provider.waitFor(log => log[0]?.clientClosedAt !== null)
      expect(request?.tokensSent).toBeLessThan(50)
    })

    test('one answer after the other uses one connection, also after an error', async () => {
      await provider.clear()
      await provider.script('ok', 'rate-limited', 'ok', 'ok')
      for (let run = 0; run < 4; run += 1) await listen(adapter)
      const ports = (await provider.requests()).map(request => request.clientPort)
      expect(new Set(ports.slice(0, 2)).size).toBe(1)
      expect(new Set(ports.slice(2)).size).toBe(1)
    })

    test('many answers at the same time do not mix', async () => {
      await provider.clear()
      const texts = Array.from({ length: 20 }, (_, index) => `answer ${index} `.repeat(10).trim())
      const all = await Promise.all(
        texts.map(text => {
          const script = JSON.stringify({ text, intervalMs: 1 })
          return listen(adapter, askFor({ messages: [{ role: 'user', content: `[[script:${script}]]` }] }))
        }),
      )
      expect(all.map(heard => heard.text)).toEqual(texts)
    })
  })
}

import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  keyFingerprint,
  type Script,
  type ScriptedProvider,
  startProvider,
} from '../../../test/provider/index.ts'
import { askFor, listen, testKey, told } from './contract.ts'
import { createOpenAiCompatible } from './openai-compatible.ts'
import { createOutbound } from './outbound.ts'

const outbound = createOutbound()
let provider: ScriptedProvider
beforeAll(async () => {
  provider = await startProvider()
})
afterAll(async () => {
  outbound.close()
  await provider.close()
})

const adapterFor = (name: 'openrouter' | 'openai', apiKey?: string) =>
  createOpenAiCompatible({ provider: name, label: name, apiKey, baseUrl: provider.baseUrls[name], outbound })

async function play(script: Script) {
  await provider.clear()
  await provider.script(script)
  return listen(adapterFor('openrouter', testKey))
}

const frames = (...data: (object | string)[]) => ({
  raw: data.map(frame => `data: ${typeof frame === 'string' ? frame : JSON.stringify(frame)}\n\n`).join(''),
})

test('the request to OpenRouter', async () => {
  await provider.clear()
  await listen(
    adapterFor('openrouter', testKey),
    askFor({ model: 'google/gemini-2.5-flash', system: 'Be kind.' }),
  )
  const [request] = await provider.requests()
  expect(request?.path).toBe('/openrouter/api/v1/chat/completions')
  expect(request?.auth).toEqual({ header: 'authorization', fingerprint: keyFingerprint(testKey) })
  expect(request?.body).toEqual({
    model: 'google/gemini-2.5-flash',
    messages: [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'hello' },
    ],
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: 1000,
    temperature: 0.7,
    top_p: 0.95,
    top_k: 40,
  })
})

test.each(['gpt-5-mini', 'gpt-5.1', 'gpt-6.1-sol', 'o3', 'o4-mini'])(
  '%s reasons: no sampling values, and another name for the limit',
  async model => {
    await provider.clear()
    await listen(adapterFor('openai'), askFor({ model, system: 'Be kind.' }))
    const [request] = await provider.requests()
    expect(request?.body).toEqual({
      model,
      messages: [
        { role: 'developer', content: 'Be kind.' },
        { role: 'user', content: 'hello' },
      ],
      stream: true,
      stream_options: { include_usage: true },
      max_completion_tokens: 1000,
    })
  },
)

test.each(['gpt-4.1', 'gpt-4o-mini', 'gpt-5-chat-latest', 'llama3.2', 'omni-1'])(
  '%s samples',
  async model => {
    await provider.clear()
    await listen(adapterFor('openai'), askFor({ model }))
    const [request] = await provider.requests()
    expect(request?.body).toMatchObject({ max_tokens: 1000, temperature: 0.7, top_p: 0.95 })
  },
)

test('without a key no authorization is sent', async () => {
  await provider.clear()
  await listen(adapterFor('openai'))
  const [request] = await provider.requests()
  expect(request?.auth).toBeNull()
})

test('a recorded answer of a reasoning model through OpenRouter', async () => {
  const head = {
    id: 'gen-1',
    provider: 'DeepSeek',
    model: 'deepseek/deepseek-r1',
    object: 'chat.completion.chunk',
    created: 1,
  }
  const delta = (content: object, finish: string | null = null) => ({
    ...head,
    choices: [
      {
        index: 0,
        delta: { role: 'assistant', ...content },
        finish_reason: finish,
        native_finish_reason: finish,
        logprobs: null,
      },
    ],
  })
  const { raw } = frames(
    delta({ content: '', reasoning: 'Hm', reasoning_details: [] }),
    delta({ content: '', reasoning: ', well' }),
    delta({ content: 'Yes', reasoning: null }),
    delta({ content: '.' }, 'stop'),
    {
      ...head,
      choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
      usage: {
        prompt_tokens: 100,
        completion_tokens: 9,
        total_tokens: 109,
        cost: 0.0001,
        prompt_tokens_details: { cached_tokens: 64 },
        completion_tokens_details: { reasoning_tokens: 5 },
      },
    },
    '[DONE]',
  )
  const heard = await play({ raw: `: OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n${raw}` })
  expect(heard).toMatchObject({ reasoning: 'Hm, well', text: 'Yes.', finish: 'stop', error: undefined })
  expect(heard.usage).toEqual({ inputTokens: 100, outputTokens: 9, cachedInputTokens: 64 })
})

test('reasoning_content, as DeepSeek and vLLM call it', async () => {
  const heard = await play(
    frames(
      { choices: [{ delta: { reasoning_content: 'so' } }] },
      { choices: [{ delta: { content: 'yes' }, finish_reason: 'stop' }] },
      '[DONE]',
    ),
  )
  expect(heard).toMatchObject({ reasoning: 'so', text: 'yes', finish: 'stop' })
})

test('what comes after [DONE] is not read', async () => {
  const heard = await play(
    frames({ choices: [{ delta: { content: 'a' }, finish_reason: 'stop' }] }, '[DONE]', {
      choices: [{ delta: { content: 'b' } }],
    }),
  )
  expect(heard).toMatchObject({ text: 'a', finish: 'stop', error: undefined })
})

test('a stream that ends after its finish reason, without [DONE], is complete', async () => {
  const heard = await play(frames({ choices: [{ delta: { content: 'a' }, finish_reason: 'stop' }] }))
  expect(heard).toMatchObject({ text: 'a', finish: 'stop', error: undefined })
})

test.each(['cut-fin', 'cut-rst'] as const)(
  '%s after the finish reason: complete, though usage is missing',
  async fault => {
    const heard = await play({
      ...frames({ choices: [{ delta: { content: 'a' }, finish_reason: 'stop' }] }),
      fault,
      faultAfter: 0,
    })
    expect(heard).toMatchObject({ text: 'a', finish: 'stop', usage: undefined, error: undefined })
  },
)

test.each([
  ['stop', 'stop'],
  ['length', 'length'],
  ['content_filter', 'filtered'],
  ['tool_calls', 'unknown'],
  ['__proto__', 'unknown'],
])('finish_reason %s', async (finish, expected) => {
  const heard = await play(frames({ choices: [{ delta: {}, finish_reason: finish }] }, '[DONE]'))
  expect(heard.finish).toBe(expected)
})

test.each([
  [{ code: 429, message: 'busy' }, 'PROVIDER_RATE_LIMITED'],
  [{ code: '429', message: 'busy' }, 'PROVIDER_RATE_LIMITED'],
  [{ code: 'rate_limit_exceeded', message: 'busy' }, 'PROVIDER_RATE_LIMITED'],
  [{ code: 402, message: 'credits' }, 'PROVIDER_OUT_OF_CREDIT'],
  [{ code: 'insufficient_quota', message: 'You exceeded your current quota' }, 'PROVIDER_OUT_OF_CREDIT'],
  [{ code: 401, message: 'no' }, 'PROVIDER_KEY_REFUSED'],
  [{ code: 403, message: 'flagged', metadata: { reasons: ['x'] } }, 'CONTENT_FILTERED'],
  [{ code: 403, message: 'not for you' }, 'PROVIDER_KEY_REFUSED'],
  [{ code: 502, message: 'down' }, 'PROVIDER_ERROR'],
  [{ type: 'server_error', message: 'oops' }, 'PROVIDER_ERROR'],
  [{ message: 'nothing else' }, 'PROVIDER_ERROR'],
  [{ code: 'context_length_exceeded', message: 'too long' }, 'CONTEXT_TOO_LONG'],
  ['just words', 'PROVIDER_ERROR'],
])('an error inside the stream: %j', async (error, code) => {
  const heard = await play(frames({ choices: [{ delta: { content: 'a' } }] }, { error }))
  expect(heard.text).toBe('a')
  expect(told(heard.error)).toMatchObject({ code })
})

test('finish_reason error without an error', async () => {
  const heard = await play(frames({ choices: [{ delta: { content: 'a' }, finish_reason: 'error' }] }))
  expect(told(heard.error)).toMatchObject({ code: 'PROVIDER_ERROR' })
})

test('429 because the money is gone is not a matter of waiting', async () => {
  const heard = await play({
    status: 429,
    error: {
      code: 'insufficient_quota',
      message: 'You exceeded your current quota, please check your plan and billing details.',
    },
  })
  expect(told(heard.error)).toMatchObject({ kind: 'unavailable', code: 'PROVIDER_OUT_OF_CREDIT' })
})

test('an error in a JSON body with status 200', async () => {
  const heard = await play({
    status: 200,
    error: { body: '{"error":{"code":503,"message":"No provider available"}}' },
  })
  expect(told(heard.error)).toMatchObject({ code: 'PROVIDER_ERROR' })
})

test('an answer that was not streamed although that was asked for', async () => {
  const heard = await play({ status: 200, error: { body: '{"choices":[{"message":{"content":"hi"}}]}' } })
  expect(told(heard.error)).toMatchObject({ code: 'PROVIDER_BAD_RESPONSE' })
})

test.each([
  'null',
  '[]',
  '"text"',
  '{"choices":5}',
  '{"choices":[{"delta":{"content":{"a":1}}}]}',
  '{"choices":[null]}',
])('a frame of any other shape never breaks the process: %s', async frame => {
  const heard = await play(frames(frame))
  expect(heard.text).toBe('')
  expect(heard.finish).toBeUndefined()
})

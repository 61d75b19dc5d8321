import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Script, type ScriptedProvider, startProvider } from '../../../test/provider/index.ts'
import { createAnthropic } from './anthropic.ts'
import { askFor, listen, testKey, told } from './contract.ts'
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

async function play(
  script: Script,
  { model = 'claude-sonnet-5-5', baseUrl = provider.baseUrls.anthropic, temperature = 0.7 } = {},
) {
  await provider.clear()
  await provider.script(script)
  return listen(
    createAnthropic({ baseUrl, apiKey: testKey, outbound }),
    askFor({ model, system: 'Be kind.', temperature }),
  )
}

const events = (...data: ({ type: string } & Record<string, unknown>)[]) => ({
  raw: data.map(event => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''),
})

test('the request is what the Messages API documents', async () => {
  await play({})
  const [request] = await provider.requests()
  expect(request?.path).toBe('/anthropic/v1/messages')
  expect(request?.auth?.header).toBe('x-api-key')
  expect(request?.headers['anthropic-version']).toBe('2023-06-01')
  expect(request?.body).toEqual({
    model: 'claude-sonnet-5-5',
    max_tokens: 1000,
    system: 'Be kind.',
    messages: [{ role: 'user', content: 'hello' }],
    stream: true,
  })
})

test('a base URL that ends with the version is not given a second one', async () => {
  await play({}, { baseUrl: `${provider.url}/proxy/v1` })
  expect((await provider.requests())[0]?.path).toBe('/proxy/v1/messages')
})

test.each([
  'claude-sonnet-4-6',
  'claude-opus-4-1-20250805',
  'claude-3-5-haiku-latest',
  'claude-sonnet-4-20250514',
  'other-model',
])('%s takes temperature (at most 1) and top_k, never top_p', async model => {
  await play({}, { model, temperature: 1.7 })
  const [request] = await provider.requests()
  expect(request?.body).toMatchObject({ temperature: 1, top_k: 40 })
  expect(request?.body).not.toHaveProperty('top_p')
})

test.each(['claude-opus-4-7', 'claude-opus-5-5', 'claude-haiku-5-5', 'claude-fable-5-1'])(
  '%s takes no sampling values',
  async model => {
    await play({}, { model })
    const body = (await provider.requests())[0]?.body
    for (const name of ['temperature', 'top_p', 'top_k']) expect(body).not.toHaveProperty(name)
  },
)

test('a recorded answer with thinking, cache and pings', async () => {
  const raw = events(
    {
      type: 'message_start',
      message: {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'claude-sonnet-4-6',
        content: [],
        stop_reason: null,
        usage: {
          input_tokens: 30,
          cache_creation_input_tokens: 100,
          cache_read_input_tokens: 2000,
          output_tokens: 1,
          service_tier: 'standard',
        },
      },
    },
    {
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'thinking', thinking: '', signature: '' },
    },
    { type: 'ping' },
    { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Hm.' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'EqQB' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Hello' } },
    { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: '!' } },
    { type: 'content_block_stop', index: 1 },
    { type: 'something_new', value: 1 },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: 25 },
    },
    { type: 'message_stop' },
  )
  const heard = await play(raw)
  expect(heard).toMatchObject({ reasoning: 'Hm.', text: 'Hello!', finish: 'stop', error: undefined })
  expect(heard.usage).toEqual({ inputTokens: 2130, outputTokens: 25, cachedInputTokens: 2000 })
})

test('input is known as soon as the answer begins, so that a cut one can be priced', async () => {
  const heard = await play({ fault: 'cut-rst', usage: { input: 50, cached: 20 } })
  expect(heard.usage).toEqual({ inputTokens: 50, outputTokens: 1, cachedInputTokens: 20 })
  expect(told(heard.error)).toMatchObject({ code: 'PROVIDER_CUT' })
})

test.each([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['refusal', 'filtered'],
  ['pause_turn', 'unknown'],
  ['tool_use', 'unknown'],
])('stop_reason %s', async (reason, expected) => {
  const heard = await play(
    events(
      { type: 'message_delta', delta: { stop_reason: reason } },
      {
        type: 'message_stop',
      },
    ),
  )
  expect(heard.finish).toBe(expected)
})

test.each([
  ['overloaded_error', 'PROVIDER_ERROR'],
  ['api_error', 'PROVIDER_ERROR'],
  ['rate_limit_error', 'PROVIDER_RATE_LIMITED'],
  ['authentication_error', 'PROVIDER_KEY_REFUSED'],
  ['permission_error', 'PROVIDER_KEY_REFUSED'],
  ['billing_error', 'PROVIDER_OUT_OF_CREDIT'],
  ['invalid_request_error', 'PROVIDER_REFUSED'],
  ['request_too_large', 'CONTEXT_TOO_LONG'],
  ['never_heard_of', 'PROVIDER_ERROR'],
])('an error event: %s', async (type, code) => {
  const heard = await play(events({ type: 'error', error: { type, message: 'as it is' } }))
  expect(told(heard.error)).toMatchObject({ code })
})

test.each([
  [529, 'overloaded_error', 'Overloaded', 'PROVIDER_ERROR'],
  [400, 'invalid_request_error', 'prompt is too long: 250000 tokens > 200000 maximum', 'CONTEXT_TOO_LONG'],
  [
    400,
    'invalid_request_error',
    'Your credit balance is too low to access the Anthropic API.',
    'PROVIDER_OUT_OF_CREDIT',
  ],
  [404, 'not_found_error', 'model: claude-x', 'PROVIDER_REFUSED'],
  [413, 'request_too_large', 'Request exceeds the maximum size', 'CONTEXT_TOO_LONG'],
])('status %i, %s, "%s"', async (status, code, message, expected) => {
  const heard = await play({ status, error: { code, message } })
  expect(told(heard.error)).toMatchObject({ code: expected })
})

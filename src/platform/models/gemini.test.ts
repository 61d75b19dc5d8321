import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Script, type ScriptedProvider, startProvider } from '../../../test/provider/index.ts'
import type { AppError } from '../../lib/errors.ts'
import { askFor, listen, testKey, told } from './contract.ts'
import { createGemini } from './gemini.ts'
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

async function play(script: Script, baseUrl = provider.baseUrls.gemini) {
  await provider.clear()
  await provider.script(script)
  return listen(
    createGemini({ baseUrl, apiKey: testKey, outbound }),
    askFor({ model: 'gemini-2.5-flash', system: 'Be kind.' }),
  )
}

const refusal = (status: number, code: string, message: string, details: object[] = []): Script => ({
  status,
  error: { body: JSON.stringify({ error: { code: status, message, status: code, details } }) },
})

test('the request is what the Gemini API documents', async () => {
  await play({})
  const [request] = await provider.requests()
  expect(request?.path).toBe('/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse')
  expect(request?.auth?.header).toBe('x-goog-api-key')
  expect(request?.body).toEqual({
    systemInstruction: { parts: [{ text: 'Be kind.' }] },
    contents: [{ role: 'user', parts: [{ text: 'hello' }] }],
    generationConfig: { temperature: 0.7, topK: 40, topP: 0.95, maxOutputTokens: 1000 },
  })
})

test.each(['', '/v1beta', '/v1', '/v1beta/'])(
  'the path of the base URL is kept, with its version if it has one: "%s"',
  async version => {
    await play({}, `${provider.url}/some/prefix${version}`)
    const [request] = await provider.requests()
    const expected = version === '/v1' ? 'v1' : 'v1beta'
    expect(request?.path).toBe(
      `/some/prefix/${expected}/models/gemini-2.5-flash:streamGenerateContent?alt=sse`,
    )
  },
)

test('a model’s name cannot lead to another path', async () => {
  await provider.clear()
  await listen(
    createGemini({ baseUrl: provider.baseUrls.gemini, outbound }),
    askFor({ model: '../../x?key=1#' }),
  )
  const [request] = await provider.requests()
  expect(request?.path).toBe('/gemini/v1beta/models/..%2F..%2Fx%3Fkey%3D1%23:streamGenerateContent?alt=sse')
})

test('a recorded answer of a thinking model with cached input', async () => {
  const raw = [
    '{"candidates":[{"content":{"parts":[{"text":"**Considering**\\n","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":2150,"totalTokenCount":2190,"cachedContentTokenCount":2048,"promptTokensDetails":[{"modality":"TEXT","tokenCount":2150}],"thoughtsTokenCount":40},"modelVersion":"gemini-2.5-flash","responseId":"mNqPaO"}',
    '{"candidates":[{"content":{"parts":[{"text":"Hel"},{"text":"lo "}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":2150,"candidatesTokenCount":2,"totalTokenCount":2192,"cachedContentTokenCount":2048,"thoughtsTokenCount":40},"modelVersion":"gemini-2.5-flash","responseId":"mNqPaO"}',
    '{"candidates":[{"content":{"parts":[{"text":"there","thoughtSignature":"CiQB"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":2150,"candidatesTokenCount":3,"totalTokenCount":2193,"cachedContentTokenCount":2048,"thoughtsTokenCount":41},"modelVersion":"gemini-2.5-flash","responseId":"mNqPaO"}',
  ]
  const heard = await play({ raw: raw.map(line => `data: ${line}\r\n\r\n`).join('') })
  expect(heard).toMatchObject({
    text: 'Hello there',
    reasoning: '**Considering**\n',
    finish: 'stop',
    error: undefined,
  })
  expect(heard.usage).toEqual({ inputTokens: 2150, outputTokens: 44, cachedInputTokens: 2048 })
})

test.each([
  ['STOP', 'stop'],
  ['MAX_TOKENS', 'length'],
  ['SAFETY', 'filtered'],
  ['RECITATION', 'filtered'],
  ['BLOCKLIST', 'filtered'],
  ['PROHIBITED_CONTENT', 'filtered'],
  ['SPII', 'filtered'],
  ['MALFORMED_FUNCTION_CALL', 'unknown'],
  ['constructor', 'unknown'],
])('finishReason %s', async (finishReason, expected) => {
  const heard = await play({
    raw: `data: ${JSON.stringify({ candidates: [{ finishReason, index: 0 }] })}\n\n`,
  })
  expect(heard.finish).toBe(expected)
})

test('a blocked prompt says why', async () => {
  const { error } = await play({ fault: 'prompt-blocked', faultAfter: 0 })
  expect((error as AppError).message).toContain('PROHIBITED_CONTENT')
})

test('a bad key comes as 400 and is still a refused key', async () => {
  const details = [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'API_KEY_INVALID',
      domain: 'googleapis.com',
    },
  ]
  const { error } = await play(
    refusal(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', details),
  )
  expect(told(error)).toMatchObject({ code: 'PROVIDER_KEY_REFUSED', kind: 'unavailable' })
})

test('RetryInfo tells how long to wait', async () => {
  const details = [
    { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [] },
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '33.4s' },
  ]
  const { error } = await play(
    refusal(429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota.', details),
  )
  expect(told(error)).toEqual({ kind: 'upstream', code: 'PROVIDER_RATE_LIMITED', retryAfterSeconds: 34 })
})

test('a prompt that is too long', async () => {
  const message = 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).'
  const { error } = await play(refusal(400, 'INVALID_ARGUMENT', message))
  expect(told(error)).toMatchObject({ code: 'CONTEXT_TOO_LONG', kind: 'unprocessable' })
})

test('errors wrapped in an array, as without alt=sse', async () => {
  const { error } = await play({
    status: 503,
    error: { body: '[{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}]' },
  })
  expect(told(error)).toMatchObject({ code: 'PROVIDER_ERROR' })
  expect((error as AppError).message).toBe('Gemini could not answer: The model is overloaded.')
})

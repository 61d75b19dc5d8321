import { afterAll } from 'vitest'
import { createAnthropic } from './anthropic.ts'
import { describeAdapterContract } from './contract.ts'
import { createGemini } from './gemini.ts'
import { createOpenAiCompatible } from './openai-compatible.ts'
import { createOutbound } from './outbound.ts'

const outbound = createOutbound({ allowPrivateAddresses: true })
afterAll(() => outbound.close())

describeAdapterContract({
  name: 'gemini',
  create: (baseUrl, apiKey) => createGemini({ baseUrl, apiKey, outbound }),
  blockedPrompt: 'error',
})
describeAdapterContract({
  name: 'openrouter',
  create: (baseUrl, apiKey) =>
    createOpenAiCompatible({ provider: 'openrouter', label: 'OpenRouter', baseUrl, apiKey, outbound }),
  blockedPrompt: 'error',
})
describeAdapterContract({
  name: 'openai',
  create: (baseUrl, apiKey) =>
    createOpenAiCompatible({ provider: 'openai', label: 'OpenAI', baseUrl, apiKey, outbound }),
  blockedPrompt: 'error',
})
describeAdapterContract({
  name: 'anthropic',
  create: (baseUrl, apiKey) => createAnthropic({ baseUrl, apiKey, outbound }),
  blockedPrompt: 'finish',
})

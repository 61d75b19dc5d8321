import { expect, test } from 'vitest'
import { askFor, listen, testKey, told } from './contract.ts'
import { createOpenAiCompatible } from './openai-compatible.ts'
import { createOutbound, isPrivateAddress } from './outbound.ts'

test.each([
  'http://127.0.0.1:9',
  'http://127.1:9',
  'http://2130706433:9',
  'http://[::1]:9',
  'http://[::ffff:127.0.0.1]:9',
  'http://10.1.2.3',
  'http://169.254.169.254/latest',
  'http://localhost:9',
  'http://user:password@example.com',
  'file:///etc/passwd',
  'not a url',
])('a base URL that an account entered does not lead inside: %s', async baseUrl => {
  const outbound = createOutbound()
  const adapter = createOpenAiCompatible({
    provider: 'openai',
    label: 'OpenAI',
    baseUrl: 'http://127.0.0.1:9',
    apiKey: testKey,
    outbound,
  })
  const { error, parts } = await listen(adapter, askFor({ baseUrl, apiKey: 'own' }))
  outbound.close()
  expect(parts).toEqual([])
  expect(told(error)).toMatchObject({ kind: 'unprocessable', code: 'PROVIDER_REFUSED' })
})

test.each([
  ['8.8.8.8', false],
  ['2606:4700::1111', false],
  ['192.168.1.1', true],
  ['100.64.0.1', true],
  ['172.31.255.255', true],
  ['172.32.0.1', false],
  ['fd00::1', true],
  ['fe80::1', true],
  ['::', true],
  ['64:ff9b::7f00:1', true],
  ['2002:7f00:1::', true],
  ['nonsense', true],
])('%s is private: %s', (address, expected) => {
  expect(isPrivateAddress(address)).toBe(expected)
})

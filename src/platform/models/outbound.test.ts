import type { lookup } from 'node:dns'
import { isIP } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Canary, insideUrls, openCanary } from '../../../test/support/canary.ts'
import { AppError } from '../../lib/errors.ts'
import { askFor, listen, testKey, told } from './contract.ts'
import { isPrivateAddress } from './entered-addresses.ts'
import { createOpenAiCompatible } from './openai-compatible.ts'
import { createOutbound, type OutboundOptions } from './outbound.ts'

let canary: Canary
beforeAll(async () => {
  canary = await openCanary()
})
afterAll(() => canary[Symbol.asyncDispose]())

/** What names stand for, told by the test: no name is resolved outside. */
function names(addresses: Record<string, string[]>): typeof lookup {
  const resolve = (
    host: string,
    _options: object,
    callback: (error: Error | null, found: { address: string; family: number }[]) => void,
  ) => {
    const found = addresses[host] ?? (isIP(host) === 0 ? [] : [host])
    const error = found.length === 0 ? new Error(`no such name ${host}`) : null
    const all = found.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
    queueMicrotask(() => callback(error, all))
  }
  return resolve as unknown as typeof lookup
}

async function ask(baseUrl: string, options: OutboundOptions = {}) {
  const outbound = createOutbound({ resolve: names({}), ...options })
  const operators = { baseUrl: 'http://127.0.0.1:9', apiKey: testKey }
  const adapter = createOpenAiCompatible({ provider: 'openai', label: 'OpenAI', ...operators, outbound })
  const heard = await listen(adapter, askFor({ baseUrl, apiKey: 'own' }))
  outbound.close()
  return heard
}

async function refusalOf(baseUrl: string, options: OutboundOptions = {}): Promise<AppError | null> {
  const outbound = createOutbound({ resolve: names({}), ...options })
  try {
    await outbound.admit(baseUrl)
    return null
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  } finally {
    outbound.close()
  }
}

describe('a base URL that an account entered', () => {
  test('does not lead inside, in any spelling: neither when it is entered nor when it is used', async () => {
    const texts = new Set<string>()
    for (const url of insideUrls(canary.port)) {
      const refusal = await refusalOf(url)
      expect([url, refusal?.kind, refusal?.details[0]?.field]).toEqual([url, 'invalid', 'baseUrl'])
      texts.add(refusal?.message ?? '')
    }
    expect([...texts]).toEqual(['baseUrl must be the https address of a model provider on the internet'])
    // What only the entry refuses (a query, a public host) is left out: using it would ask that host.
    for (const url of insideUrls(canary.port).filter(
      each => !/8\.8\.8\.8[/#\\]/.test(each) || /^http:/.test(each),
    )) {
      const { error, parts } = await ask(url)
      expect([url, parts.length]).toEqual([url, 0])
      expect([url, told(error)]).toMatchObject([url, { kind: 'unprocessable', code: 'PROVIDER_REFUSED' }])
    }
    expect(canary.hits()).toBe(0)
  })

  test('is checked by the addresses that its name stands for at that moment, all of them', async () => {
    const { port } = canary
    const url = `https://api.example.com:${port}/v1`
    const changing: Record<string, string[]> = { 'api.example.com': ['93.184.216.34'] }
    const resolve = names(changing)
    expect(await refusalOf(url, { resolve })).toBeNull()
    for (const inside of [['127.0.0.1'], ['93.184.216.34', '127.0.0.1'], ['::1'], ['169.254.169.254']]) {
      changing['api.example.com'] = inside
      expect((await refusalOf(url, { resolve }))?.code).toBe('VALIDATION_ERROR')
      expect(told((await ask(url, { resolve })).error)).toMatchObject({ code: 'PROVIDER_REFUSED' })
    }
    expect((await refusalOf('https://no-such.example.com/v1', { resolve }))?.code).toBe('VALIDATION_ERROR')
    expect(canary.hits()).toBe(0)
  })

  test('is kept in one spelling', async () => {
    const outbound = createOutbound({ resolve: names({ 'api.example.com': ['93.184.216.34'] }) })
    expect(await outbound.admit('HTTPS://API.Example.com:443/v1//')).toBe('https://api.example.com/v1')
    expect(await outbound.admit('https://93.184.216.34:8443')).toBe('https://93.184.216.34:8443')
    outbound.close()
  })

  test('may lead inside where the operator allows it, but not to a database or with credentials', async () => {
    const options = { allowPrivateAddresses: true }
    const before = canary.hits()
    expect(await refusalOf(`http://127.0.0.1:${canary.port}/v1`, options)).toBeNull()
    await ask(`http://127.0.0.1:${canary.port}/v1`, options)
    expect(canary.hits()).toBe(before + 1)
    for (const url of [
      'http://127.0.0.1:6379',
      'http://127.0.0.1:22',
      'http://a:b@127.0.0.1:11434',
      'file:///x',
    ]) {
      expect([url, (await refusalOf(url, options))?.code]).toEqual([url, 'VALIDATION_ERROR'])
      expect([url, told((await ask(url, options)).error)]).toMatchObject([url, { code: 'PROVIDER_REFUSED' }])
    }
  })
})

test.each([
  ['8.8.8.8', false],
  ['2606:4700::1111', false],
  ['192.168.1.1', true],
  ['100.64.0.1', true],
  ['172.31.255.255', true],
  ['172.32.0.1', false],
  ['192.0.2.1', true],
  ['fd00::1', true],
  ['fe80::1', true],
  ['::', true],
  ['64:ff9b::7f00:1', true],
  ['2002:7f00:1::', true],
  ['nonsense', true],
])('%s is private: %s', (address, expected) => {
  expect(isPrivateAddress(address)).toBe(expected)
})

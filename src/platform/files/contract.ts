import { describe, expect, test } from 'vitest'
import type { Files } from './index.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const type = { contentType: 'text/plain; charset=utf-8' }

async function keysUnder(files: Files, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const key of files.list(prefix)) keys.push(key)
  return keys
}

const refusedKeys = [
  '',
  '/',
  'a/',
  '/a',
  'a//b',
  '..',
  '../a',
  'a/../b',
  './a',
  'a/.',
  '.hidden',
  'a\\b',
  'C:\\a',
  'a\0b',
  'a\nb',
  'a b',
  '%2e%2e%2fa',
  '．．／a',
  'é',
  'a'.repeat(513),
  `${'a/'.repeat(256)}a`,
]

/** What every Files adapter promises. `open` gives a store that may hold other objects; keys used here start with `contract-`. */
export function filesContract(open: () => Promise<Files>): void {
  describe('files', () => {
    test('gives back the very bytes that were put, and the last ones after a second put', async () => {
      const files = await open()
      const all = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256)
      await files.put('contract-bytes/all', all, type)
      expect(Buffer.from((await files.get('contract-bytes/all')) ?? [])).toEqual(Buffer.from(all))
      await files.put('contract-bytes/all', bytes('shorter'), type)
      expect(Buffer.from((await files.get('contract-bytes/all')) ?? []).toString()).toBe('shorter')
      await files.put('contract-bytes/empty', new Uint8Array(), type)
      expect((await files.get('contract-bytes/empty'))?.length).toBe(0)
    })

    test('an absent key reads as null and deletes in peace', async () => {
      const files = await open()
      expect(await files.get('contract-absent/x')).toBeNull()
      await files.delete('contract-absent/x')
      await files.put('contract-absent/y', bytes('y'), type)
      await files.delete('contract-absent/y')
      await files.delete('contract-absent/y')
      expect(await files.get('contract-absent/y')).toBeNull()
    })

    test('lists keys in order, by prefix of the text, and nothing that was deleted', async () => {
      const files = await open()
      const keys = ['contract-list/a/1', 'contract-list/a/2', 'contract-list/ab', 'contract-list/b/c/d']
      for (const key of keys.toReversed()) await files.put(key, bytes(key), type)
      expect(await keysUnder(files, 'contract-list/')).toEqual(keys)
      expect(await keysUnder(files, 'contract-list/a')).toEqual(keys.slice(0, 3))
      expect(await keysUnder(files, 'contract-list/a/')).toEqual(keys.slice(0, 2))
      expect(await keysUnder(files, 'contract-nothing/')).toEqual([])
      await files.delete('contract-list/a/1')
      expect(await keysUnder(files, 'contract-list/a/')).toEqual(['contract-list/a/2'])
    })

    test('many writers of one key leave one whole object', async () => {
      const files = await open()
      const bodies = Array.from({ length: 16 }, (_, index) => String.fromCharCode(97 + index).repeat(50_000))
      await Promise.all(bodies.map(body => files.put('contract-race/x', bytes(body), type)))
      const text = Buffer.from((await files.get('contract-race/x')) ?? []).toString()
      expect(bodies).toContain(text)
    })

    test.each(refusedKeys)('refuses the key %j', async key => {
      const files = await open()
      const refusal = { kind: 'invalid', code: 'FILE_KEY' }
      await expect(async () => files.put(key, bytes('x'), type)).rejects.toMatchObject(refusal)
      await expect(async () => files.get(key)).rejects.toMatchObject(refusal)
      await expect(async () => files.delete(key)).rejects.toMatchObject(refusal)
      await expect(async () =>
        files.link(key, { expiresInSeconds: 1, contentType: 'a/b' }),
      ).rejects.toMatchObject(refusal)
    })

    test('links are absolute', async () => {
      const files = await open()
      await files.put('contract-link/x', bytes('linked'), type)
      const link = await files.link('contract-link/x', { expiresInSeconds: 60, contentType: 'text/plain' })
      expect(new URL(link).protocol).toMatch(/^https?:$/)
    })
  })
}

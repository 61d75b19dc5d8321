import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deriveKey, hashToken, isEqualSecret, keyedHash, randomToken, seal, unseal } from './seal.ts'

const key = deriveKey('a secret of the operator that is long enough', 'test')

test('what was sealed is opened with the same key and context only', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (text, context) => {
      const sealed = seal(key, text, context)
      expect(unseal(key, sealed, context)).toBe(text)
      expect(() => unseal(key, sealed, `${context}x`)).toThrow()
      expect(() => unseal(deriveKey('another secret of the operator', 'test'), sealed, context)).toThrow()
    }),
  )
})

test('any changed bit, and anything too short, is refused', () => {
  const sealed = seal(key, 'sk-a-key-of-a-person', 'provider_keys:1')
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(() => unseal(key, changed, 'provider_keys:1')).toThrow()
  }
  for (let length = 0; length < sealed.length; length++) {
    expect(() => unseal(key, sealed.subarray(0, length), 'provider_keys:1')).toThrow()
  }
})

test('the same text is never sealed to the same bytes', () => {
  expect(seal(key, 'text', 'context').equals(seal(key, 'text', 'context'))).toBe(false)
})

test('keys of different purposes and secrets differ, and stay the same over time', () => {
  expect(deriveKey('secret', 'one').equals(deriveKey('secret', 'two'))).toBe(false)
  expect(deriveKey('secret', 'one').equals(deriveKey('other', 'one'))).toBe(false)
  expect(deriveKey('secret', 'one').toString('hex')).toBe(
    'a82e29d2392bcd6dcac761260f706d4c814897f9ed97eb2d84f7920096cbe2bc',
  )
})

test('the parts of a keyed hash cannot run into each other', () => {
  expect(keyedHash(key, 'ab', 'c').equals(keyedHash(key, 'a', 'bc'))).toBe(false)
  expect(keyedHash(key, 'a', '').equals(keyedHash(key, 'a'))).toBe(false)
  expect(keyedHash(key, 'a', 'b').equals(keyedHash(key, 'a', 'b'))).toBe(true)
})

test('tokens are new each time, say what they are, and have 256 bits', () => {
  const tokens = new Set(Array.from({ length: 1000 }, () => randomToken('atr_')))
  expect(tokens.size).toBe(1000)
  for (const token of tokens) expect(token).toMatch(/^atr_[\w-]{43}$/)
  expect(hashToken('text').toString('hex')).toBe(
    '982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1',
  )
})

test('texts are equal or not, of whatever length', () => {
  expect(isEqualSecret('abc', 'abc')).toBe(true)
  expect(isEqualSecret('abc', 'abd')).toBe(false)
  expect(isEqualSecret('abc', 'abcd')).toBe(false)
  expect(isEqualSecret('', '')).toBe(true)
})

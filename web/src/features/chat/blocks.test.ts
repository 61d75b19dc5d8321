import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitBlocks } from './blocks.ts'

test('paragraphs, fences and lists are pieces of their own', () => {
  const code = '```tsx\nconst a = 1\n\nconst b = 2\n```\n'
  const list = '1. one\n\n   more of one\n\n2. two\n'
  expect(splitBlocks(`Hello\n\n${code}\nThen\n\n${list}\nEnd`)).toEqual([
    'Hello\n\n',
    `${code}\n`,
    'Then\n\n',
    `${list}\n`,
    'End',
  ])
})

test('a longer fence keeps a shorter one inside, and an unfinished one keeps the rest', () => {
  const nested = '````md\n```js\n1\n\n2\n```\n\nstill inside\n````\n\n'
  expect(splitBlocks(`${nested}after`)).toEqual([nested, 'after'])
  expect(splitBlocks('a\n\n```js\nlet x\n\nlet y')).toEqual(['a\n\n', '```js\nlet x\n\nlet y'])
})

test('link definitions keep the text whole, unless they are code', () => {
  const linked = 'See [docs].\n\n[docs]: https://example.org\n'
  expect(splitBlocks(linked)).toEqual([linked])
  expect(splitBlocks('a\n\n```\n[x]: y\n```\n\nb')).toHaveLength(3)
})

test('joined pieces are the text, and growing text changes only the last piece', () => {
  const pieces = fc.constantFrom(
    'a',
    ' ',
    '\n',
    '\n\n',
    '```',
    '~~~~',
    '- x',
    '1. y',
    '    z',
    '|',
    '#',
    '[b]',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), fc.array(pieces, { maxLength: 10 }), (before, after) => {
      const early = splitBlocks(before.join(''))
      const late = splitBlocks([...before, '\n', ...after].join(''))
      expect(early.join('')).toBe(before.join(''))
      expect(late.slice(0, Math.max(0, early.length - 1))).toEqual(early.slice(0, -1))
    }),
    { numRuns: 2_000 },
  )
})

import { expect, test } from 'vitest'
import { spokenOpening } from './spoken.ts'

test('code in a line is spoken as it is written', () => {
  expect(spokenOpening('Set `GEMINI_API_KEY` and call `a * b`.')).toBe('Set GEMINI_API_KEY and call a * b.')
})

test('names with underscores stay, also outside code', () => {
  expect(spokenOpening('Set MAX_SIZE or __init__ to _one_ value.')).toBe('Set MAX_SIZE or init to one value.')
})

test('marks and blocks of code are left out', () => {
  expect(spokenOpening('## Two **ways** in C#\n\n> _First_\n\n```ts\nlet a_b\n```\n\nThen.')).toBe(
    'Two ways in C# First Then.',
  )
})

test('a code block that is still growing is left out', () => {
  expect(spokenOpening('Here:\n```ts\nlet a')).toBe('Here:')
})

test('long prose is cut', () => {
  expect(spokenOpening('word '.repeat(200))).toHaveLength(241)
})

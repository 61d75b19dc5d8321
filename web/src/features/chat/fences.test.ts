import { expect, test } from 'vitest'
import { splitFences } from './fences.ts'

test('fenced blocks are told from the words around them', () => {
  expect(splitFences('“Page” fails:\n\n```text\nline 1\n\n  line 2\n```\n\nPlease fix it.')).toEqual([
    { text: '“Page” fails:' },
    { code: 'line 1\n\n  line 2', language: 'text' },
    { text: 'Please fix it.' },
  ])
  expect(splitFences('```\na\n```\n````md\n```js\nb\n```\n````')).toEqual([
    { code: 'a', language: '' },
    { code: '```js\nb\n```', language: 'md' },
  ])
  expect(splitFences('```js\n```')).toEqual([{ code: '', language: 'js' }])
})

test.each([
  '\n  # no *Markdown*\n\n1. stays\n',
  'a fence that is never closed:\n```js\nlet a',
  'inline ```code``` in words\n```',
  '',
])('%j stays one piece, as it was written', text => {
  expect(splitFences(text)).toEqual([{ text }])
})

import { expect, test } from 'vitest'
import { problemsOf, readPreviewMessage } from './preview-messages.ts'

test('console output becomes one line of text', () => {
  const data = { source: 'atelier-preview', type: 'console', level: 'warn', args: ['count', 3, { a: 1 }] }
  expect(readPreviewMessage(data, 7)).toEqual({ id: 7, level: 'warn', text: 'count 3 {"a":1}', place: null })
})

test('an error keeps where it happened', () => {
  const data = {
    source: 'atelier-preview',
    type: 'error',
    message: 'x is not defined',
    file: 'App.tsx',
    line: 4,
    column: 2,
  }
  expect(readPreviewMessage(data, 0)).toMatchObject({ level: 'error', place: 'App.tsx:4:2' })
})

test('a line of the built page is no place in the code', () => {
  const data = { source: 'atelier-preview', type: 'error', message: 'x', line: 240, column: 9 }
  expect(readPreviewMessage(data, 0)?.place).toBeNull()
})

test('a fix is asked for the errors alone, each once, and not for a flood of them', () => {
  const message = (level: 'log' | 'error', text: string) => ({ id: 0, level, text, place: null })
  const said = [
    message('log', 'hello'),
    message('error', 'boom'),
    message('error', 'boom'),
    message('error', ' '),
  ]
  expect(problemsOf(said)).toEqual([{ text: 'boom' }])
  expect(problemsOf([{ ...message('error', 'x'.repeat(3_000)), place: 'App.tsx:1' }])).toEqual([
    { text: 'x'.repeat(2_000), place: 'App.tsx:1' },
  ])
  const flood = Array.from({ length: 50 }, (_, index) => message('error', `boom ${index}`))
  expect(problemsOf(flood)).toHaveLength(20)
})

test('what others post is nothing, and a flood is cut', () => {
  expect(readPreviewMessage('hello', 0)).toBeNull()
  expect(readPreviewMessage({ source: 'react-devtools', type: 'console' }, 0)).toBeNull()
  expect(readPreviewMessage({ source: 'atelier-preview', type: 'ready' }, 0)).toBeNull()
  const flood = { source: 'atelier-preview', type: 'console', level: 'log', args: ['x'.repeat(100_000)] }
  expect(readPreviewMessage(flood, 0)?.text.length).toBeLessThan(5_000)
})

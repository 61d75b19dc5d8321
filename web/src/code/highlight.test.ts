import { expect, test } from 'vitest'
import { createGrowingHighlighter, type Line } from './highlight.ts'

const code = `/* one\n * comment\n */\nconst text = \`a \${1 + 1}\n  b\`\nexport default text\n`
const textOf = (lines: readonly Line[]) =>
  lines.map(line => line.map(token => token.content).join('')).join('\n')

test('code that grows letter by letter is coloured like code that was there at once', async () => {
  const whole = await createGrowingHighlighter('ts')
  const growing = await createGrowingHighlighter('ts')
  let shown: readonly Line[] = []
  for (let length = 1; length <= code.length; length += 1) {
    shown = growing?.update(code.slice(0, length)) ?? []
    expect(textOf(shown)).toBe(code.slice(0, length).replace(/\n$/, ''))
  }
  const colours = (lines: readonly Line[]) =>
    lines.map(line => line.map(token => [token.content, token.color]))
  expect(colours(shown)).toEqual(colours(whole?.update(code) ?? []))
  expect(new Set(shown.flat().map(token => token.color)).size).toBeGreaterThan(3)
})

test('code that is replaced is coloured anew, and unknown languages are left plain', async () => {
  const highlighter = await createGrowingHighlighter('typescript')
  highlighter?.update('const a = 1\n')
  expect(textOf(highlighter?.update('let b') ?? [])).toBe('let b')
  expect(await createGrowingHighlighter('klingon')).toBeNull()
})

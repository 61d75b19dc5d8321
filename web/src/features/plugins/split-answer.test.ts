import { expect, test } from 'vitest'
import { splitAnswer } from './split-answer.ts'

const whole = 'It wraps gifts.\n\n```php\n<?php\necho 1; // `x`\n```\n\nTry it.'

test('an answer is taken apart at every length', () => {
  let longest = 0
  for (let length = 1; length <= whole.length; length++) {
    const { prose, code } = splitAnswer(whole.slice(0, length))
    expect(prose).not.toContain('<?php')
    if (code === null) continue
    expect('<?php\necho 1; // `x`\n'.startsWith(code.replace(/\n?$/, ''))).toBe(true)
    expect(code.length).toBeGreaterThanOrEqual(longest - 1)
    longest = code.length
  }
  expect(splitAnswer(whole)).toEqual({ prose: 'It wraps gifts.\n\nTry it.', code: '<?php\necho 1; // `x`\n' })
})

test('without PHP there is prose alone', () => {
  expect(splitAnswer('Which price?')).toEqual({ prose: 'Which price?', code: null })
  expect(splitAnswer('```js\nlet a\n```').code).toBeNull()
  expect(splitAnswer('~~~php\n<?php\n~~~').code).toBe('<?php\n')
})

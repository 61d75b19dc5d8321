import fc from 'fast-check'
import { micromark } from 'micromark'
import { describe, expect, test } from 'vitest'
import { type Block, createDetector, type Detection, filesOf } from './detection.ts'
import { createFenceReader } from './fences.ts'
import { pathInComment, pathInProse, readInfo } from './names.ts'

function detect(text: string, cuts: readonly number[] = []): Detection[] {
  const detector = createDetector()
  const found: Detection[] = []
  let at = 0
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    if (cut <= at || cut >= text.length) continue
    found.push(...detector.write(text.slice(at, cut)))
    at = cut
  }
  found.push(...detector.write(text.slice(at)), ...detector.end())
  return found
}

function blocks(text: string): Block[] {
  return detect(text).flatMap(found => (found.type === 'block' ? [found.block] : []))
}

const component = `import { useState } from 'react'

export default function LikeButton() {
  const [likes, setLikes] = useState(0)
  return <button onClick={() => setLikes(likes + 1)}>{likes}</button>
}
`

/** Pieces that make trouble when put together in any order. */
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('```', '````', '~~~', '~~~~~', '``', '`', '~') },
  { weight: 6, arbitrary: fc.constant('\n') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('\r\n', '\r', ' ', '   ', '    ', '\t', '> ', '- ', '1. ', '# ', '**'),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'tsx',
      'js title="src/a.js"',
      'python',
      'html',
      'tsx:src/App.tsx',
      'bash',
      'src/b.css',
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '// src/c.ts',
      '**src/d.ts**',
      'export default 1',
      'const a = 1',
      'a { }',
      '<!doctype html>',
      '💡é',
    ),
  },
)
const answer = fc.array(piece, { maxLength: 120 }).map(pieces => pieces.join(''))

test('the styles and the script of a page are kept however short, once; what is said beside them is not', () => {
  const page = '```html\n<!doctype html>\n<link rel="stylesheet" href="a.css">\n<p class="a">x</p>\n```\n\n'
  const css = '```css\n.a { color: red }\n```\n\n'
  const js = '```js\nalert(1)\n```\n\n'
  expect(blocks(page + css + js).map(block => block.type)).toEqual(['HTML', 'CSS', 'JAVASCRIPT'])
  expect(blocks(page + css + css + js + js).map(block => block.type)).toEqual(['HTML', 'CSS', 'JAVASCRIPT'])
  expect(blocks(css + js + page).map(block => block.type)).toEqual(['HTML'])
  expect(blocks(`${page}## Usage\n\n${js}`).map(block => block.type)).toEqual(['HTML'])
  expect(blocks(page.replace('```html', '```html title="a.html"') + css).map(block => block.type)).toEqual([
    'HTML',
  ])
})

describe('streaming', () => {
  test('however an answer is cut, the same is found', () => {
    fc.assert(
      fc.property(answer, fc.array(fc.nat(600), { maxLength: 60 }), (text, cuts) => {
        expect(detect(text, cuts)).toEqual(detect(text))
      }),
      { numRuns: 1500 },
    )
  })

  test('one character at a time gives the same for a real answer', () => {
    const text = `# Hi\r\n\r\nHere:\r\n\r\n\`\`\`tsx\r\n${component.replaceAll('\n', '\r\n')}\`\`\`\r\n\nBye\n\n~~~py src/a.py\nx = 1\n~~~`
    const everywhere = Array.from({ length: text.length }, (_, index) => index)
    expect(detect(text, everywhere)).toEqual(detect(text))
    expect(blocks(text).map(block => block.path)).toEqual(['LikeButton.tsx', 'src/a.py'])
    expect(blocks(text)[0]?.content).toBe(component)
  })

  test('the start is told while the code is still coming', () => {
    const detector = createDetector()
    expect(detector.write('```tsx title="src/App.tsx"\nimport')).toEqual([])
    expect(detector.write(" React from 'react'\n")).toMatchObject([
      { type: 'start', key: 'files', path: 'src/App.tsx', language: 'tsx' },
    ])
    expect(detector.write('```')).toEqual([])
    expect(detector.write('\n')).toMatchObject([{ type: 'block' }])
  })

  test.each<[string, (size: number) => string]>([
    ['backticks', size => '`'.repeat(size)],
    ['fences', size => '```\n'.repeat(size / 4)],
    ['opened fences', size => '```tsx\nexport default 1\n'.repeat(size / 23)],
    ['quotes', size => '>'.repeat(size)],
    ['spaces', size => ' '.repeat(size)],
    ['blank lines in code', size => `\`\`\`ts\n${'\n'.repeat(size)}`],
    ['spaces in code', size => `\`\`\`jsx\nreturn${' '.repeat(size)}x\n\nexport default 1\n`],
    ['one long line', size => `\`\`\`ts\n${'export default '.repeat(size / 15)}`],
    ['numbers of lists', size => '1. '.repeat(size / 3)],
    ['comments', size => `\`\`\`ts\n//${' '.repeat(250)}x\n\`\`\`\n`.repeat(size / 265)],
    ['bold lines', size => `**${'a '.repeat(140)}:\n\`\`\`\n\`\`\`\n`.repeat(size / 292)],
    ['small deltas', size => 'const x = 1;'.repeat(size / 12)],
  ])('%s take time in proportion to their length', (_, make) => {
    const text = make(2_000_000)
    const cuts = Array.from({ length: 40_000 }, (_, index) => index * 50)
    const startedAt = performance.now()
    detect(text, cuts)
    expect(performance.now() - startedAt).toBeLessThan(3000)
  })
})

interface Fence {
  info: string
  code: string
}

function fences(text: string): Fence[] {
  const found: Fence[] = []
  let open: { info: string; lines: string[] } | null = null
  const reader = createFenceReader({
    prose() {},
    open(info) {
      open = { info, lines: [] }
    },
    code: line => void open?.lines.push(line),
    close() {
      if (open)
        found.push({
          info: open.info.split(/\s/)[0] ?? '',
          code: open.lines.map(line => `${line}\n`).join(''),
        })
      open = null
    },
  })
  for (const line of text.split('\n')) reader.line(line)
  reader.end()
  return found
}

/** What CommonMark's reference implementation says. */
function reference(text: string): Fence[] {
  const html = micromark(text)
  const decode = (part: string) =>
    part.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&')
  return [...html.matchAll(/<pre><code(?: class="language-([^"]*)")?>([\s\S]*?)<\/code><\/pre>/g)].map(
    match => ({
      info: decode(match[1] ?? ''),
      code: decode(match[2] ?? ''),
    }),
  )
}

const line = fc.oneof(
  fc.constantFrom(
    '```',
    '````',
    '`````',
    '~~~',
    '~~~~',
    '```js',
    '~~~ python',
    '```` tsx x',
    '``` a`b',
    '~~~ a`b ~~~',
    '``',
    '`x`',
  ),
  fc.constantFrom(' ```', '  ~~~', '   ```ts', ' ````', '```   ', '~~~ ~', '```x```'),
  fc.constantFrom(
    '',
    'text',
    '# heading',
    'a <b> & "c"',
    '  two spaces',
    '> quoted',
    '> ```',
    '> ```js',
    '> ~~~',
    '>```',
    '> x',
    '>> ```',
  ),
)

describe('fences', () => {
  test('are those of CommonMark', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 25 }), lines => {
        const text = `${lines.join('\n')}\nend`
        expect(fences(text)).toEqual(reference(text))
      }),
      { numRuns: 4000 },
    )
  })

  test.each([
    ['in a list item', '- item\n\n  ```js\n  a\n    b\n  ```\n\nafter\n\n```py\nc\n```'],
    ['in a numbered list', '1. one\n   ```ts\n   a\n   ```\n2. two\n   ```css\n   b\n   ```'],
    ['in a nested list', '- a\n  - b\n\n    ```js\n    x\n    ```\n\nend'],
    ['right behind a list marker', '- ```js\n  x\n  ```\n\nend'],
    ['in a list in a quote', '> - a\n>   ```js\n>   x\n>   ```\n'],
    ['behind a tab in a list', '1. a\n\n\t```js\n\tx\n\t```\n'],
    ['longer fences around shorter ones', '````md\n```js\nx\n```\n````\n'],
    ['tildes around backticks', '~~~md\n```js\nx\n```\n~~~\n'],
    ['not four spaces in', 'text\n\n    ```js\n    x\n\n```ts\ny\n```'],
  ])('%s', (_, text) => {
    const told = (list: Fence[]) => list.filter(fence => fence.info !== '')
    expect(told(fences(text))).toEqual(told(reference(text)))
    expect(told(fences(text)).length).toBeGreaterThan(0)
  })
})

describe('what is worth keeping', () => {
  test.each([
    ['a command', '```bash\nnpm install\nnpm start\nnpm test\nnpm run x\nnpm run y\nls\n```'],
    ['a line of an example', '```js\nconst a = 1\n```'],
    ['output', '```text\n1\n2\n3\n4\n5\n6\n```'],
    ['a difference', '```diff\n- a\n+ b\n c\n d\n e\n f\n```'],
    ['a little JSON', '```json\n{\n"a": 1,\n"b": 2,\n"c": 3\n}\n```'],
    ['no code at all', 'Just `text` and **bold**.'],
    ['an empty block', '```tsx\n```'],
  ])('%s is not', (_, text) => {
    expect(detect(text)).toEqual([])
  })

  test.each<[string, string, Partial<Block>]>([
    [
      'a component',
      `\`\`\`tsx\n${component}\`\`\``,
      { title: 'LikeButton', type: 'REACT', language: 'tsx', path: 'LikeButton.tsx', isComplete: true },
    ],
    [
      'React in JavaScript',
      `\`\`\`javascript\n${component}\`\`\``,
      { type: 'REACT', language: 'javascript', path: 'LikeButton.jsx' },
    ],
    [
      'a short page',
      '```html\n<!doctype html>\n<title>Tea &amp; cake</title>\n```',
      { title: 'Tea & cake', type: 'HTML', path: 'index.html' },
    ],
    [
      'a plugin',
      '```php\n<?php\n/**\n * Plugin Name: Order Notes\n */\n```',
      { title: 'Order Notes', type: 'CODE', path: 'order-notes.php' },
    ],
    [
      'Python',
      '```py\nclass Tree:\n    a = 1\n    b = 2\n    c = 3\n    d = 4\n```',
      { title: 'Tree', type: 'PYTHON', path: 'tree.py', language: 'python' },
    ],
    [
      'CSS',
      '## Card styles\n\n```css\n.a {\n  b: c;\n  d: e;\n  f: g;\n}\n```',
      { title: 'Card styles', type: 'CSS', path: 'styles.css' },
    ],
    ['a named command file', '```bash setup.sh\nls\n```', { path: 'setup.sh', isNamed: true }],
    [
      'a page without a language',
      '```\n<!DOCTYPE html>\n<html>\n</html>\n```',
      { type: 'HTML', language: 'html' },
    ],
    [
      'what was cut',
      '```tsx\nexport default function A() {\n  return <b',
      { isComplete: false, content: 'export default function A() {\n  return <b\n' },
    ],
    [
      'a language named like a member of objects',
      '```constructor\na\nb\nc\nd\ne\n```',
      { language: 'constructor', type: 'CODE', path: 'code.txt' },
    ],
    ['a drawing', '```svg\n<svg viewBox="0 0 1 1"></svg>\n```', { type: 'OTHER', language: 'svg' }],
    [
      'a title from the text before',
      'Here is the **sorting script**:\n\n```js\na()\nb()\nc()\nd()\ne()\n```',
      { title: 'The sorting script', type: 'JAVASCRIPT' },
    ],
  ])('%s is', (_, text, expected) => {
    expect(blocks(text)).toMatchObject([expected])
  })

  test('titles are one clean line of limited length', () => {
    const title =
      blocks(`\`\`\`html\n<!doctype html>\n<title>a\r\nb\u0000${'c'.repeat(180)}</title>\n\`\`\``)[0]
        ?.title ?? ''
    expect(title.length).toBeLessThanOrEqual(120)
    expect(title).toMatch(/^a b c/)
  })

  test('named blocks are one project; of two with one path the later counts', () => {
    const text = ['src/App.tsx', 'src/a.css', 'SRC/app.tsx']
      .map((path, index) => `\`\`\`tsx title="${path}"\n${index}\n\`\`\`\n`)
      .join('\n')
    expect(filesOf(blocks(text)).map(file => [file.key, file.path, file.content])).toEqual([
      ['files', 'src/App.tsx', '2\n'],
      ['files', 'src/a.css', '1\n'],
    ])
  })
})

describe('names', () => {
  test.each([
    ['tsx', 'tsx', null],
    ['JS', 'javascript', null],
    ['tsx title="src/App.tsx"', 'tsx', 'src/App.tsx'],
    ["tsx title='My App.tsx'", 'tsx', null],
    ['js filename=app.js', 'javascript', 'app.js'],
    ['js {filename="lib/a.js"}', 'javascript', 'lib/a.js'],
    ['{.python file=a.py}', 'python', 'a.py'],
    ['tsx:src/App.tsx', 'tsx', 'src/App.tsx'],
    ['tsx src/App.tsx', 'tsx', 'src/App.tsx'],
    ['src/App.tsx', 'tsx', 'src/App.tsx'],
    ['./src/App.tsx', 'tsx', 'src/App.tsx'],
    ['/src/App.tsx', 'tsx', 'src/App.tsx'],
    ['Dockerfile', 'docker', null],
    ['docker Dockerfile', 'docker', null],
    ['docker title=Dockerfile', 'docker', 'Dockerfile'],
    ['tsx title="../../etc/passwd.txt"', 'tsx', null],
    ['tsx title="a/../b.ts"', 'tsx', null],
    ['tsx title="C:\\\\a.ts"', 'tsx', null],
    ['tsx title="a\u0000.ts"', 'tsx', null],
    ['tsx title="a%2e%2e/b.ts"', 'tsx', null],
    ['js {1,3-5}', 'javascript', null],
    ['constructor', 'constructor', null],
    ['__proto__ a.toString', '__proto__', 'a.toString'],
    ['', '', null],
  ])('the info %j', (info, language, path) => {
    expect(readInfo(info)).toEqual({ language, path })
  })

  test.each([
    ['// src/App.tsx', 'src/App.tsx'],
    ['# app.py', 'app.py'],
    ['<!-- index.html -->', 'index.html'],
    ['/* src/styles.css */', 'src/styles.css'],
    ['// File: src/a.ts', 'src/a.ts'],
    ['-- schema.sql', 'schema.sql'],
    ['// the file src/a.ts does it', null],
    ['// e.g.', null],
    ['import a from "a.js"', null],
    ['# Heading', null],
  ])('the first line %j', (first, path) => {
    expect(pathInComment(first)).toBe(path)
  })

  test.each([
    ['### src/App.tsx', 'src/App.tsx'],
    ['**src/App.tsx**', 'src/App.tsx'],
    ['**`src/App.tsx`:**', 'src/App.tsx'],
    ['1. **`index.html`**', 'index.html'],
    ['`__init__.py`', '__init__.py'],
    ['File: `a.js`', 'a.js'],
    ['#### 2. `src/a.css` (styles)', 'src/a.css'],
    ['Now `App.tsx` is done', null],
    ['That is it.', null],
    ['See https://example.com', null],
  ])('the prose %j', (prose, path) => {
    expect(pathInProse(prose)).toBe(path)
  })
})

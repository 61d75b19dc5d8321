import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEsbuildBundler } from '../../../platform/bundler/esbuild.ts'
import type { Bundler } from '../../../platform/bundler/index.ts'
import { ensureVendor } from '../../../platform/bundler/vendor.ts'
import { type Block, createDetector } from '../detection.ts'
import { consolidate, type Merged } from './index.ts'

let bundler: Bundler

beforeAll(async () => {
  bundler = createEsbuildBundler({ vendor: await ensureVendor() })
}, 60_000)
afterAll(() => bundler.close())

function blocksOf(answer: string): Block[] {
  const detector = createDetector()
  return [...detector.write(answer), ...detector.end()].flatMap(found =>
    found.type === 'block' ? [found.block] : [],
  )
}

const fence = (language: string, code: string) => `\`\`\`${language}\n${code}\n\`\`\`\n`

/** An answer of prose and blocks in turn. */
const answer = (...pieces: (string | [string, string])[]) =>
  pieces.map(piece => (typeof piece === 'string' ? `${piece}\n` : fence(...piece))).join('\n')

async function merge(...pieces: (string | [string, string])[]): Promise<Merged[]> {
  return consolidate(bundler, blocksOf(answer(...pieces)))
}

async function mergeOne(...pieces: (string | [string, string])[]): Promise<Merged> {
  const [merged, ...others] = await merge(...pieces)
  if (!merged || others.length > 0) throw new Error(`not one, but ${others.length + (merged ? 1 : 0)}`)
  return merged
}

const hook = `import { useState, useEffect } from 'react';

// Counts seconds.
export function useTimer(step) {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds(n => n + step), 1000);
    return () => clearInterval(timer);
  }, [step]);
  return seconds;
}`
const clock = `import React, { useState } from 'react';
import { format } from 'date-fns';
import { useTimer } from './useTimer';

export default function Clock() {
  const [step] = useState(1);
  return <time>{format(useTimer(step), 'ss')} — don't panic</time>;
}`

describe('scripts that need each other', () => {
  test('become one file: imports merged and ordered, inner imports gone, sections in order', async () => {
    const merged = await mergeOne('First the hook:', ['jsx', hook], 'Then the component:', ['jsx', clock])
    expect(merged.content).toBe(`import React, { useEffect, useState } from 'react';
import { format } from 'date-fns';

// Counts seconds.
export function useTimer(step) {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds(n => n + step), 1000);
    return () => clearInterval(timer);
  }, [step]);
  return seconds;
}

export default function Clock() {
  const [step] = useState(1);
  return <time>{format(useTimer(step), 'ss')} — don't panic</time>;
}
`)
    expect(merged).toMatchObject({ type: 'REACT', language: 'jsx' })
    expect(merged.root.block.title).toBe('Clock')
    const built = await bundler.build({ files: { 'Clock.jsx': merged.content } })
    expect(built.ok).toBe(true)
  })

  test('of two default exports the one that needs the other is kept', async () => {
    const merged = await mergeOne(
      ['tsx', 'export default function Card({ text }: { text: string }) {\n  return <b>{text}</b>\n}'],
      [
        'tsx',
        'import Card from \'./Card\'\n\nexport default function Grid() {\n  return <Card text="x" />\n}',
      ],
    )
    expect(merged.content).toBe(
      'function Card({ text }: { text: string }) {\n  return <b>{text}</b>\n}\n\nexport default function Grid() {\n  return <Card text="x" />\n}\n',
    )
    expect(merged.root.block.title).toBe('Grid')
  })

  test('`export default Name` of what another one needs falls away as well', async () => {
    const merged = await mergeOne(
      ['jsx', 'const Card = () => <b>card</b>\nconst unused = 1\nexport default Card;'],
      ['jsx', "import Card from './Card';\nexport default function Grid() {\n  return <Card />\n}"],
    )
    expect(merged.content.match(/export default/g)).toEqual(['export default'])
    expect(merged.content).toContain(
      'const Card = () => <b>card</b>\nconst unused = 1\n\nexport default function Grid',
    )
  })

  test('what is needed while the file is read comes first, whatever the order of the answer', async () => {
    const merged = await mergeOne(
      [
        'jsx',
        "import { createRoot } from 'react-dom/client'\n\ncreateRoot(document.getElementById('root')).render(<App />)\nconsole.log('started')",
      ],
      ['jsx', "const App = () => {\n  return <b>late</b>\n}\nconst other = 'x'"],
    )
    expect(merged.content.indexOf('const App')).toBeLessThan(merged.content.indexOf('createRoot(document'))
    expect((await bundler.build({ files: { 'main.jsx': merged.content } })).ok).toBe(true)
  })

  test('types and values, namespaces, side effects and directives keep their meaning', async () => {
    const merged = await mergeOne(
      [
        'typescript',
        "'use client'\nimport './polyfill.js'.length ? '' : ''\n".replace(/import.*\n/, '') +
          "import 'core-js/stable'\nimport type { Shape } from 'shapes'\nimport * as geo from 'geo'\nexport interface Box extends Shape { side: number }\nexport const area = (box: Box): number => geo.square(box.side)",
      ],
      [
        'typescript',
        "'use client'\nimport { type Shape, make } from 'shapes'\nimport geoDefault from 'geo'\nconst box: Box = make<Shape>(geoDefault)\nexport const total = (boxes: Box[]) => boxes.reduce((sum, one) => sum + area(one), 0)\nconsole.log(box)",
      ],
    )
    expect(merged.content.split('\n').slice(0, 6)).toEqual([
      "'use client'",
      "import 'core-js/stable'",
      "import geoDefault from 'geo'",
      "import * as geo from 'geo'",
      "import { make } from 'shapes'",
      "import type { Shape } from 'shapes'",
    ])
    expect(merged).toMatchObject({ type: 'TYPESCRIPT', language: 'typescript' })
  })

  test('a long list of names is written one to a line', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `aRatherLongName${index}`)
    const merged = await mergeOne(
      [
        'js',
        `import { ${names.join(', ')} } from 'many'\nexport const all = () => [${names.join(', ')}]\n\n\n// end\nconst x = 1\nconst y = 2`,
      ],
      [
        'js',
        'export function count() {\n  return all().length\n}\n\nexport const half = () => count() / 2\nexport const third = 3',
      ],
    )
    expect(merged.content).toContain('import {\n  aRatherLongName0,\n')
  })
})

describe('a component and the styles that it imports', () => {
  const component =
    "import { useState } from 'react'\nimport './Card.css'\n\nexport default function Card() {\n  const [n] = useState(7)\n  return <b className=\"card\">{n}</b>\n}"
  const styles = '.card {\n  color: rebeccapurple;\n}\n.card:hover {\n  color: red;\n}'

  test('become a project of two files that builds', async () => {
    const merged = await mergeOne(['jsx', component], 'And its styles:', ['css', styles])
    expect(merged.beside).toEqual([{ path: 'Card.css', language: 'css', content: `${styles}\n` }])
    expect(merged.parts.map(part => part.block.type)).toEqual(['REACT', 'CSS'])
    const built = await bundler.build({ files: { 'Card.jsx': merged.content, 'Card.css': `${styles}\n` } })
    expect(built.ok && built.html).toContain('rebeccapurple')
  })

  test('also with a hook, and with style modules', async () => {
    const withModule = clock
      .replace('import { useTimer }', "import styles from './Clock.module.css';\nimport { useTimer }")
      .replace('<time>', '<time className={styles.card}>')
    const merged = await mergeOne(['css', styles], ['jsx', hook], ['jsx', withModule])
    expect(merged.beside).toMatchObject([{ path: 'Clock.module.css' }])
    expect(merged.parts.map(part => part.block.type)).toEqual(['CSS', 'REACT', 'REACT'])
    const files = { 'Clock.jsx': merged.content, 'Clock.module.css': styles }
    expect(await bundler.build({ files })).toMatchObject({ ok: true, warnings: [] })
  })

  test.each<[string, (string | [string, string])[]]>([
    ['the styles are not there', [['jsx', component]]],
    [
      'there are more styles than imports',
      [
        ['jsx', component],
        ['css', styles],
        ['css', styles.replaceAll('card', 'other')],
      ],
    ],
    [
      'the styles lie elsewhere',
      [
        ['jsx', component.replace('./Card.css', '../../Card.css')],
        ['css', styles],
      ],
    ],
  ])('stay apart when %s', async (_, pieces) => {
    expect((await merge(...pieces)).filter(merged => merged.type !== 'CSS')).toEqual([])
  })
})

const first = 'export default function One() {\n  return <b>one</b>\n}'
const second = 'export default function Two() {\n  return <b>two</b>\n}'

describe('what stays apart', () => {
  test.each<[string, (string | [string, string])[]]>([
    ['two whole components', [['tsx', first], 'And another:', ['tsx', second]]],
    [
      'a component and an element that uses it',
      [
        ['tsx', first],
        ['tsx', '<div>\n  <One />\n</div>'],
      ],
    ],
    [
      'a component and its use under a heading',
      [['tsx', first], '## Usage', ['tsx', 'export function App() {\n  const x = 1\n  return <One />\n}']],
    ],
    [
      'a component and its use behind words',
      [
        ['tsx', first],
        'You can use it like this:',
        ['tsx', "import One from './One'\nexport function Page() {\n  return <One />\n}"],
      ],
    ],
    [
      'an exported function and code that only calls it',
      [
        ['js', 'export function add(a, b) {\n  const sum = a + b\n  console.log(sum)\n  return sum\n}'],
        [
          'js',
          'const a = add(1, 2)\nconst b = add(a, 2)\nconsole.log(a)\nconsole.log(b)\nconsole.log(add(a, b))',
        ],
      ],
    ],
    [
      'two versions of one component',
      [
        ['tsx', first],
        ['tsx', first.replace('one', 'other')],
      ],
    ],
    [
      'two pages that need one card',
      [
        ['jsx', 'export const Card = () => {\n  return <b>card</b>\n}'],
        ['jsx', 'export default function A() {\n  return <Card />\n}'],
        ['jsx', 'export default function B() {\n  return <Card />\n}'],
      ],
    ],
    [
      'one name from two packages',
      [
        [
          'jsx',
          "import { format } from 'date-fns'\nexport const when = d => format(d, 'yyyy')\nconst a = 1\nconst b = 2\nconst c = 3",
        ],
        [
          'jsx',
          "import { format } from 'util-x'\nexport default function App() {\n  return <b>{format(when(0))}</b>\n}",
        ],
      ],
    ],
    [
      'one that imports a file that nobody wrote',
      [
        ['jsx', 'export const Card = () => {\n  return <b>card</b>\n}'],
        [
          'jsx',
          "import theme from './theme'\nexport default function App() {\n  return <Card theme={theme} />\n}",
        ],
      ],
    ],
    [
      'one that does not parse',
      [
        ['jsx', 'export const Card = () => {\n  return <b>card</i>\n}'],
        ['jsx', 'export default function App() {\n  return <Card />\n}'],
      ],
    ],
    [
      'a default export without a name that another one needs',
      [
        ['jsx', "import { memo } from 'react'\nconst Card = () => <b>card</b>\nexport default memo(Card)"],
        ['jsx', "import Card from './Card'\nexport default function App() {\n  return <Card />\n}"],
      ],
    ],
    [
      'modules of the old kind',
      [
        ['js', 'function add(a, b) {\n  return a + b\n}\n\nmodule.exports = { add }\n// end'],
        ['js', 'const total = add(1, 2)\nfunction print() {\n  console.log(total)\n}\nprint()'],
      ],
    ],
    [
      'Python, which nothing here can judge',
      [
        ['python', 'import os\n\ndef a():\n    return os.name\n\ndef c():\n    return 1'],
        ['python', 'def b():\n    return a()\n\nprint(b())\nprint(b())\nprint(b())'],
      ],
    ],
    [
      'blocks beside a project',
      ['A project:', ['jsx title="src/App.jsx"', 'export default () => <b/>'], ['jsx', hook], ['jsx', clock]],
    ],
    ['one block', [['jsx', clock]]],
  ])('%s', async (_, pieces) => {
    expect(await merge(...pieces)).toEqual([])
  })

  test('the part that an answer broke off in', async () => {
    const text = `${answer(['jsx', hook])}\n\`\`\`jsx\n${clock}`
    expect(await consolidate(bundler, blocksOf(text))).toEqual([])
  })
})

const html = `<!DOCTYPE html>
<html lang="en">
<head>
  <title>Todo list</title>
  <link rel="stylesheet" href="styles.css">
</head>
<body>
  <ul id="list" class="todos"></ul>
  <button onclick="add()">Add</button>
  <script src="script.js" defer></script>
</body>
</html>`
const css = '.todos {\n  color: teal;\n}\nbody {\n  margin: 0;\n}'
const script =
  "let count = 0\nfunction add() {\n  const item = document.createElement('li')\n  item.textContent = 'item ' + ++count\n  document.getElementById('list').append(item)\n}"

describe('a page with its styles and scripts', () => {
  test('becomes one page, each in the place of what asked for it', async () => {
    const merged = await mergeOne('The page:', ['html', html], 'The styles:', ['css', css], 'The script:', [
      'js',
      script,
    ])
    expect(merged.content).toBe(`<!DOCTYPE html>
<html lang="en">
<head>
  <title>Todo list</title>
<style>
${css}
</style>
</head>
<body>
  <ul id="list" class="todos"></ul>
  <button onclick="add()">Add</button>
<script>
${script}
</script>
</body>
</html>
`)
    expect(merged).toMatchObject({ type: 'HTML', language: 'html' })
    expect(merged.parts.length).toBe(3)
    const built = await bundler.build({ files: { 'index.html': merged.content } })
    expect(built).toMatchObject({ ok: true, warnings: [] })
  })

  test('what is only a part of a page gets a page around it', async () => {
    const { content } = await mergeOne(
      ['html', '<div class="todos">\n  <p id="list">x</p>\n</div>'],
      ['css', css],
      ['js', script],
    )
    expect(content).toMatch(
      /^<!DOCTYPE html>\n<html lang="en">\n<head>\n[\s\S]*<style>\n\.todos[\s\S]*<body>\n<div class="todos">[\s\S]*<script>\nlet count[\s\S]*<\/script>\n<\/body>\n<\/html>\n$/,
    )
  })

  test('keeps what the network holds, and takes only what belongs to it', async () => {
    const page = html
      .replace('  <link', '  <link rel="stylesheet" href="https://fonts.example/a.css">\n  <link')
      .replace('<script src="script.js" defer></script>', '')
    const merged = await mergeOne(
      ['html', page],
      ['css', css],
      'The server:',
      [
        'js',
        "const express = require('express')\nconst app = express()\napp.get('/', (req, res) => res.send('x'))\napp.listen(1)\nconsole.log(1)",
      ],
      [
        'js',
        'function fibonacci(n) {\n  if (n < 2) return n\n  return fibonacci(n - 1) + fibonacci(n - 2)\n}\n\n// unrelated',
      ],
    )
    expect(merged.content).toContain('https://fonts.example/a.css')
    expect(merged.content).not.toMatch(/express|fibonacci|href="styles\.css"/)
    expect(merged.parts.length).toBe(2)
  })

  test.each<[string, (string | [string, string])[]]>([
    [
      'two pages',
      [
        ['html', html],
        ['html', html.replace('Todo', 'Other')],
        ['css', css],
      ],
    ],
    [
      'a page that is whole, and styles of something else',
      [
        ['html', '<!doctype html>\n<style>p{}</style>\n<p>x</p>\n<p>y</p>'],
        ['css', css],
      ],
    ],
    [
      'a page and styles of which nothing is in it',
      [
        ['html', '<main>\n<p>x</p>\n</main>'],
        ['css', '.hero {\n  color: red;\n}\n.hero p {\n  color: blue;\n}'],
      ],
    ],
    [
      'styles that would end their element',
      [
        ['html', html],
        [
          'css',
          `.todos {\n  color: red;\n}\n.todos::after {\n  content: '</style><script>alert(1)</script>';\n}`,
        ],
      ],
    ],
    [
      'scripts that would end their element',
      [
        ['html', html.replace(/.*styles\.css.*\n/, '')],
        ['js', `${script}\ndocument.title = '</script><script>alert(1)</script>'`],
      ],
    ],
    [
      'a page beside a component',
      [
        ['html', html.replace(/.*script\.js.*\n/, '')],
        ['jsx', first],
        ['css', css],
      ],
    ],
    [
      'two scripts with the same names',
      [
        ['html', html.replace(/.*styles\.css.*\n/, '')],
        ['js', script],
        ['js', script.replace('item ', 'other ')],
      ],
    ],
  ])('%s stay apart', async (_, pieces) => {
    expect(await merge(...pieces)).toEqual([])
  })
})

describe('style sheets', () => {
  const base = "@import url('fonts.css');\n:root {\n  --ink: #123;\n}\nbody {\n  color: var(--ink);\n}"
  test('of different things become one, with what must come first at its beginning', async () => {
    const { content } = await mergeOne(
      ['css', ':is(a, b) {\n  color: red;\n}\n.x {\n  color: blue;\n}'],
      'The theme:',
      ['css', base],
    )
    expect(content).toMatch(/^@import url\('fonts\.css'\);\n\n:is\(a, b\)[\s\S]*\n\n:root \{/)
  })
  test('of the same things stay apart: they are ways to choose from', async () => {
    expect(await merge(['css', base], ['css', base.replace('#123', '#456')])).toEqual([])
  })
  test('that do not parse stay apart', async () => {
    expect(
      await merge(['css', base], ['css', '.a {\n  color: red;\n.b {\n  margin: 0;\n  padding: 0']),
    ).toEqual([])
  })
})

test('bombs are left as they are, and nothing is held up', async () => {
  const deep = `const deep = ${'('.repeat(20_000)}1${')'.repeat(20_000)}\nconst a = 1\nconst b = 2\nconst c = 3\nconst d = clock`
  const startedAt = performance.now()
  expect(
    await merge(
      ['js', deep],
      ['js', 'const clock = 1\nconst e = deep\nconst f = 1\nconst g = 2\nconst h = 3'],
    ).then(
      merged => merged.length,
      error => error.code,
    ),
  ).toSatisfy(told => told === 0 || told === 1 || told === 'BUILD_INPUT')
  expect(performance.now() - startedAt).toBeLessThan(8000)
  expect(await merge('x', ['jsx', hook], 'y', ['jsx', clock])).toHaveLength(1)
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEsbuildBundler } from './esbuild.ts'
import type { BuildOutput, Bundler } from './index.ts'
import { ensureVendor, type Vendor } from './vendor.ts'

let vendor: Vendor
let bundler: Bundler

beforeAll(async () => {
  vendor = await ensureVendor()
  bundler = createEsbuildBundler({ vendor })
}, 60_000)

afterAll(() => bundler.close())

async function succeed(files: Record<string, string>, options: { entry?: string; minify?: boolean } = {}) {
  const output = await bundler.build({ files, ...options })
  if (!output.ok) throw new Error(JSON.stringify(output.errors))
  return output
}

async function fail(files: Record<string, string>) {
  const output = await bundler.build({ files })
  if (output.ok) throw new Error('it was built')
  return output.errors
}

const counter = `import { useState } from 'react'
export default function Counter() {
  const [count, setCount] = useState(0)
  return <button onClick={() => setCount(count + 1)}>{count}</button>
}
`

describe('what becomes a page', () => {
  test('a React component, mounted, with libraries by import map', async () => {
    const output = await succeed({ 'Counter.tsx': counter })
    expect(output.dependencies).toEqual(['react', 'react-dom', 'react-dom/client', 'react/jsx-runtime'])
    expect(output.html).toContain(`"react":"/vendor/${vendor.imports.react}"`)
    expect(output.html).toContain('<div id="root"></div>')
    expect(output.bundleBytes).toBeGreaterThan(300)
    expect(output.bundleBytes).toBeLessThan(5000)
    expect(output.durationMs).toBeGreaterThan(0)
  })

  test('a project, from its usual entry, with styles, data, types and an alias', async () => {
    const output = await succeed({
      'package.json': '{"name": "x", "browser": {"./src/label.ts": "/etc/passwd"}}',
      'vite.config.ts': "import { defineConfig } from 'vite'\nexport default defineConfig({})",
      'src/label.ts': "import data from './data.json'\nexport const label: string = data.label",
      'src/data.json': '{"label": "label from data"}',
      'src/main.tsx':
        "import { createRoot } from 'react-dom/client'\nimport { App } from '@/App.js'\nimport './style.css'\ncreateRoot(document.getElementById('root')!).render(<App />)",
      'src/App.tsx': "import { label } from './label'\nexport function App() { return <h1>{label}</h1> }",
      'src/style.css': 'h1 { color: rebeccapurple }',
    })
    expect(output.html).toContain('label from data')
    expect(output.html).toContain('rebeccapurple')
  })

  test('minified on request', async () => {
    const long = await succeed({ 'a.tsx': counter })
    const short = await succeed({ 'a.tsx': counter }, { minify: true })
    expect(short.bundleBytes).toBeLessThan(long.bundleBytes * 0.8)
  })

  test('an HTML page with its own modules, styles and scripts; the bridge comes first', async () => {
    const output = await succeed({
      'index.html':
        '<!doctype html><html><head><title>T</title><link rel="stylesheet" href="style.css"><script src="classic.js"></script></head><body><!-- <script src="no.js"></script> --><script>window.inline = 1</script><script type="module">import { x } from "./x.js"; console.log(x)</script></body></html>',
      'style.css': '@import "./more.css"; a { color: red }',
      'more.css': 'b { color: blue }',
      'classic.js': 'var classic = "</script>"',
      'x.js': 'export const x = "from x"',
    })
    const { html } = output
    expect(html.indexOf('atelier-preview')).toBeLessThan(html.indexOf('classic ='))
    for (const part of [
      'color: blue',
      'color: red',
      'from x',
      'window.inline = 1',
      '<!-- <script src="no.js"></script> -->',
    ]) {
      expect(html).toContain(part)
    }
    expect(html).not.toContain('"</script>"')
    expect(html).not.toContain('href="style.css"')
  })

  test.each<[string, Record<string, string>, string]>([
    ['Markdown', { 'a.md': '# Hello\n\n| a |\n|---|\n| b |\n\n<script>x</script>' }, '<td>b</td>'],
    [
      'SVG',
      { 'a.svg': '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><circle r="1"/></svg>' },
      '<circle r="1"/>',
    ],
    ['CSS', { 'a.css': '.card { color: green }' }, 'color: green'],
    ['JavaScript', { 'a.js': 'document.body.append("hi")' }, 'append("hi")'],
    ['TypeScript', { 'a.ts': 'const n: number = 42; document.title = String(n)' }, 'String(n)'],
    [
      'a project whose page does not name its script',
      {
        'public/index.html': '<div id=root></div>',
        'src/index.js':
          "import React from 'react'; import ReactDOM from 'react-dom/client'; ReactDOM.createRoot(document.getElementById('root')).render(<b>framed</b>)",
      },
      'framed',
    ],
    [
      'a project of Vite',
      {
        'index.html': '<div id="root"></div><script type="module" src="/src/main.tsx"></script>',
        'src/main.tsx': 'document.title = "vite"',
      },
      'document.title = "vite"',
    ],
    [
      'a page beside a script of the server',
      { 'index.html': '<p>page</p>', 'server/main.js': "import x from 'express'" },
      '<p>page</p>',
    ],
    [
      'a component that is only declared',
      { 'a.jsx': 'function App() { return <b>declared</b> }' },
      'declared',
    ],
    [
      'React used without an import',
      { 'a.jsx': 'export default () => { const [n] = React.useState("free"); return <b>{n}</b> }' },
      'from "react"',
    ],
    [
      'require of a library',
      { 'a.js': 'const React = require("react"); console.log(React.version)' },
      'from "react"',
    ],
  ])('%s', async (_, files, part) => {
    expect((await succeed(files)).html).toContain(part)
  })

  test('what has no preview says so', async () => {
    expect((await fail({ 'a.py': 'print(1)' }))[0]?.text).toMatch(/no preview/)
  })
})

describe('messages', () => {
  test('name file, line, column and the line itself', async () => {
    const errors = await fail({ 'src/App.tsx': 'const a = 1\nexport default () => <p>{a}</b>\n' })
    expect(errors[0]).toEqual({
      text: 'Unexpected closing "b" tag does not match opening "p" tag',
      file: 'src/App.tsx',
      line: 2,
      column: 29,
      lineText: 'export default () => <p>{a}</b>',
    })
  })

  test('count the lines of a page for a script inside it', async () => {
    const errors = await fail({
      'index.html': '<html>\n<body>\n<script type="module">\nlet x = 1\nlet x = 2\n</script>',
    })
    expect(errors[0]).toMatchObject({ file: 'index.html', line: 5, lineText: 'let x = 2' })
  })

  test('say which libraries there are', async () => {
    const errors = await fail({ 'a.ts': "import _ from 'lodash'\nconsole.log(_)" })
    expect(errors[0]?.text).toMatch(/^'lodash' is not available in previews\. Available: react, .*recharts/)
    expect(errors[0]).toMatchObject({ file: 'a.ts', line: 1 })
  })

  test('are limited in number and length', async () => {
    const lines = Array.from(
      { length: 400 },
      (_, index) => `import x${index} from '${'y'.repeat(3000)}${index}'\nx${index}()`,
    )
    const errors = await fail({ 'a.ts': lines.join('\n') })
    expect(errors.length).toBeLessThanOrEqual(20)
    expect(JSON.stringify(errors).length).toBeLessThan(20 * 1000)
  })

  test('what is not loaded from the network is a warning', async () => {
    const output = await succeed({
      'index.html':
        '<script src="https://cdn.example/x.js"></script><style>@import url(https://fonts.example/a)</style>',
    })
    expect(output.warnings[0]?.text).toMatch(/cdn\.example.*not loaded/)
  })
})

describe('one result per content', () => {
  test('the same content is built once, also when asked for at once; what it differs in counts', async () => {
    const own = createEsbuildBundler({ vendor })
    try {
      const files = { 'a.tsx': counter }
      const outputs = await Promise.all(Array.from({ length: 20 }, () => own.build({ files: { ...files } })))
      expect(new Set(outputs).size).toBe(1)
      expect(await own.build({ files })).toBe(outputs[0])
      const others = await Promise.all([
        own.build({ files, minify: true }),
        own.build({ files: { 'b.tsx': counter } }),
      ])
      expect(new Set<BuildOutput | undefined>([...others, outputs[0]]).size).toBe(3)
    } finally {
      await own.close()
    }
  })

  test('too many waiting are refused at once, and the others are still built', async () => {
    const own = createEsbuildBundler({ vendor, queue: 3 })
    try {
      const builds = Array.from({ length: 8 }, (_, index) =>
        own.build({ files: { 'a.js': `console.log(${index})` } }),
      )
      const results = await Promise.allSettled(builds)
      const refused = results.filter(result => result.status === 'rejected')
      expect(refused.length).toBe(4)
      for (const result of refused)
        expect(result.reason).toMatchObject({ kind: 'limited', code: 'BUILD_QUEUE' })
    } finally {
      await own.close()
    }
  })
})

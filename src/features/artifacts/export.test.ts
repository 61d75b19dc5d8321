import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeTestFolder, removeTestFolder } from '../../../test/support/folder.ts'
import { type ProjectFile, runnableProject } from './scaffold.ts'

const root = join(import.meta.dirname, '..', '..', '..')
let folder: string

beforeAll(async () => {
  folder = await makeTestFolder('export')
})
afterAll(() => removeTestFolder(folder))

const files = (sources: Record<string, string>): ProjectFile[] =>
  Object.entries(sources).map(([path, content]) => ({ path, content }))

const paths = (project: readonly ProjectFile[]) => project.map(file => file.path).sort()
const read = (project: readonly ProjectFile[], path: string) =>
  project.find(file => file.path === path)?.content ?? ''

/** Runs the project's own build with the packages that are installed here; nothing is fetched. */
async function build(name: string, project: readonly ProjectFile[]) {
  const home = join(folder, name)
  for (const file of project) {
    await mkdir(dirname(join(home, file.path)), { recursive: true })
    await writeFile(join(home, file.path), file.content)
  }
  await symlink(join(root, 'node_modules'), join(home, 'node_modules'))
  const child = spawn('npm', ['run', 'build', '--offline'], {
    cwd: home,
    env: { PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}`, HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (said += chunk))
  const [code] = await once(child, 'exit')
  expect(code, said).toBe(0)
  const assets = await readdir(join(home, 'dist'), { recursive: true })
  const texts = await Promise.all(
    assets
      .filter(asset => /\.(?:js|css|html)$/.test(asset))
      .map(asset => readFile(join(home, 'dist', asset), 'utf8')),
  )
  return texts.join('\n')
}

describe('an exported project builds with its own npm scripts', () => {
  test.each<[string, Record<string, string>, string[]]>([
    [
      'a component alone',
      {
        'Counter.tsx':
          "import { useState } from 'react'\nexport default function Counter() { const [n] = useState(41); return <b>counted {n}</b> }\n",
      },
      ['counted'],
    ],
    [
      'a project with an alias of its parts, styles and a library',
      {
        'src/App.tsx':
          "import { format } from 'date-fns'\nimport './style.css'\nimport { Card } from './Card'\nexport function App() { return <Card text={format(new Date(0), 'yyyy')} /> }\n",
        'src/Card.tsx':
          'export function Card({ text }: { text: string }) { return <p className="exported-card">{text}</p> }\n',
        'src/style.css': '.exported-card { color: rebeccapurple }\n',
      },
      ['exported-card', '.exported-card{'],
    ],
    [
      'a page with script and style',
      {
        'index.html':
          '<!doctype html><html><head><link rel="stylesheet" href="style.css"></head><body><script type="module" src="app.js"></script></body></html>\n',
        'style.css': 'h1 { color: teal }\n',
        'app.js': "document.body.textContent = 'from the page'\n",
      },
      ['from the page'],
    ],
  ])(
    '%s',
    async (name, sources, expected) => {
      const output = await build(
        name.replaceAll(/\W+/g, '-'),
        runnableProject('My "own" <thing>', files(sources)),
      )
      for (const part of expected) expect(output).toContain(part)
    },
    120_000,
  )
})

describe('what is added', () => {
  test('is what is imported, in any form of it, and nothing that is merely quoted', () => {
    const source = [
      "import { a as b } from 'date-fns'\nimport*as c from'clsx'\nimport d, { type E } from 'zustand'",
      "import type { F } from 'immer'\nimport {\n  g,\n  h,\n} from '@scope/name/deep'\nimport 'nanoid'",
      "export * from 'lodash'\nexport * as i from 'luxon'\nexport { j } from 'ky'\nexport type { K } from 'zod'",
      "const l = await import('three')\nconst m = require('d3')\nimport { readFile } from 'node:fs'\nimport 'path'",
      "export const style = { display: 'grid' }\nexport default function From() { return <p className=\"app\">from 'flex'</p> }",
      "export function Quoted() { return ['left', 'right'] }\nimport './near'\nexport const from = 'somewhere'",
    ].join('\n')
    const project = runnableProject('x', files({ 'App.tsx': source }))
    const { dependencies } = JSON.parse(read(project, 'package.json'))
    const named = ['@scope/name', 'clsx', 'd3', 'date-fns', 'immer', 'ky', 'lodash', 'luxon', 'nanoid']
    expect(Object.keys(dependencies)).toEqual([...named, 'react', 'react-dom', 'three', 'zod', 'zustand'])
  })

  test('is only what lacks: given scripts, dependencies and pages stay', () => {
    const manifest = { name: 'mine', scripts: { build: 'mine' }, dependencies: { react: '17.0.0' } }
    const project = runnableProject(
      'x',
      files({
        'package.json': JSON.stringify(manifest),
        'index.html': '<p>mine</p>',
        'vite.config.ts': 'export default {}',
        'src/main.jsx': "import React from 'react'\nimport { create } from 'zustand'\nimport './x.js'\n",
        'src/x.js': "import('@tanstack/react-query')\n",
      }),
    )
    expect(paths(project)).toEqual([
      'index.html',
      'package.json',
      'src/main.jsx',
      'src/x.js',
      'vite.config.ts',
    ])
    const completed = JSON.parse(read(project, 'package.json'))
    expect(completed).toMatchObject({ name: 'mine', scripts: { build: 'mine', dev: 'vite' } })
    expect(completed.dependencies.react).toBe('17.0.0')
    expect(Object.keys(completed.dependencies)).toEqual(
      expect.arrayContaining(['zustand', '@tanstack/react-query', 'react-dom']),
    )
  })

  test('is nothing for other languages, and for a manifest that is no JSON', () => {
    for (const sources of [
      { 'main.py': 'print(1)\n' },
      { 'a.php': '<?php', 'a.js': '1' },
      { 'package.json': '{', 'a.js': '1' },
    ])
      expect(runnableProject('x', files(sources))).toEqual(files(sources))
  })

  test('cannot be led astray by titles and names', () => {
    const project = runnableProject(
      '"/><script>alert(1)</script>',
      files({ 'App.jsx': 'export default () => 1' }),
    )
    expect(read(project, 'index.html')).not.toContain('<script>alert')
    expect(JSON.parse(read(project, 'package.json')).name).toBe('script-alert-1-script')
  })
})

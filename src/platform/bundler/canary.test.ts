import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEsbuildBundler } from './esbuild.ts'
import type { Bundler } from './index.ts'
import { ensureVendor } from './vendor.ts'

const canary = 'CANARY_3f9a71c2'

let folder: string
let bundler: Bundler
let listener: Server
let port: number
let hits = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'atelier-canary-'))
  for (const name of ['secret.txt', 'secret.bin']) await writeFile(join(folder, name), canary)
  await writeFile(join(folder, 'secret.json'), JSON.stringify({ canary }))
  await writeFile(join(folder, 'secret.js'), `export default "${canary}"`)
  await writeFile(join(folder, 'secret.css'), `a { content: "${canary}" }`)
  await writeFile(join(folder, 'tsconfig.json'), `${canary} this is not JSON`)
  await mkdir(join(folder, 'node_modules', 'canary'), { recursive: true })
  await writeFile(join(folder, 'node_modules', 'canary', 'index.js'), `module.exports = "${canary}"`)
  listener = createServer(socket => {
    hits++
    socket.destroy()
  })
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  port = (listener.address() as { port: number }).port
  bundler = createEsbuildBundler({ vendor: await ensureVendor() })
}, 60_000)

afterAll(async () => {
  await bundler.close()
  await new Promise(resolve => listener.close(resolve))
  await rm(folder, { recursive: true, force: true })
})

/** Paths that lead to the canaries from wherever a build may stand. */
function waysTo(name: string): string[] {
  const absolute = join(folder, name)
  const up = '../'.repeat(12) + absolute.slice(1)
  return [
    absolute,
    up,
    `./${up}`,
    `/${absolute}`,
    `file://${absolute}`,
    relative(process.cwd(), absolute),
    `./x/${up}`,
  ]
}

type Attack = [string, (way: string) => Record<string, string>]

const attacks: Attack[] = [
  ['import', way => ({ 'a.ts': `import x from ${JSON.stringify(way)}\nconsole.log(x)` })],
  ['export from', way => ({ 'a.ts': `export * from ${JSON.stringify(way)}` })],
  ['dynamic import', way => ({ 'a.js': `import(${JSON.stringify(way)}).then(console.log)` })],
  ['require', way => ({ 'a.js': `console.log(require(${JSON.stringify(way)}))` })],
  ['require.resolve', way => ({ 'a.js': `console.log(require.resolve(${JSON.stringify(way)}))` })],
  [
    'type text',
    way => ({ 'a.ts': `import x from ${JSON.stringify(way)} with { type: 'text' }\nconsole.log(x)` }),
  ],
  [
    'type bytes',
    way => ({ 'a.ts': `import x from ${JSON.stringify(way)} with { type: 'bytes' }\nconsole.log(x)` }),
  ],
  [
    'type json',
    way => ({ 'a.ts': `import x from ${JSON.stringify(way)} with { type: 'json' }\nconsole.log(x)` }),
  ],
  [
    'assert',
    way => ({ 'a.ts': `import x from ${JSON.stringify(way)} assert { type: 'text' }\nconsole.log(x)` }),
  ],
  [
    'glob import',
    way => ({ 'a.js': `const n = 'secret'; import(\`${way.slice(0, way.lastIndexOf('/'))}/\${n}.js\`)` }),
  ],
  [
    'glob import, joined',
    way => ({ 'a.js': `const n = 'secret'; import('./${way.slice(0, way.lastIndexOf('/'))}/' + n)` }),
  ],
  [
    'glob require',
    way => ({ 'a.js': `const n = 'secret'; require('./${way.slice(0, way.lastIndexOf('/'))}/' + n)` }),
  ],
  [
    'glob with attribute',
    way => ({
      'a.js': `const n = 'secret'; import('./${way.slice(0, way.lastIndexOf('/'))}/' + n, { with: { type: 'text' } })`,
    }),
  ],
  ['CSS import', way => ({ 'a.css': `@import "${way}";` })],
  ['CSS import of url', way => ({ 'a.css': `@import url("${way}");` })],
  ['CSS url', way => ({ 'a.css': `a { background: url("${way}") }` })],
  [
    'CSS composes',
    way => ({
      'a.js': 'import s from "./a.module.css"; console.log(s)',
      'a.module.css': `.a { composes: b from "${way}" }`,
    }),
  ],
  ['source map', way => ({ 'a.js': `console.log(1)\n//# sourceMappingURL=${way}` })],
  ['CSS source map', way => ({ 'a.css': `a { color: red }\n/*# sourceMappingURL=${way} */` })],
  [
    'tsconfig extends',
    way => ({ 'a.ts': 'console.log(1)', 'tsconfig.json': JSON.stringify({ extends: way }) }),
  ],
  [
    'tsconfig paths',
    way => ({
      'a.ts': "import x from 'x'\nconsole.log(x)",
      'tsconfig.json': JSON.stringify({ compilerOptions: { paths: { x: [way] } } }),
    }),
  ],
  [
    'package browser map',
    way => ({
      'package.json': JSON.stringify({ browser: { './b.js': way, b: way } }),
      'a.js': "import x from './b.js'\nconsole.log(x)",
      'b.js': 'export default 1',
    }),
  ],
  [
    'package imports',
    way => ({
      'package.json': JSON.stringify({ imports: { '#x': way } }),
      'a.js': "import x from '#x'\nconsole.log(x)",
    }),
  ],
  ['JSX import source', way => ({ 'a.tsx': `/** @jsxImportSource ${way} */\nexport default () => <b/>` })],
  ['worker', way => ({ 'a.js': `new Worker(new URL(${JSON.stringify(way)}, import.meta.url))` })],
  [
    'page script',
    way => ({ 'index.html': `<script type="module" src="${way}"></script><script src="${way}"></script>` }),
  ],
  ['page style', way => ({ 'index.html': `<link rel="stylesheet" href="${way}">` })],
  [
    'script inside a page',
    way => ({
      'index.html': `<script type="module">import x from ${JSON.stringify(way)}; console.log(x)</script>`,
    }),
  ],
]

const names = ['secret.txt', 'secret.json', 'secret.js', 'secret.css', 'secret.bin', 'tsconfig.json']

describe('files outside the project', () => {
  test.each(attacks)('are out of reach by %s', async (_, attack) => {
    for (const way of names.flatMap(waysTo)) {
      const output = await bundler.build({ files: attack(way) })
      expect(JSON.stringify(output)).not.toContain(canary)
    }
  })

  test('cannot be told from absent ones', async () => {
    const there = await bundler.build({
      files: { 'a.js': `const n = 'secret'; import('./${'../'.repeat(12)}${folder.slice(1)}/' + n)` },
    })
    const absent = await bundler.build({
      files: { 'a.js': `const n = 'secret'; import('./${'../'.repeat(12)}${folder.slice(1, -1)}~/' + n)` },
    })
    expect(there.ok).toBe(false)
    const texts = [there, absent].map(output => (output.ok ? [] : output.errors.map(error => error.text)))
    expect(texts[0]).toEqual(texts[1])
    expect(texts[0]?.length).toBe(1)
  })

  test.each([
    'canary',
    'esbuild',
    'fastify',
    'pg',
    'kysely',
    'fs',
    'node:fs',
    'child_process',
    '../../node_modules/pg',
    'react/package.json',
    'react/../pg',
  ])('the package %s is not importable', async name => {
    const output = await bundler.build({ files: { 'a.js': `import * as x from '${name}'; console.log(x)` } })
    expect(output.ok).toBe(false)
  })

  test('a shadow of a library in the project is not used in its place', async () => {
    const output = await bundler.build({
      files: {
        'a.js': "import * as x from 'react'; console.log(x)",
        'node_modules/react/index.js': 'export const shadow = "SHADOW"',
      },
    })
    expect(output.ok && output.dependencies).toContain('react')
    expect(JSON.stringify(output)).not.toContain('SHADOW')
  })

  test('the environment is not there', async () => {
    const output = await bundler.build({
      files: { 'a.js': 'console.log(process.env, process.env.PATH, import.meta.env)' },
    })
    expect(output.ok).toBe(true)
    expect(JSON.stringify(output)).not.toContain(process.env.PATH ?? 'PATH is not set')
  })
})

describe('the network', () => {
  test('is not asked for anything', async () => {
    const host = `127.0.0.1:${port}`
    const sources: Record<string, string>[] = [
      ...['http:', 'https:', ''].flatMap(protocol => [
        { 'a.js': `import x from '${protocol}//${host}/x.js'; console.log(x)` },
        { 'a.js': `import('${protocol}//${host}/x.js')` },
        {
          'a.css': `@import url(${protocol}//${host}/x.css); a { background: url(${protocol}//${host}/x.png) }`,
        },
        {
          'index.html': `<link rel=stylesheet href="${protocol}//${host}/x.css"><script src="${protocol}//${host}/x.js"></script><script type=module src="${protocol}//${host}/x.js"></script>`,
        },
        { 'a.js': `console.log(1)\n//# sourceMappingURL=${protocol}//${host}/x.map` },
      ]),
      ...[
        'npm:x',
        'data:text/javascript,export default 1',
        'blob:x',
        'jsr:@x/y',
        'ftp://x/y',
        'file:///etc/hosts',
      ].map(address => ({
        'a.js': `import x from '${address}'; console.log(x)`,
      })),
    ]
    for (const files of sources) await bundler.build({ files })
    for (const files of sources.filter(source => source['a.js']?.startsWith('import'))) {
      expect((await bundler.build({ files })).ok, files['a.js']).toBe(false)
    }
    expect(hits).toBe(0)
  })
})

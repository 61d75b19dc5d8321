import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEsbuildBundler } from './esbuild.ts'
import type { Bundler } from './index.ts'
import { ensureVendor, type Vendor } from './vendor.ts'

let vendor: Vendor
let bundler: Bundler

beforeAll(async () => {
  vendor = await ensureVendor()
  bundler = createEsbuildBundler({ vendor })
}, 60_000)

afterAll(() => bundler.close())

const fine = { 'a.js': 'console.log("fine")' }

type Files = Record<string, string>
const repeat = (text: string, count: number) => text.repeat(count)

function cycle(): Files {
  const names = Array.from({ length: 400 }, (_, index) => index)
  return Object.fromEntries(
    names.map(index => [
      `m${index}.js`,
      `import './m${(index + 1) % 400}.js'; import './m${(index + 7) % 400}.js'; console.log(${index})`,
    ]),
  )
}

const bombs: [string, () => Files][] = [
  ['50 MB of source', () => ({ 'a.js': `//${repeat('x', 50 * 1024 * 1024)}` })],
  [
    '10,000 files',
    () => Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`f${index}.js`, '1'])),
  ],
  ['20,000 nested parentheses', () => ({ 'a.js': `x = ${repeat('(', 20_000)}1${repeat(')', 20_000)}` })],
  ['2,000,000 nested brackets', () => ({ 'a.js': `x = ${repeat('[', 2_000_000)}${repeat(']', 2_000_000)}` })],
  [
    'nested elements',
    () => ({ 'a.tsx': `export default () => ${repeat('<b>', 200_000)}${repeat('</b>', 200_000)}` }),
  ],
  ['an array of a million', () => ({ 'a.js': `console.log([${repeat('1,', 1_000_000)}])` })],
  ['an array of five million', () => ({ 'a.js': `console.log([${repeat('1,', 5_000_000)}])` })],
  ['6 MB to be minified', () => ({ 'a.js': repeat('value = function () { return "words" };', 154_000) })],
  ['5 MB to be minified', () => ({ 'a.js': repeat('value = function () { return "words" };', 125_000) })],
  ['import cycles', cycle],
  ['nested CSS', () => ({ 'a.css': repeat('a{', 300_000) })],
  ['nested CSS that multiplies', () => ({ 'a.css': `${repeat('a,b{', 40)}color:red${repeat('}', 40)}` })],
  ['open script tags', () => ({ 'index.html': repeat('<script>', 600_000) })],
  ['open links', () => ({ 'index.html': repeat('<link rel="stylesheet" href="', 150_000) })],
  ['module scripts', () => ({ 'index.html': repeat('<script type=module>1</script>', 60_000) })],
  ['nested quotes', () => ({ 'a.md': `${repeat('>', 1_000_000)}x` })],
  ['open emphasis', () => ({ 'a.md': repeat('*a _b ', 300_000) })],
  [
    'a path from everywhere',
    () => ({ 'a.js': `const a = 1; import(\`./\${a}/../../../../../../../\${a}/\${a}\`)` }),
  ],
]

describe('bombs', () => {
  test.each(bombs)(
    '%s ends in time, and the next build works',
    async (_, make) => {
      const startedAt = Date.now()
      const outcome = await bundler.build({ files: make(), minify: true }).then(
        output => (output.ok ? 'built' : 'refused'),
        error => error.code as string,
      )
      expect(['built', 'refused', 'BUILD_INPUT', 'BUILD_TIMEOUT']).toContain(outcome)
      expect(Date.now() - startedAt).toBeLessThan(15_000)
      expect((await bundler.build({ files: { ...fine, 'b.js': String(startedAt) } })).ok).toBe(true)
    },
    40_000,
  )
})

describe('limits', () => {
  test('a worker that takes too long or too much is replaced, and nothing stays behind', async () => {
    const slow = createEsbuildBundler({ vendor, timeMs: 1 })
    const files = { 'a.js': repeat('console.log(1);', 100_000) }
    const refusal = async () => slow.build({ files }).catch((error: unknown) => error)
    const first = await refusal()
    expect(first).toMatchObject({ kind: 'timeout', code: 'BUILD_TIMEOUT' })
    // It is remembered, not found again.
    expect(await refusal()).toBe(first)
    const fat = createEsbuildBundler({ vendor, memoryBytes: 30 * 1024 * 1024 })
    await expect(fat.build({ files: { 'a.md': repeat('*a _b ', 100_000) } })).rejects.toMatchObject({
      kind: 'too-large',
      code: 'BUILD_INPUT',
    })
    await slow.close()
    await fat.close()
    expect(await leftovers()).toEqual([])
  }, 60_000)

  test('a worker that has nothing to do goes, and the next build has a new one', async () => {
    const own = createEsbuildBundler({ vendor, idleMs: 50 })
    const before = await workers()
    expect((await own.build({ files: fine })).ok).toBe(true)
    await expect.poll(async () => (await workers()).filter(pid => !before.includes(pid))).toEqual([])
    expect((await own.build({ files: { 'b.js': '1' } })).ok).toBe(true)
    await own.close()
    expect(await leftovers()).toEqual([])
  })

  test('closing in the middle of a build ends it and its processes', async () => {
    const own = createEsbuildBundler({ vendor })
    const builds = [1, 2, 3].map(index => own.build({ files: { 'a.md': repeat(`*a${index} _b `, 200_000) } }))
    const ended = Promise.allSettled(builds)
    await expect.poll(async () => (await workers()).length, { timeout: 10_000 }).toBeGreaterThan(1)
    await own.close()
    expect((await ended).map(result => result.status)).toEqual(['rejected', 'rejected', 'rejected'])
    await expect(own.build({ files: fine })).rejects.toMatchObject({ kind: 'unavailable' })
    expect(await leftovers()).toEqual([])
  }, 60_000)

  test.each([
    '',
    '/a.js',
    '../a.js',
    'a/../b.js',
    'a//b.js',
    './a.js',
    'a\\b.js',
    'C:a.js',
    'a\0.js',
    'a\n.js',
    `${'a'.repeat(300)}.js`,
    'a\u202e.js',
  ])('the path %j is refused', async path => {
    await expect(bundler.build({ files: { ...fine, [path]: '1' } })).rejects.toMatchObject({
      kind: 'invalid',
      code: 'BUILD_INPUT',
    })
  })

  test('two names that are one on some disks are refused; names of object members are just names', async () => {
    await expect(bundler.build({ files: { 'A.js': '1', 'a.js': '2' } })).rejects.toMatchObject({
      code: 'BUILD_INPUT',
    })
    const output = await bundler.build({
      files: {
        'a.js': "import './constructor'; import './toString.js'; import './a.constructor'",
        'toString.js': '1',
        'a.constructor': '1',
      },
    })
    expect(output.ok).toBe(false)
    expect(Object.prototype).not.toHaveProperty('polluted')
  })
})

test('a worker removes its own folder when its server goes, and no other that it was started in', async () => {
  const left: Record<string, string[]> = {}
  for (const name of ['atelier-build-', 'elsewhere-']) {
    const folder = await mkdtemp(join(tmpdir(), name))
    await writeFile(join(folder, 'kept'), '')
    const script = fileURLToPath(new URL('./worker.ts', import.meta.url))
    const child = fork(script, [], { cwd: folder, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    await once(child, 'spawn')
    child.disconnect()
    await once(child, 'exit')
    left[name] = await readdir(folder).catch(() => [])
    await rm(folder, { recursive: true, force: true })
  }
  expect(left).toEqual({ 'atelier-build-': [], 'elsewhere-': ['kept'] })
})

/** Worker processes of this test's process, dead ones included: every child that stands in a build folder or is a zombie. */
async function workers(): Promise<string[]> {
  if (process.platform !== 'linux') return []
  const children = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8').catch(() => '')
  return children.split(' ').filter(Boolean)
}

/** Children of ours that are zombies, and processes anywhere that stand in a build folder which is gone. */
async function leftovers(): Promise<string[]> {
  if (process.platform !== 'linux') return []
  const found: string[] = []
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const folder = await readlink(`/proc/${pid}/cwd`).catch(() => '')
    if (/atelier-build-.* \(deleted\)$/.test(folder)) found.push(`${pid} stands in ${folder}`)
  }
  for (const pid of await workers()) {
    const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    if (/\) Z /.test(status)) found.push(`${pid} is a zombie`)
  }
  return found
}

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEsbuildBundler } from './esbuild.ts'
import type { Bundler } from './index.ts'
import { ensureVendor } from './vendor.ts'

let listener: Server
let cdn: string
let hits = 0
let bundler: Bundler

beforeAll(async () => {
  listener = createServer((_request, response) => {
    hits++
    response.end('export default 1')
  })
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  cdn = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
  bundler = createEsbuildBundler({ vendor: await ensureVendor(), cdn })
}, 60_000)
afterAll(async () => {
  await bundler.close()
  listener.closeAllConnections()
  await new Promise(resolve => listener.close(resolve))
})

async function build(files: Record<string, string>) {
  const output = await bundler.build({ files })
  if (!output.ok) throw new Error(JSON.stringify(output.errors))
  return output
}

const react = 'external=react,react-dom'

describe('packages that are not built in, with a CDN', () => {
  test('become addresses there, by the versions of the project, and share the page’s React', async () => {
    const output = await build({
      'package.json': JSON.stringify({ dependencies: { lodash: '^4.17.21', odd: '1.0 || "x' } }),
      'src/main.jsx': `import _ from 'lodash'
import { chunk } from 'lodash/chunk.js'
import three from '@scope/three@1.2/lib/x'
import odd from 'odd'
import whole from '${cdn}/whole@1'
import { format } from 'date-fns'
console.log(_, chunk, three, odd, whole, format)`,
    })
    for (const address of [
      `"${cdn}/lodash@^4.17.21?${react}"`,
      `"${cdn}/lodash@^4.17.21/chunk.js?${react}"`,
      `"${cdn}/@scope/three@1.2/lib/x?${react}"`,
      `"${cdn}/odd?${react}"`,
      `"${cdn}/whole@1"`,
      '"react":"/vendor/',
      '"react/jsx-runtime":"/vendor/',
    ])
      expect(output.html).toContain(address)
    expect(output.dependencies).toEqual(
      expect.arrayContaining([
        `${cdn}/whole@1`,
        '@scope/three@1.2/lib/x',
        'date-fns',
        'lodash',
        'lodash/chunk.js',
        'odd',
      ]),
    )
  })

  test('a require and a module inside a page are led there too; its scripts are no surprise', async () => {
    expect((await build({ 'a.js': "const _ = require('lodash')\nconsole.log(_)" })).html).toContain(
      `from "${cdn}/lodash?${react}"`,
    )
    const page = await build({
      'index.html': `<script src="${cdn}/x.js"></script><script type="module">import d3 from 'd3'; console.log(d3)</script>`,
    })
    expect(page.html).toContain(`"${cdn}/d3?${react}"`)
    expect(page.warnings).toEqual([])
  })

  test.each([
    ['node:fs', /part of Node/],
    ['fs', /part of Node/],
    ['child_process', /part of Node/],
    ['https://other.example/x.js', /not available/],
    ['http://127.0.0.1:1/x.js', /not available/],
    ['lodash/../../x', /not available/],
    ['lodash//x', /not available/],
    ['LODASH"x', /not available/],
    ['a b', /not available/],
    [`${'x'.repeat(300)}`, /not available/],
    ['./missing', /not part of this project/],
    ['/etc/passwd', /absolute path/],
  ])('%s is refused as ever', async (specifier, text) => {
    const output = await bundler.build({
      files: { 'a.js': `import x from ${JSON.stringify(specifier)}\nconsole.log(x)` },
    })
    expect(output.ok).toBe(false)
    if (!output.ok)
      expect(output.errors[0]).toMatchObject({ text: expect.stringMatching(text), file: 'a.js' })
  })

  test('styles are not taken from it', async () => {
    expect((await bundler.build({ files: { 'a.js': "import 'x/style.css' with { type: 'css' }" } })).ok).toBe(
      false,
    )
    const output = await build({ 'a.css': `@import "${cdn}/x.css"; a { color: red }` })
    expect(output.warnings[0]?.text).toMatch(/not loaded/)
  })

  test('building asks the network for nothing, and another CDN is another result', async () => {
    expect(hits).toBe(0)
    const vendor = await ensureVendor()
    const others = [createEsbuildBundler({ vendor }), createEsbuildBundler({ vendor, cdn: 'https://esm.sh' })]
    expect(new Set([bundler, ...others].map(each => each.fingerprint)).size).toBe(3)
    const files = { 'a.js': "import _ from 'lodash'\nconsole.log(_)" }
    expect((await others[0]?.build({ files }))?.ok).toBe(false)
    expect((await others[1]?.build({ files }))?.ok).toBe(true)
    for (const each of others) await each.close()
  })
})

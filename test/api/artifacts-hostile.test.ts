import { readdir } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { unzipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ScriptedProvider, startProvider } from '../provider/index.ts'
import { startApp, type TestApp } from '../support/app.ts'

// RELIABILITY, group ARTIFACTS, through the whole product: what a model writes is the input of an enemy.

let provider: ScriptedProvider
let server: TestApp
let token: string
let listener: Server
let canary: string
let hits = 0

beforeAll(async () => {
  provider = await startProvider()
  listener = createServer((_request, response) => {
    hits++
    response.end('CANARY_CAME')
  })
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  canary = `127.0.0.1:${(listener.address() as AddressInfo).port}`
  server = await startApp({
    OPENAI_API_KEY: 'sk-test',
    OPENAI_BASE_URL: provider.baseUrls.openai,
    DEFAULT_MODEL: 'openai/gpt-test',
    OPENAI_MODEL: 'gpt-test',
    ALLOW_ANY_MODEL: 'true',
  })
  token = (await server.signUp()).token
}, 60_000)
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await provider.close()
  listener.closeAllConnections()
  listener.close()
})

const call = (method: string, path: string, body?: unknown) =>
  server.call(method, path, { token, ...(body === undefined ? {} : { body }) })

const fence = (info: string, code: string) => `\`\`\`\`${info}\n${code}\n\`\`\`\`\n\n`

interface Made {
  id: string
  title: string
  type: string
  fileCount: number
}

/** The artifacts of an answer with this text. */
async function make(text: string): Promise<Made[]> {
  await provider.script({ text })
  const told = await call('POST', '/api/v1/generations', { message: 'Make it', stream: false })
  expect(told.status, told.text.slice(0, 500)).toBe(200)
  const { conversationId } = told.body.data.generation
  return (await call('GET', `/api/v1/conversations/${conversationId}/artifacts`)).body.data.artifacts
}

async function makeOne(text: string): Promise<Made> {
  const [made, ...others] = await make(text)
  if (!made || others.length > 0) throw new Error(`not one artifact but ${others.length + (made ? 1 : 0)}`)
  return made
}

const build = async (id: string) => (await call('POST', `/api/v1/artifacts/${id}/build`, {})).body.data.build

/** The files of the project as it is handed out. */
async function unpack(id: string): Promise<Record<string, Uint8Array>> {
  const { url } = (await call('GET', `/api/v1/artifacts/${id}/download?format=zip`)).body.data
  return unzipSync(new Uint8Array(await (await fetch(server.url + new URL(url).pathname)).arrayBuffer()))
}

describe('what is opened by itself', () => {
  const script = '<script>document.title = document.cookie</script>'
  const kinds: [string, string, string][] = [
    ['HTML', 'html', `<!doctype html>\n<html>\n<body>\n${script}\n</body>\n</html>`],
    ['SVG', 'svg title="a.svg"', `<svg xmlns="http://www.w3.org/2000/svg">\n${script}\n</svg>`],
    [
      'XML',
      'xml title="a.xml"',
      `<?xml version="1.0"?>\n<x:html xmlns:x="http://www.w3.org/1999/xhtml">${script.replaceAll(/<(\/?)/g, '<$1x:')}</x:html>`,
    ],
    ['XHTML', 'xml title="a.xhtml"', `<html xmlns="http://www.w3.org/1999/xhtml">${script}</html>`],
    [
      'PDF',
      'pdf title="a.pdf"',
      '%PDF-1.7\n1 0 obj\n<< /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >>\nendobj',
    ],
    ['JavaScript', 'js title="a.js"', 'document.title = document.cookie'],
    ['Markdown', 'md title="a.md"', `# x\n\n${script}`],
  ]

  test.each(kinds)(
    '%s is text that is saved, or a page in a sandbox, on every path',
    async (_, info, code) => {
      const { id } = await makeOne(fence(info, code))
      const links = [
        (await call('GET', `/api/v1/artifacts/${id}/download`)).body.data.url,
        (await call('GET', `/api/v1/artifacts/${id}/download?format=zip`)).body.data.url,
        (await call('POST', `/api/v1/artifacts/${id}/preview`)).body.data.url,
      ].map(url => new URL(url, server.url).pathname)
      const paths = [
        ...links,
        ...['', '/files', '/versions'].map(end => `/api/v1/artifacts/${id}${end}`),
        ...['', '/code', '/download', '/preview', '/project', '/project-preview'].map(
          end => `/api/artifacts/${id}${end}`,
        ),
      ]
      for (const path of paths) {
        for (const accept of ['*/*', 'text/html,application/xhtml+xml,application/xml;q=0.9']) {
          const answer = await server.call('GET', path, { token, headers: { accept } })
          const header = (name: string) => answer.headers.get(name) ?? ''
          const isSandboxed = header('content-security-policy').startsWith('sandbox')
          const isPlain = header('content-type').startsWith('application/json')
          const isSaved = header('content-disposition').startsWith('attachment')
          const told = `${path} ${accept} ${answer.status} ${header('content-type')}`
          expect(answer.status, told).toBeLessThan(500)
          expect(
            isSandboxed || isPlain || (isSaved && !/html|xml|svg|pdf/.test(header('content-type'))),
            told,
          ).toBe(true)
          if (isSandboxed)
            expect(header('content-security-policy'), told).not.toMatch(/allow-same-origin|allow-top/)
          expect(header('set-cookie'), told).toBe('')
          if (!isPlain) expect(header('x-content-type-options'), told).toBe('nosniff')
        }
      }
    },
  )
})

describe('names', () => {
  const evil = [
    '../../escape.ts',
    '..\\..\\escape.ts',
    '/etc/escape.ts',
    'C:\\escape.ts',
    'C:/escape.ts',
    'a/../../escape.ts',
    './././escape.ts',
    'a//escape.ts',
    '%2e%2e%2fescape.ts',
    '．．／escape.ts',
    'a\u0000.ts',
    'a\u202Etxt.ts',
    `${'n'.repeat(300)}.ts`,
    '.git/hooks/post-checkout.ts',
    'CON.ts',
    '~/escape.ts',
    '__proto__.ts',
    'constructor.ts',
  ]

  test('of files lead nowhere but into the project, in the list as in the zip', async () => {
    const before = await readdir(tmpdir())
    const text = evil
      .map((name, index) =>
        fence(`ts title="${name}"`, `export const n${index} = ${index}\n// ${'x'.repeat(5)}`),
      )
      .join('')
    const project = (await make(`${text}${fence('ts title="src/kept.ts"', 'export const kept = 1')}`)).find(
      ({ fileCount }) => fileCount > 1,
    )
    const { files } = (await call('GET', `/api/v1/artifacts/${project?.id}/files`)).body.data
    const entries = Object.keys(await unpack(project?.id ?? ''))
    expect(entries).toContain('src/kept.ts')
    const names = [...files.map((file: { path: string }) => file.path), ...entries]
    for (const name of names) {
      expect(name).toMatch(/^[\p{L}\p{N}_@.()[\]+$~/-]{1,200}$/u)
      expect(name.split('/')).not.toContain('..')
      expect(name).not.toMatch(/^\/|\/\/|^[A-Za-z]:/)
    }
    expect(
      (await readdir(tmpdir())).filter(name => !before.includes(name) && name.includes('escape')),
    ).toEqual([])
    expect(Object.prototype).not.toHaveProperty('ts')
  })

  test('that are one on some disks are one file, and no entry of a zip is a link', async () => {
    const made = await makeOne(
      ['src/App.ts', 'SRC/app.ts', 'src/app.TS']
        .map((name, index) => fence(`ts title="${name}"`, `export const n = ${index}`))
        .join('') +
        fence('ts title="src/link"', '../../../etc/passwd') +
        fence('ts title="src/other.ts"', 'export {}'),
    )
    const { url } = (await call('GET', `/api/v1/artifacts/${made.id}/download?format=zip`)).body.data
    const bytes = Buffer.from(await (await fetch(server.url + new URL(url).pathname)).arrayBuffer())
    const entries = Object.keys(unzipSync(new Uint8Array(bytes)))
    expect(new Set(entries.map(name => name.toLowerCase())).size).toBe(entries.length)
    expect(entries).toContain('src/App.ts')
    // The mode of an entry stands in the upper half of its external attributes; 0o12 there is a symbolic link.
    let count = 0
    for (
      let at = bytes.indexOf('PK\x01\x02', 0, 'latin1');
      at !== -1;
      at = bytes.indexOf('PK\x01\x02', at + 4, 'latin1')
    ) {
      expect((bytes.readUInt32LE(at + 38) >>> 28) & 0xf).not.toBe(0o12)
      count++
    }
    expect(count).toBe(entries.length)
  })
})

describe('sources that reach out', () => {
  test('find neither the host’s files nor the network', async () => {
    const files: Record<string, string> = {
      'tsconfig.json': JSON.stringify({
        extends: '../../../../../../etc/passwd',
        compilerOptions: { paths: { x: ['/etc/passwd'] } },
      }),
      'package.json': JSON.stringify({
        browser: { './src/label.js': '/etc/passwd', react: '/etc/passwd' },
        imports: { '#x': '/etc/passwd' },
      }),
      'node_modules/react/index.js': 'export const shadow = "SHADOWED"',
      'src/label.js': 'export default "the project’s own"',
      'src/main.js': `import label from './label.js'\nimport * as react from 'react'\nconsole.log(label, react)\n//# sourceMappingURL=http://${canary}/map`,
    }
    const { id } = await makeOne(
      Object.entries(files)
        .map(([path, code]) => fence(`js title="${path}"`, code))
        .join(''),
    )
    const told = await build(id)
    expect(told).toMatchObject({ ok: true, dependencies: expect.arrayContaining(['react']) })
    const page = await fetch(
      server.url + (await call('POST', `/api/v1/artifacts/${id}/preview`)).body.data.url,
    )
    const text = await page.text()
    expect(text).toContain('the project’s own')
    expect(text).not.toMatch(/SHADOWED|root:.*:0:0/)
    for (const code of [
      `import x from 'http://${canary}/x.js'\nconsole.log(x)`,
      `import x from 'https://${canary}/x.js'\nconsole.log(x)`,
      "import x from 'npm:lodash'\nconsole.log(x)",
      "import x from 'data:text/javascript,export default 1'\nconsole.log(x)",
      "import x from 'file:///etc/passwd'\nconsole.log(x)",
      "import x from '/etc/passwd' with { type: 'text' }\nconsole.log(x)",
      "import x from '../../../../../../../../etc/passwd' with { type: 'bytes' }\nconsole.log(x)",
      "const n = 'passwd'\nimport('./../../../../../../../../etc/' + n)",
      "import x from 'lodash'\nconsole.log(x)",
    ]) {
      const made = await makeOne(fence('js title="a.js"', code))
      const refused = await build(made.id)
      expect(refused.ok, code).toBe(false)
      expect(refused.errors[0], code).toMatchObject({ file: 'a.js', text: expect.any(String) })
      expect(JSON.stringify(refused)).not.toMatch(/root:.*:0:0|CANARY/)
    }
    const style = await makeOne(
      fence(
        'css title="a.css"',
        `@import url(http://${canary}/a.css);\na { background: url(//${canary}/x.png) }\nb { src: url(file:///etc/passwd) }`,
      ),
    )
    expect(JSON.stringify(await build(style.id))).not.toContain('root:')
    expect(hits).toBe(0)
  })
})

describe('bombs', () => {
  test('cost their own account its time and nobody else anything', async () => {
    const slow = await makeOne(fence('md title="a.md"', '*a _b '.repeat(300_000)))
    const fine = await makeOne(fence('js title="a.js"', 'console.log("fine")'))
    let isOver = false
    const bomb = call('POST', `/api/v1/artifacts/${slow.id}/build`, {}).finally(() => {
      isOver = true
    })
    const other = (await server.signUp()).token
    for (let count = 0; count < 20; count++) {
      const told = await server.call('GET', '/api/v1/conversations', { token: other })
      expect(told.status).toBe(200)
    }
    expect(isOver).toBe(false)
    const told = await bomb
    expect([413, 504]).toContain(told.status)
    expect(told.body).toMatchObject({
      success: false,
      code: expect.stringMatching(/^BUILD_(?:TIMEOUT|INPUT)$/),
    })
    expect((await build(fine.id)).ok).toBe(true)
  }, 60_000)

  test.each<[string, string, string]>([
    ['20,000 nested parentheses', 'js title="a.js"', `x = ${'('.repeat(20_000)}1${')'.repeat(20_000)}`],
    ['an array of two million', 'js title="a.js"', `console.log([${'1,'.repeat(1_900_000)}])`],
    [
      'more than is kept',
      'js title="a.js"',
      `${'console.log("some words to fill the line");\n'.repeat(110_000)}`,
    ],
  ])(
    '%s end in an answer',
    async (_, info, code) => {
      const made = await makeOne(fence(info, code))
      const told = await call('POST', `/api/v1/artifacts/${made.id}/build`, { minify: true })
      expect([200, 413, 504], told.text.slice(0, 300)).toContain(told.status)
      expect((await server.call('GET', '/health')).status).toBe(200)
    },
    60_000,
  )
})

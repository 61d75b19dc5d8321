import { unzipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ArtifactsWorld, openArtifacts } from '../../../test/support/artifacts.ts'
import { newId } from '../../lib/ids.ts'
import { slugOf } from './names.ts'

let world: ArtifactsWorld
let accountId: string

beforeAll(async () => {
  world = await openArtifacts()
  accountId = await world.account()
}, 60_000)

afterAll(() => world[Symbol.asyncDispose]())

async function place() {
  return { accountId, conversationId: await world.conversation(accountId) }
}

async function call(method: 'GET' | 'POST', path: string, token: string | null = accountId, body?: object) {
  const answer = await world.server.inject({
    method,
    url: `/api/v1${path}`,
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    ...(body ? { payload: body } : {}),
  })
  return { status: answer.statusCode, body: answer.json(), text: answer.body, headers: answer.headers }
}

const button = (label: string) => `Here is a button:

\`\`\`tsx
export default function FancyButton() {
  return <button>${label}</button>
}
\`\`\`
`

const project = (files: Record<string, string>) =>
  Object.entries(files)
    .map(([path, content]) => `**${path}**\n\n\`\`\`${path.split('.').at(-1)}\n${content}\`\`\`\n`)
    .join('\nand\n\n')

describe('an answer with code', () => {
  test('tells when code begins, keeps it, tells when it is there, and lists it with the message', async () => {
    const { events, artifacts, messageId, generationId } = await world.answer(await place(), button('Hi'))
    expect(events).toEqual([
      { type: 'artifact-start', key: 'block-1', title: 'FancyButton', language: 'tsx' },
      {
        type: 'artifact-ready',
        key: 'block-1',
        artifact: {
          id: expect.any(String),
          title: 'FancyButton',
          type: 'REACT',
          language: 'tsx',
          version: 1,
          fileCount: 1,
          consolidatedFrom: [],
          consolidatedInto: null,
        },
      },
    ])
    const id = artifacts[0]?.id ?? ''
    const read = await call('GET', `/artifacts/${id}`)
    expect(read.body.data.artifact).toMatchObject({
      id,
      messageId,
      generationId,
      version: 1,
      files: [{ path: 'FancyButton.tsx', language: 'tsx' }],
    })
    const files = await call('GET', `/artifacts/${id}/files`)
    expect(files.body.data.files[0].content).toBe(
      'export default function FancyButton() {\n  return <button>Hi</button>\n}\n',
    )
    const listed = await world.artifacts.listByMessages(accountId, [messageId, newId()])
    expect([...listed]).toEqual([[messageId, artifacts]])
    expect(await world.artifacts.listByMessages(await world.account(), [messageId])).toEqual(new Map())
  })

  test('an unnamed block is there before the answer ends', async () => {
    const where = await place()
    const messageId = newId()
    await world.database.db
      .insertInto('messages')
      .values({
        id: messageId,
        conversation_id: where.conversationId,
        account_id: accountId,
        position: 1,
        role: 'assistant',
        content: '',
      })
      .execute()
    const events: string[] = []
    const observer = world.artifacts.observer({
      ...where,
      generationId: newId(),
      replyId: messageId,
      emit: event => void events.push(event.type),
    })
    observer?.text(button('x'))
    await expect.poll(() => events).toContain('artifact-ready')
    await observer?.end()
  })

  test('named files are one project; what is cut is kept as far as it came', async () => {
    const { events, artifacts } = await world.answer(
      await place(),
      `${project({ 'package.json': '{"name": "todo"}\n', 'src/App.tsx': 'export const App = () => <b>x</b>\n' })}\n\`\`\`css title="src/a.css"\n.a { color: r`,
    )
    expect(
      events.filter(event => event.type === 'artifact-start').map(event => [event.key, event.path]),
    ).toEqual([
      ['files', 'package.json'],
      ['files', 'src/App.tsx'],
      ['files', 'src/a.css'],
    ])
    expect(artifacts).toMatchObject([{ title: 'todo', type: 'REACT', fileCount: 3, version: 1 }])
    const files = await world.artifacts.readFiles(accountId, artifacts[0]?.id ?? '')
    expect(files.at(-1)).toMatchObject({ path: 'src/a.css', content: '.a { color: r\n' })
  })

  test('an answer that nobody watched to its end can be kept afterwards', async () => {
    const where = await place()
    const { messageId } = await world.answer(where, 'no code')
    await world.artifacts.keep(
      { ...where, generationId: newId(), replyId: messageId },
      button('late').slice(0, 90),
    )
    const listed = await world.artifacts.listByMessages(accountId, [messageId])
    expect(listed.get(messageId)).toMatchObject([{ title: 'FancyButton', fileCount: 1 }])
  })

  test('prose and commands make nothing', async () => {
    const { events } = await world.answer(await place(), 'Run:\n\n```bash\nnpm start\n```\n')
    expect(events).toEqual([])
  })

  test('a run without a reply is not watched', () => {
    const run = { accountId, generationId: newId(), conversationId: null, replyId: null, emit() {} }
    expect(world.artifacts.observer(run)).toBeNull()
  })
})

describe('versions', () => {
  test('the same title is the next version, in its own conversation only', async () => {
    const where = await place()
    const first = await world.answer(where, button('one'))
    const second = await world.answer(where, button('two'))
    const elsewhere = await world.answer(await place(), button('three'))
    expect([first, second, elsewhere].map(told => told.artifacts[0]?.version)).toEqual([1, 2, 1])
    expect((await world.artifacts.readFiles(accountId, first.artifacts[0]?.id ?? ''))[0]?.content).toContain(
      'one',
    )
  })

  test('a later answer that changes some files of a project keeps the others, and stores the same bytes once', async () => {
    const where = await place()
    await world.answer(
      where,
      project({ 'src/App.tsx': 'import "./a.css"\nexport default () => 1\n', 'src/a.css': 'a{}\n' }),
    )
    const second = await world.answer(
      where,
      project({ 'SRC/app.tsx': 'import "./a.css"\nexport default () => 2\n', 'src/new.ts': '1\n' }),
    )
    expect(second.artifacts).toMatchObject([{ version: 2, fileCount: 3 }])
    const files = await world.artifacts.readFiles(accountId, second.artifacts[0]?.id ?? '')
    expect(files.map(file => file.path)).toEqual(['src/App.tsx', 'src/a.css', 'src/new.ts'])
    expect(files[0]?.content).toContain('=> 2')
    const stored = (await world.keys()).filter(name => name.includes(where.conversationId))
    expect(stored.length).toBe(4)
  })

  test('many answers at once in one conversation get versions without gaps', async () => {
    const where = await place()
    const told: number[] = []
    for (let round = 0; round < 2; round++) {
      const messages = []
      for (let index = 0; index < 8; index++) messages.push((await world.answer(where, 'no code')).messageId)
      const answers = await Promise.all(
        messages.map((messageId, index) => world.answer(where, button(`${round}.${index}`), { messageId })),
      )
      told.push(...answers.map(answer => answer.artifacts[0]?.version ?? 0))
    }
    expect(told.sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, index) => index + 1))
  })

  test('a generation that is run again replaces what its first attempt had kept', async () => {
    const where = await place()
    const first = await world.answer(where, button('first'))
    const again = await world.answer(where, button('again'), {
      messageId: first.messageId,
      generationId: first.generationId,
    })
    const listed = await world.artifacts.listByMessages(accountId, [first.messageId])
    expect(listed.get(first.messageId)).toEqual(again.artifacts)
  })

  test('going on inside a block keeps the whole of it, and nothing twice', async () => {
    const where = await place()
    const prefix = `${button('done')}\n\`\`\`html title="page.html"\n<p>be`
    const first = await world.answer(where, prefix)
    expect(first.artifacts.length).toBe(2)
    const second = await world.answer(where, 'gun</p>\n```\n', { prefix, messageId: first.messageId })
    expect(second.artifacts).toMatchObject([{ version: 2, type: 'HTML' }])
    const files = await world.artifacts.readFiles(accountId, second.artifacts[0]?.id ?? '')
    expect(files[0]?.content).toBe('<p>begun</p>\n')
  })
})

describe('foreign is absent', () => {
  test('every route answers alike for an artifact of another account, for none, and for nonsense', async () => {
    const { artifacts } = await world.answer(await place(), button('mine'))
    const stranger = await world.account()
    const ids = [artifacts[0]?.id, newId(), 'nonsense', '..%2f..%2fetc', 'a'.repeat(150)]
    for (const [method, end] of [
      ['GET', ''],
      ['GET', '/files'],
      ['GET', '/download'],
      ['POST', '/build'],
      ['POST', '/preview'],
    ] as const) {
      const answers = await Promise.all(ids.map(id => call(method, `/artifacts/${id}${end}`, stranger)))
      expect(answers.map(answer => answer.status)).toEqual(ids.map(() => 404))
      expect(new Set(answers.map(answer => answer.text)).size).toBe(1)
      expect((await call(method, `/artifacts/${ids[0]}${end}`, null)).status).toBe(401)
    }
  })
})

describe('download', () => {
  test('one file is given as text under its name', async () => {
    const { artifacts } = await world.answer(await place(), button('down'))
    const { body } = await call('GET', `/artifacts/${artifacts[0]?.id}/download`)
    expect(body.data.fileName).toBe('FancyButton.tsx')
    const file = await world.server.inject(body.data.url.replace('http://127.0.0.1', ''))
    expect(file.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-disposition': expect.stringMatching(/^attachment; filename="FancyButton\.tsx"/),
    })
    expect(file.body).toContain('down')
  })

  test.each([
    ['A project of 5 files for notes (indigo)', 'a-project-of-5-files-for-notes-indigo'],
    ['Список дел — «мой»', 'список-дел-мой'],
    ['待办事项 App', '待办事项-app'],
    ['हिन्दी', 'हिन्दी'],
    ['ClickButton', 'click-button'],
    ['../..\\x"\r\n', 'x'],
    ['🎈', 'project'],
    ['Con', 'project-con'],
    ['long '.repeat(100), `${'long-'.repeat(15)}long`],
  ])('the zip of “%s” is called %s', (title, slug) => {
    expect(slugOf(title)).toBe(slug)
  })

  test('a project is given as a zip; the link ends after an hour', async () => {
    const { artifacts } = await world.answer(
      await place(),
      `# My "project"/..\r\n\n${project({ 'src/a.ts': 'a\n', 'src/b.ts': 'ü\n' })}`,
    )
    const answers = [
      await call('GET', `/artifacts/${artifacts[0]?.id}/download`),
      await call('GET', `/artifacts/${artifacts[0]?.id}/download`),
    ]
    expect(answers[0]?.body.data.fileName).toBe('my-project.zip')
    for (const { body } of answers) {
      const file = await world.server.inject(body.data.url.replace('http://127.0.0.1', ''))
      const entries = unzipSync(file.rawPayload)
      expect(Object.keys(entries).sort()).toEqual([
        ...['index.html', 'package.json', 'src/a.ts', 'src/b.ts', 'vite.config.js'],
      ])
      expect(Buffer.from(entries['src/b.ts'] ?? []).toString()).toBe('ü\n')
    }
    world.wait(3601)
    expect(
      (await world.server.inject(answers[0]?.body.data.url.replace('http://127.0.0.1', ''))).statusCode,
    ).toBe(410)
  })
})

describe('build and preview', () => {
  test('a build says what came of it; a failing one is a 200', async () => {
    const good = await world.answer(await place(), button('built'))
    const id = good.artifacts[0]?.id
    for (const body of [undefined, {}, { minify: true }]) {
      const answer = await call('POST', `/artifacts/${id}/build`, accountId, body)
      expect(answer.status).toBe(200)
      expect(answer.body.data.build).toMatchObject({
        ok: true,
        bundleBytes: expect.any(Number),
        errors: [],
        dependencies: expect.arrayContaining(['react/jsx-runtime']),
      })
    }
    expect((await call('POST', `/artifacts/${id}/build`, accountId, { minify: 'yes' })).status).toBe(400)
    expect((await call('POST', `/artifacts/${id}/build`, accountId, { entry: 'x' })).status).toBe(400)
    const bad = await world.answer(await place(), button('</b>'))
    const failed = await call('POST', `/artifacts/${bad.artifacts[0]?.id}/build`)
    expect(failed.status).toBe(200)
    expect(failed.body.data.build).toMatchObject({
      ok: false,
      bundleBytes: null,
      errors: [{ file: 'FancyButton.tsx', line: 2 }, {}],
    })
  })

  test('a preview is a page on an origin of its own, behind a link that ends', async () => {
    const { artifacts } = await world.answer(await place(), button('shown'))
    const { body } = await call('POST', `/artifacts/${artifacts[0]?.id}/preview`)
    expect(body.data.build.ok).toBe(true)
    expect(Date.parse(body.data.expiresAt) - Date.now()).toBeGreaterThan(0)
    const page = await world.server.inject({
      url: body.data.url,
      headers: { host: 'atelier.example:8080', cookie: 'accessToken=x' },
    })
    expect(page.statusCode).toBe(200)
    expect(page.body).toContain('shown')
    expect(page.headers['content-security-policy']).toMatch(
      /^sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' atelier\.example:8080\/vendor\/; /,
    )
    expect(page.headers['content-security-policy']).not.toMatch(
      /allow-same-origin|allow-top|allow-popups|'self'|\*/,
    )
    expect(page.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'content-type': 'text/html; charset=utf-8',
    })
    expect(page.headers).not.toHaveProperty('set-cookie')
    expect(page.headers).not.toHaveProperty('x-frame-options')
    const odd = await world.server.inject({ url: body.data.url, headers: { host: "evil'; script-src *" } })
    expect(odd.headers['content-security-policy'] ?? '').not.toContain('*')
    for (const url of [
      `${body.data.url}x`,
      '/preview/',
      '/preview/a.b',
      body.data.url.replace('/preview/', '/files/'),
      `/preview/${body.data.url.slice(12)}`,
    ]) {
      const answer = await world.server.inject(url)
      expect(answer.statusCode).toBe(404)
      expect(answer.json()).toMatchObject({ success: false })
    }
    world.wait(601)
    expect((await world.server.inject(body.data.url)).statusCode).toBe(410)
  })

  test('a preview of what does not build shows why, as text', async () => {
    const { artifacts } = await world.answer(await place(), button('</b><script>alert(1)</script>'))
    const { body } = await call('POST', `/artifacts/${artifacts[0]?.id}/preview`)
    expect(body.data.build.ok).toBe(false)
    const page = await world.server.inject(body.data.url)
    expect(page.body).toContain('FancyButton.tsx:2:')
    expect(page.body).not.toContain('<script>alert')
  })

  test('one account builds a little at a time, waits in line, and is refused beyond that; others are not held up', async () => {
    const own = await world.account()
    const where = { accountId: own, conversationId: await world.conversation(own) }
    const ids: string[] = []
    for (let index = 0; index < 30; index++)
      ids.push((await world.answer(where, button(`busy ${index}`))).artifacts[0]?.id ?? '')
    const other = await world.answer(await place(), button('other'))
    const calls = ids.flatMap(id =>
      [false, true].map(minify => call('POST', `/artifacts/${id}/build`, own, { minify })),
    )
    const others = await Promise.all(
      Array.from({ length: 5 }, () => call('POST', `/artifacts/${other.artifacts[0]?.id}/build`)),
    )
    expect(others.map(answer => answer.status)).toEqual([200, 200, 200, 200, 200])
    const answers = await Promise.all(calls)
    expect(answers.filter(answer => answer.status === 200).length).toBeGreaterThanOrEqual(32)
    for (const answer of answers.filter(found => found.status !== 200)) {
      expect(answer.status).toBe(429)
      expect(answer.headers['retry-after']).toBe('5')
    }
  })

  test('vendor modules are for everyone, for ever, and nothing else is in that folder', async () => {
    const { artifacts } = await world.answer(await place(), button('vendor'))
    const { body } = await call('POST', `/artifacts/${artifacts[0]?.id}/preview`)
    const page = await world.server.inject(body.data.url)
    const react = /"react\/jsx-runtime":"([^"]+)"/.exec(page.body)?.[1] ?? ''
    const plain = await world.server.inject({ url: react, headers: { origin: 'null' } })
    expect(plain.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'content-type': 'text/javascript; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'cache-control': expect.stringContaining('immutable'),
    })
    expect(plain.headers).not.toHaveProperty('content-encoding')
    const small = await world.server.inject({ url: react, headers: { 'accept-encoding': 'gzip, br' } })
    expect(small.headers['content-encoding']).toBe('br')
    for (const name of [
      'imports.json',
      '../stamp',
      '..%2f..%2fpackage.json',
      '%2e%2e/%2e%2e/package.json',
      '',
      'x.js',
      '/etc/passwd',
    ]) {
      expect((await world.server.inject(`/vendor/${name}`)).statusCode, name).toBe(404)
    }
  })
})

describe('removing', () => {
  test('a conversation takes its objects with it, and nobody else’s', async () => {
    const where = await place()
    const other = await world.answer(await place(), button('stays'))
    const { artifacts, messageId } = await world.answer(where, project({ 'a.ts': '1\n', 'b.ts': '2\n' }))
    await call('GET', `/artifacts/${artifacts[0]?.id}/download`)
    expect(await world.artifacts.removeConversation(accountId, where.conversationId)).toBe(3)
    await world.database.db.deleteFrom('conversations').where('id', '=', where.conversationId).execute()
    expect((await world.keys()).filter(name => name.includes(where.conversationId))).toEqual([])
    expect((await call('GET', `/artifacts/${artifacts[0]?.id}`)).status).toBe(404)
    expect(await world.artifacts.listByMessages(accountId, [messageId])).toEqual(new Map())
    expect((await call('GET', `/artifacts/${other.artifacts[0]?.id}/files`)).status).toBe(200)
  })

  test('an account takes all its objects with it', async () => {
    const own = await world.account()
    for (const label of ['a', 'b'])
      await world.answer({ accountId: own, conversationId: await world.conversation(own) }, button(label))
    expect(await world.artifacts.removeAccount(own)).toBe(2)
    expect((await world.keys()).filter(name => name.includes(own))).toEqual([])
  })

  test('an artifact takes with it what no other version needs', async () => {
    const where = await place()
    const first = await world.answer(where, project({ 'a.ts': 'same\n', 'b.ts': 'old\n' }))
    const second = await world.answer(where, project({ 'b.ts': 'new\n' }))
    await world.artifacts.remove(accountId, first.artifacts[0]?.id ?? '')
    const files = await world.artifacts.readFiles(accountId, second.artifacts[0]?.id ?? '')
    expect(files.map(file => file.content)).toEqual(['same\n', 'new\n'])
    expect((await world.keys()).filter(name => name.includes(where.conversationId)).length).toBe(2)
    await expect(world.artifacts.remove(accountId, first.artifacts[0]?.id ?? '')).rejects.toMatchObject({
      kind: 'missing',
    })
  })

  test('an answer that ends after its conversation was deleted keeps nothing', async () => {
    const where = await place()
    const { messageId } = await world.answer(where, 'no code')
    await world.database.db.deleteFrom('conversations').where('id', '=', where.conversationId).execute()
    const { events } = await world.answer(where, button('late'), { messageId })
    expect(events.map(event => event.type)).toEqual(['artifact-start'])
    expect((await world.keys()).filter(name => name.includes(where.conversationId))).toEqual([])
  })

  test('a sweep takes orphans at its second look, and only those', async () => {
    const { artifacts } = await world.answer(await place(), button('kept'))
    await call('GET', `/artifacts/${artifacts[0]?.id}/download`)
    const orphan = `artifacts/${accountId}/${newId()}/${'0'.repeat(64)}`
    await world.files.put(orphan, Buffer.from('x'), { contentType: 'text/plain' })
    expect(await world.artifacts.sweep()).toBe(0)
    const before = await world.keys()
    expect(await world.artifacts.sweep()).toBeGreaterThan(0)
    const after = await world.keys()
    expect(before).toContain(orphan)
    expect(after).not.toContain(orphan)
    expect((await call('GET', `/artifacts/${artifacts[0]?.id}/files`)).status).toBe(200)
  })
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ScriptedProvider, startProvider } from '../provider/index.ts'
import { startApp, type TestApp } from '../support/app.ts'

let provider: ScriptedProvider
let server: TestApp
let token: string

beforeAll(async () => {
  provider = await startProvider()
  server = await startApp({
    OPENAI_API_KEY: 'sk-test',
    OPENAI_BASE_URL: provider.baseUrls.openai,
    DEFAULT_MODEL: 'openai/gpt-test',
    OPENAI_MODEL: 'gpt-test',
    ALLOW_ANY_MODEL: 'true',
  })
  token = (await server.signUp()).token
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await provider.close()
})

const answer = (body: string) =>
  `Here:\n\n\`\`\`tsx\nexport default function Card() {\n  return ${body}\n}\n\`\`\`\n`

async function ask(text: string, conversationId?: string) {
  await provider.script({ text })
  const body = { message: 'Make a card', stream: false, ...(conversationId ? { conversationId } : {}) }
  const told = await server.call('POST', '/api/v1/generations', { token, body })
  expect(told.status, told.text).toBe(200)
  return told.body.data.generation as { id: string; conversationId: string; replyId: string }
}

const call = (method: string, path: string, body?: unknown, as = token) =>
  server.call(method, `/api/v1${path}`, { token: as, ...(body === undefined ? {} : { body }) })

describe('artifacts of a conversation', () => {
  test('are listed with their versions and where each comes from, exported, and deleted', async () => {
    const first = await ask(answer('<b>one</b>'))
    const second = await ask(answer('<b>two</b>'), first.conversationId)
    const { artifacts } = (await call('GET', `/conversations/${first.conversationId}/artifacts`)).body.data
    expect(artifacts).toMatchObject([
      {
        version: 1,
        messageId: first.replyId,
        generationId: first.id,
        title: 'Card',
        type: 'REACT',
        fileCount: 1,
      },
      { version: 2, messageId: second.replyId, generationId: second.id },
    ])
    expect(artifacts[0].model).toContain('gpt-test')
    expect(artifacts[0].size).toBeGreaterThan(40)
    const { versions } = (await call('GET', `/artifacts/${artifacts[0].id}/versions`)).body.data
    expect(versions).toEqual(artifacts)

    const json = await call('GET', `/conversations/${first.conversationId}/export`)
    expect(json.headers.get('content-disposition')).toBe(
      `attachment; filename="conversation-${first.conversationId}.json"`,
    )
    const exported = JSON.parse(json.text)
    expect(exported.messages.map((message: { role: string }) => message.role)).toEqual([
      ...['user', 'assistant', 'user', 'assistant'],
    ])
    const link: string = exported.messages[3].artifacts[0].downloadUrl
    const file = await fetch(server.url + new URL(link).pathname)
    expect(await file.text()).toContain('<b>two</b>')
    const markdown = await call('GET', `/conversations/${first.conversationId}/export?format=markdown`)
    expect(markdown.headers.get('content-type')).toBe('text/markdown; charset=utf-8')
    expect(markdown.text).toMatch(
      /^# Make a card\n[\s\S]*## You[\s\S]*<b>one<\/b>[\s\S]*- Card \(tsx, version 2\)/,
    )
    expect((await call('GET', `/conversations/${first.conversationId}/export?format=pdf`)).status).toBe(400)

    expect((await call('DELETE', `/artifacts/${artifacts[0].id}`)).status).toBe(200)
    const left = (await call('GET', `/conversations/${first.conversationId}/artifacts`)).body.data.artifacts
    expect(left.map((artifact: { version: number }) => artifact.version)).toEqual([2])
    expect((await call('DELETE', `/artifacts/${artifacts[0].id}`)).status).toBe(404)
  })

  test('a build error goes back to the model, and its answer is the next version', async () => {
    const broken = await ask(answer('<b>broken</i>'))
    const [artifact] = (await call('GET', `/conversations/${broken.conversationId}/artifacts`)).body.data
      .artifacts
    await provider.clear()
    await provider.script({ text: answer('<b>mended</b>') })
    const fix = await call('POST', `/artifacts/${artifact.id}/fix`)
    expect(fix.status, fix.text).toBe(202)
    expect(fix.body.data.conversationId).toBe(broken.conversationId)
    const { versions } = await expect
      .poll(async () => (await call('GET', `/artifacts/${artifact.id}/versions`)).body.data, {
        timeout: 20_000,
      })
      .toMatchObject({ versions: [{}, { version: 2 }] })
      .then(async () => (await call('GET', `/artifacts/${artifact.id}/versions`)).body.data)
    const built = await call('POST', `/artifacts/${versions[1].id}/build`)
    expect(built.body.data.build.ok).toBe(true)
    expect(JSON.stringify(await provider.requests())).toContain('Card.tsx:2:')

    const nothing = await call('POST', `/artifacts/${versions[1].id}/fix`, {})
    expect(nothing.status).toBe(409)
    expect(nothing.body.code).toBe('NOTHING_TO_FIX')
    expect(
      (await call('POST', `/artifacts/${versions[1].id}/fix`, { problems: [{ text: '' }] })).status,
    ).toBe(400)
    await provider.script({ text: 'Done.' })
    const problems = [{ text: 'x is not ```defined', place: 'Card.tsx:2:3' }]
    expect((await call('POST', `/artifacts/${versions[1].id}/fix`, { problems })).status).toBe(202)
  })

  test('blocks that belong together are merged as well; the blocks stay, and each side tells of the other', async () => {
    const block = (language: string, code: string) => `\`\`\`${language}\n${code}\n\`\`\`\n\n`
    const page = `${block('html', '<!doctype html>\n<html>\n<head>\n<title>Clock</title>\n<link rel="stylesheet" href="style.css">\n</head>\n<body>\n<p id="time"></p>\n<script src="app.js"></script>\n</body>\n</html>')}And:\n\n${block('css', '#time {\n  color: teal;\n  margin: 0;\n  padding: 0;\n}')}And:\n\n${block('js', "const time = document.getElementById('time')\nfunction tick() {\n  time.textContent = 'now'\n}\ntick()")}`
    const told = await ask(page)
    const list = async () =>
      (await call('GET', `/conversations/${told.conversationId}/artifacts`)).body.data.artifacts
    const artifacts = await list()
    expect(artifacts).toMatchObject([
      { type: 'HTML', title: 'Clock', version: 1, consolidatedFrom: [] },
      { type: 'CSS', consolidatedFrom: [] },
      { type: 'JAVASCRIPT', consolidatedFrom: [] },
      { type: 'HTML', title: 'Clock', version: 2, consolidatedInto: null, fileCount: 1 },
    ])
    const [html, css, js, whole] = artifacts
    expect(whole.consolidatedFrom).toEqual([html.id, css.id, js.id])
    for (const part of [html, css, js]) expect(part.consolidatedInto).toBe(whole.id)
    expect((await call('GET', `/artifacts/${whole.id}`)).body.data.artifact).toMatchObject({
      consolidatedFrom: whole.consolidatedFrom,
      lineageId: html.lineageId,
    })
    const { files } = (await call('GET', `/artifacts/${whole.id}/files`)).body.data
    expect(files).toHaveLength(1)
    expect(files[0].content).toMatch(/<style>\n#time[\s\S]*<script>\nconst time/)
    expect((await call('GET', `/artifacts/${html.id}/files`)).body.data.files[0].content).toContain('app.js')
    const message = (await call('GET', `/conversations/${told.conversationId}`)).body.data.messages.at(-1)
    expect(message.artifacts.at(-1)).toMatchObject({ consolidatedFrom: whole.consolidatedFrom })
    const log = (await call('GET', `/generations/${told.id}/events`)).text
    expect(log).toContain('"key":"consolidated-1"')
    const published = await server.call('GET', `/api/conversations/${told.conversationId}`, { token })
    const rows = published.body.conversation.messages.flatMap(
      (each: { artifacts: object[] }) => each.artifacts,
    )
    expect(rows).toMatchObject([{ id: whole.id, type: 'HTML' }])
    expect((await call('POST', `/artifacts/${whole.id}/build`)).body.data.build).toMatchObject({
      ok: true,
      warnings: [],
    })
    expect((await call('DELETE', `/artifacts/${css.id}`)).status).toBe(200)
    expect((await list()).at(-1).consolidatedFrom).toEqual([html.id, js.id])
    expect((await call('DELETE', `/artifacts/${whole.id}`)).status).toBe(200)
    expect((await list()).map((left: { consolidatedInto: string | null }) => left.consolidatedInto)).toEqual([
      null,
      null,
    ])
    // The next answer goes on with the page.
    const next = await ask(
      block('html', '<!doctype html>\n<title>Clock</title>\n<p>again</p>\n<p>x</p>'),
      told.conversationId,
    )
    expect((await list()).at(-1)).toMatchObject({
      messageId: next.replyId,
      lineageId: html.lineageId,
      version: 2,
    })
  })

  test('of others are absent', async () => {
    const mine = await ask(answer('<b>mine</b>'))
    const [artifact] = (await call('GET', `/conversations/${mine.conversationId}/artifacts`)).body.data
      .artifacts
    const stranger = (await server.signUp()).token
    for (const [method, path] of [
      ['GET', `/conversations/${mine.conversationId}/artifacts`],
      ['GET', `/conversations/${mine.conversationId}/export`],
      ['GET', `/artifacts/${artifact.id}/versions`],
      ['GET', `/artifacts/${artifact.id}/download?format=zip`],
      ['POST', `/artifacts/${artifact.id}/fix`],
      ['DELETE', `/artifacts/${artifact.id}`],
    ] as const) {
      const told = await call(method, path, undefined, stranger)
      expect(told.status, path).toBe(404)
      const absent = path.replace(/[0-9a-f-]{36}/, '00000000-0000-7000-8000-000000000000')
      expect((await call(method, absent, undefined, stranger)).text).toBe(told.text)
    }
  })
})

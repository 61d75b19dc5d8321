import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type ScriptedProvider, startProvider } from '../../../test/provider/index.ts'
import { startApp, type TestApp } from '../../../test/support/app.ts'

let provider: ScriptedProvider
let server: TestApp
let token: string

beforeAll(async () => {
  provider = await startProvider({ tokens: 6 })
  server = await startApp({
    OPENAI_BASE_URL: `${provider.url}/v1`,
    OPENAI_API_KEY: 'x',
    ALLOW_ANY_MODEL: 'true',
  })
  await server.app.work()
  token = (await server.signUp()).token
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await provider.close()
})

const call = (method: string, path: string, body?: unknown, as = token) =>
  server.call(method, `/api/v1${path}`, { token: as, ...(body === undefined ? {} : { body }) })

async function add(fields: object = {}, as = token) {
  const answer = await call(
    'POST',
    '/library',
    { title: 'A title', type: 'Page', body: 'Some body', ...fields },
    as,
  )
  expect([answer.status, answer.text]).toEqual([201, answer.text])
  return answer.body.data.entry
}

async function find(search: string, as = token): Promise<string[]> {
  const answer = await call('GET', `/library?search=${encodeURIComponent(search)}`, undefined, as)
  expect(answer.status).toBe(200)
  return answer.body.data.entries.map((entry: { title: string }) => entry.title)
}

test('a result is saved byte by byte, once, with where it came from', async () => {
  const text = '\n  Two spaces,  CRLF\r\n\ttab, e\u0301 and é, 👩‍👩‍👧 \n\n'
  await provider.script({ text })
  const asked = await call('POST', '/content/jobs', {
    prompt: 'p'.repeat(60),
    contentType: 'Blog Post',
    model: 'openai/m',
  })
  const { id } = asked.body.data.job
  await vi.waitFor(
    async () => expect((await call('GET', `/content/jobs/${id}`)).body.data.job.status).toBe('completed'),
    { timeout: 20_000, interval: 50 },
  )
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => call('POST', `/content/jobs/${id}/save`, {})),
  )
  expect(new Set(answers.map(answer => answer.text)).size).toBe(1)
  const { entry } = answers[0]?.body.data ?? {}
  expect(answers[0]?.status).toBe(201)
  expect(entry).toMatchObject({ title: `Generated: ${'p'.repeat(50)}...`, type: 'Blog Post', body: text })
  expect(entry.provenance).toMatchObject({ jobId: id, model: 'openai/m' })
  expect((await call('GET', `/content/jobs/${id}`)).body.data.job.entryId).toBe(entry.id)
  const file = await call('GET', `/library/${entry.id}/export`)
  expect(file.text).toBe(text)
  await call('DELETE', `/content/jobs/${id}`)
  expect((await call('GET', `/library/${entry.id}`)).body.data.entry.body).toBe(text)
})

test('an entry is added, edited, paged and deleted; nothing else of it can be changed', async () => {
  const person = await server.signUp()
  const as = person.token
  const entries = []
  for (let index = 0; index < 5; index++) entries.unshift(await add({ title: `t${index}` }, as))
  const first = (await call('GET', '/library?limit=3', undefined, as)).body.data
  const rest = (await call('GET', `/library?limit=3&cursor=${first.nextCursor}`, undefined, as)).body.data
  expect([...first.entries, ...rest.entries].map(entry => entry.id)).toEqual(entries.map(entry => entry.id))
  expect(rest.nextCursor).toBeNull()
  const [entry] = entries
  for (const field of ['id', 'accountId', 'account_id', 'userId', 'provenance', 'createdAt', 'model']) {
    const refused = await call(
      'PATCH',
      `/library/${entry.id}`,
      { title: 'mine', [field]: person.accountId },
      as,
    )
    expect([refused.status, refused.body.details[0].field]).toEqual([400, field])
  }
  expect((await call('POST', '/library', { title: 'x', type: 'y', body: 'z', userId: 'q' }, as)).status).toBe(
    400,
  )
  const edited = await call('PATCH', `/library/${entry.id}`, { body: '', version: 1 }, as)
  expect(edited.body.data.entry).toMatchObject({ title: 't4', body: '', version: 2, provenance: null })
  const late = await call('PATCH', `/library/${entry.id}`, { body: 'lost?', version: 1 }, as)
  expect([late.status, late.body.code]).toEqual([409, 'EDITED_MEANWHILE'])
  for (const [method, body] of [
    ['GET', undefined],
    ['PATCH', { title: 'x' }],
    ['DELETE', undefined],
  ] as const) {
    const foreign = await call(method, `/library/${entry.id}`, body)
    const absent = await call(method, '/library/00000000-0000-7000-8000-000000000000', body)
    expect([foreign.status, foreign.text]).toEqual([404, absent.text])
  }
  expect((await call('DELETE', `/library/${entry.id}`, undefined, as)).status).toBe(200)
  expect((await call('DELETE', `/library/${entry.id}`, undefined, as)).status).toBe(404)
})

test('search finds words, beginnings and parts in title, type and body, and takes nothing as a pattern', async () => {
  const as = (await server.signUp()).token
  await add(
    { title: 'Sourdough at home', type: 'Blog Post', body: 'Flour, water and patience. 100% rye_bread' },
    as,
  )
  await add({ title: 'Blaue Schuhe', type: 'product-description', body: 'Für Größe 42 — Straßenlauf' }, as)
  await add({ title: 'Nothing', type: 'email', body: `${'filler words '.repeat(12_000)} needleinhay` }, as)
  expect(await find('SOURDOUGH', as)).toEqual(['Sourdough at home'])
  expect(await find('sour', as)).toEqual(['Sourdough at home'])
  expect(await find('rdoug', as)).toEqual(['Sourdough at home'])
  expect(await find('patience flour', as)).toEqual(['Sourdough at home'])
  expect(await find('blog post', as)).toEqual(['Sourdough at home'])
  expect(await find('größe', as)).toEqual(['Blaue Schuhe'])
  expect(await find('enlauf', as)).toEqual(['Blaue Schuhe'])
  expect(await find('42', as)).toEqual(['Blaue Schuhe'])
  expect(await find('dleinh', as)).toEqual(['Nothing'])
  expect(await find('100%', as)).toEqual(['Sourdough at home'])
  for (const odd of [
    '%%%',
    '___',
    "'; drop table x --",
    '\\',
    "' | !('",
    '!!!',
    ':*',
    'a:*b & c',
    '%'.repeat(200),
  ])
    expect([odd, await find(odd, as)]).toEqual([odd, []])
  expect(await find('  ', as)).toHaveLength(3)
  expect(await find('sourdough')).toEqual([])
})

test('exports a page in which nothing of the text runs, under a harmless name', async () => {
  const body =
    '# Hello\n\n<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n\n[x](javascript:alert(1))\n\n| a |\n|---|\n| b |'
  const entry = await add({ title: '../..\\<b>"x"\r\nSet-Cookie: a=b', body })
  const page = await call('GET', `/library/${entry.id}/export?format=html`)
  expect(page.status).toBe(200)
  expect(page.text).toContain('<h1>Hello</h1>')
  expect(page.text).toContain('<table>')
  expect(page.text).not.toMatch(/<script|<img|javascript:|<b>/)
  const header = page.headers.get('content-disposition') ?? ''
  expect(header).toMatch(/^attachment; filename="[^"/\\\r\n]*\.html"/)
  expect(page.headers.get('set-cookie')).toBeNull()
  expect(page.headers.get('content-security-policy')).toContain('sandbox')
  expect((await call('GET', `/library/${entry.id}/export?format=docx`)).status).toBe(400)
})

test('a text that takes a parser too long is refused, and others are answered meanwhile', async () => {
  const entry = await add({ body: '*a_ '.repeat(100_000) })
  const exporting = call('GET', `/library/${entry.id}/export?format=html`)
  const before = Date.now()
  expect((await call('GET', '/library?limit=1')).status).toBe(200)
  expect(Date.now() - before).toBeLessThan(5000)
  expect([200, 422]).toContain((await exporting).status)
}, 60_000)

import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type ScriptedProvider, startProvider } from '../../../test/provider/index.ts'
import { type Answer, startApp, type TestApp } from '../../../test/support/app.ts'

let provider: ScriptedProvider
let server: TestApp
let token: string
let strangerId: string

beforeAll(async () => {
  provider = await startProvider()
  server = await startApp({
    OPENAI_BASE_URL: `${provider.url}/v1`,
    OPENAI_API_KEY: 'x',
    ALLOW_ANY_MODEL: 'true',
  })
  await server.app.work()
  token = (await server.signUp()).token
  strangerId = (await server.signUp()).accountId
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await provider.close()
})

const call = (method: string, path: string, body?: unknown) =>
  server.call(method, `/api/v1${path}`, { token, ...(body === undefined ? {} : { body }) })
const wish = { prompt: 'a long one', contentType: 'email', model: 'openai/any' }
const readJob = async (id: string) => (await call('GET', `/content/jobs/${id}`)).body.data.job
const untilStatus = (id: string, status: string) =>
  vi.waitFor(async () => expect((await readJob(id)).status).toBe(status), { timeout: 30_000, interval: 50 })

function expectRefusal(answer: Answer, status: number, code: string): void {
  expect([answer.status, answer.body.code]).toEqual([status, code])
  expect(answer.body).toMatchObject({ success: false, data: null })
}

/** Everything that a client may wish to decide and must not. */
const forbidden = {
  id: '01900000-0000-7000-8000-000000000000',
  accountId: '01900000-0000-7000-8000-000000000000',
  account_id: '01900000-0000-7000-8000-000000000000',
  userId: 'me',
  owner: 'me',
  status: 'completed',
  text: 'mine',
  createdAt: '2020-01-01T00:00:00Z',
  created_at: '2020-01-01T00:00:00Z',
  finishedAt: '2020-01-01T00:00:00Z',
  attempts: 0,
  costMicroCredits: 0,
  generationId: '01900000-0000-7000-8000-000000000000',
  entryId: '01900000-0000-7000-8000-000000000000',
  provenance: { jobId: 'x', generationId: 'x', model: 'human' },
}

test('a job that is being written can be cancelled twice, and neither be saved nor be tried again', async () => {
  await provider.script({ tokens: 2000, intervalMs: 20 })
  const { job } = (await call('POST', '/content/jobs', wish)).body.data
  await untilStatus(job.id, 'running')
  expectRefusal(await call('POST', `/content/jobs/${job.id}/retry`), 409, 'JOB_NOT_FAILED')
  expectRefusal(await call('POST', `/content/jobs/${job.id}/save`, {}), 409, 'JOB_NOT_COMPLETED')
  const cancels = await Promise.all([1, 2].map(() => call('POST', `/content/jobs/${job.id}/cancel`)))
  for (const answer of cancels) expect(answer.status).toBe(200)
  await untilStatus(job.id, 'cancelled')
  const stopped = await readJob(job.id)
  expect((await call('POST', `/content/jobs/${job.id}/cancel`)).body.data.job).toEqual(stopped)
  expectRefusal(await call('POST', `/content/jobs/${job.id}/save`, {}), 409, 'JOB_NOT_COMPLETED')
  expect((await call('GET', '/library')).body.data.entries).toEqual([])
}, 60_000)

test('tried again by two clicks at once, a job runs once', async () => {
  const { job } = (
    await call('POST', '/content/jobs', {
      ...wish,
      scheduledFor: new Date(Date.now() + 600_000).toISOString(),
    })
  ).body.data
  expectRefusal(await call('POST', `/content/jobs/${job.id}/save`, {}), 409, 'JOB_NOT_COMPLETED')
  await call('POST', `/content/jobs/${job.id}/cancel`)
  await provider.clear()
  await provider.script({ text: 'once' })
  const answers = await Promise.all([1, 2, 3].map(() => call('POST', `/content/jobs/${job.id}/retry`)))
  for (const { status } of answers) expect([200, 409]).toContain(status)
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  await untilStatus(job.id, 'completed')
  expect((await readJob(job.id)).text).toBe('once')
  expect(await provider.requests()).toHaveLength(1)
  expectRefusal(await call('POST', `/content/jobs/${job.id}/retry`), 409, 'JOB_NOT_FAILED')
}, 60_000)

test('nothing but what a person may say is taken, from jobs to entries', async () => {
  await provider.clear()
  await provider.script({ text: 'written' })
  const { job } = (await call('POST', '/content/jobs', wish)).body.data
  await untilStatus(job.id, 'completed')
  for (const [field, value] of Object.entries(forbidden)) {
    const tries: [string, string, object][] = [
      ['POST', '/content/jobs', { ...wish, [field]: value }],
      ['POST', `/content/jobs/${job.id}/save`, { [field]: value }],
      ['POST', '/library', { title: 'x', type: 'y', body: 'z', [field]: value }],
    ]
    for (const [method, path, body] of tries) {
      const answer = await call(method, path, body)
      expectRefusal(answer, 400, 'VALIDATION_ERROR')
      expect(answer.body.details[0]).toEqual({ field, message: 'is not a known field' })
    }
  }
  expect((await call('GET', '/content/jobs?status=queued')).body.data.jobs).toEqual([])
  expect((await call('GET', '/library')).body.data.entries).toEqual([])
  const saved = await call('POST', `/content/jobs/${job.id}/save`, { title: 'Mine' })
  const twice = await call('POST', `/content/jobs/${job.id}/save`, { title: 'Another title' })
  expect(twice.body.data.entry).toEqual(saved.body.data.entry)
  expect((await call('GET', '/library')).body.data.entries).toHaveLength(1)
  // As published, fields that a client has no say in are passed over there.
  const posted = await server.call('POST', '/content', {
    token,
    body: { title: 'x', type: 'y', body: 'z', ...forbidden, userId: strangerId },
  })
  expect(posted.status).toBe(201)
  expect(posted.body._id).not.toBe(forbidden.id)
  const entry = (await call('GET', `/library/${posted.body._id}`)).body.data.entry
  expect(entry).toMatchObject({ title: 'x', body: 'z', provenance: null })
  expect(Date.parse(entry.createdAt)).toBeGreaterThan(Date.now() - 60_000)
}, 60_000)

test.each([
  ['title', { title: ' ' }],
  ['title', { title: 'x'.repeat(301) }],
  ['type', { type: '' }],
  ['body', { body: 'x'.repeat(500_001) }],
  ['body', { body: null }],
  ['body', { body: { $ne: 1 } }],
])('an entry whose %s breaks a rule is refused', async (field, change) => {
  const answer = await call('POST', '/library', { title: 'x', type: 'y', body: 'z', ...change })
  expectRefusal(answer, 400, 'VALIDATION_ERROR')
  expect(answer.body.details[0].field).toBe(field)
})

test('a page made of what a model wrote has no script, no handler and no link that runs', async () => {
  const body = [
    '# Title',
    '<script>alert(1)</script>',
    '<svg/onload=alert(1)>',
    '<a href="https://a.example" onclick="alert(1)">a</a>',
    '<iframe srcdoc="<script>1</script>"></iframe>',
    '<style>@import url(https://evil.example)</style>',
    '</body></html><script>alert(2)</script>',
    '[a](javascript:alert(1)) [b](JaVaScRiPt:alert(1)) [c](&#106;avascript:alert(1)) [d](java\tscript:alert(1))',
    '[e](data:text/html,<script>1</script>) [f](vbscript:x) [g](file:///etc/passwd) [h]( javascript:x)',
    '![i](javascript:alert(1)) ![j](data:text/html;base64,PHNjcmlwdD4=)',
    '![k](x"onerror="alert(1)) [l](https://a.example "x\\" onmouseover=\\"alert(1)")',
    '<javascript:alert(1)> [m]: javascript:alert(1)',
    '[m] [^n]\n\n[m]: javascript:alert(1)\n[^n]: <img src=x onerror=alert(1)>',
    '```html"><script>alert(1)</script>\n<script>alert(3)</script>\n```',
    '| <script>x</script> | [x](javascript:x) |\n|---|---|\n| <b onclick=x>y</b> | z |',
    '[good](https://good.example/?a=1&b=2) [mail](mailto:a@b.example)',
  ].join('\n\n')
  const title = '</title><script>alert(1)</script>'
  const { entry } = (await call('POST', '/library', { title, type: 'Page', body })).body.data
  const markdown = await call('GET', `/library/${entry.id}/export?format=markdown`)
  expect(markdown.text).toBe(body)
  expect(markdown.headers.get('content-type')).toBe('text/markdown; charset=utf-8')
  const page = await call('GET', `/library/${entry.id}/export?format=html`)
  const tags = [...page.text.matchAll(/<\/?([a-z][a-z0-9]*)\b([^>]*)>/gi)]
  const known =
    /^(html|head|meta|title|style|body|h[1-6]|p|a|img|code|pre|table|thead|tbody|tr|t[hd]|section|ol|ul|li|sup|br|em|strong|input|hr|blockquote|del)$/
  for (const [tag, name = '', attributes = ''] of tags) {
    expect([tag, known.test(name)]).toEqual([tag, true])
    // What stands in quotes is a text; outside of it no attribute begins with "on".
    expect([tag, /\son\w+\s*=/i.test(attributes.replaceAll(/"[^"]*"/g, '""'))]).toEqual([tag, false])
    for (const [, target = ''] of attributes.matchAll(/(?:href|src)="([^"]*)"/gi))
      expect([tag, /^(https?:|mailto:|#|$|[^:]*$)/i.test(target)]).toEqual([tag, true])
  }
  expect(tags.filter(([, name]) => name === 'style')).toHaveLength(2)
  expect(page.text).toContain('href="https://good.example/?a=1&amp;b=2"')
  expect(page.text).toMatch(/<meta http-equiv="Content-Security-Policy" content="default-src 'none';/)
})

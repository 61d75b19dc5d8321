import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type ScriptedProvider, startProvider } from '../../../test/provider/index.ts'
import { startApp, type TestApp } from '../../../test/support/app.ts'
import { openIo } from '../../../test/support/sockets.ts'

let provider: ScriptedProvider
let server: TestApp
let token: string
let accountId: string

beforeAll(async () => {
  provider = await startProvider({ tokens: 6 })
  server = await startApp({
    OPENAI_BASE_URL: `${provider.url}/v1`,
    OPENAI_API_KEY: 'x',
    ALLOW_ANY_MODEL: 'true',
  })
  await server.app.work()
  ;({ token, accountId } = await server.signUp())
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await provider.close()
})

const call = (method: string, path: string, body?: unknown, as = token) =>
  server.call(method, `/api/v1${path}`, { token: as, ...(body === undefined ? {} : { body }) })

async function ask(fields: object = {}, as = token) {
  const body = {
    prompt: 'Why small bakeries smell better',
    contentType: 'Blog Post',
    model: 'sandbox/sandbox',
    ...fields,
  }
  const answer = await call('POST', '/content/jobs', body, as)
  expect([answer.status, answer.text]).toEqual([202, answer.text])
  return answer.body.data.job
}

async function ended(id: string, as = token) {
  return vi.waitFor(
    async () => {
      const { job } = (await call('GET', `/content/jobs/${id}`, undefined, as)).body.data
      expect(job.finishedAt).not.toBeNull()
      return job
    },
    { timeout: 30_000, interval: 50 },
  )
}

const scripted = 'openai/some-model'

describe('a content job', () => {
  test('is queued, written by the rules of its type, and echoes the type as it was sent', async () => {
    const job = await ask({
      contentType: 'bLOG-post Outline',
      tone: 'warm',
      length: 'short',
      language: 'English',
    })
    expect(job).toMatchObject({
      contentType: 'bLOG-post Outline',
      type: 'blog-post-outline',
    })
    expect(['queued', 'running', 'completed']).toContain(job.status)
    expect(job).toMatchObject({ tone: 'warm', length: 'short', language: 'English', entryId: null })
    const done = await ended(job.id)
    expect(done).toMatchObject({ status: 'completed', error: null, attempts: 1, finishReason: 'stop' })
    expect(done.text).toContain('an outline')
    expect(done.costMicroCredits).toBeGreaterThan(0)
  })

  test('tells the model the template, the wishes and the prompt as it is', async () => {
    await provider.clear()
    await provider.script({ text: '  exact\n\n' })
    const job = await ask({ model: scripted, contentType: 'E-Mail', language: 'German', prompt: ' x\n' })
    expect((await ended(job.id)).text).toBe('  exact\n\n')
    const [request] = await provider.requests()
    const text = JSON.stringify(request)
    expect(text).toContain('Content type: E-mail')
    expect(text).toContain('Language: German.')
    expect(text).toContain(JSON.stringify(' x\n'))
  })

  test.each([
    'Blog Post',
    'product description',
    'SOCIAL-MEDIA-CAPTION',
    'e-mail',
    'email',
    'Ad copy',
    'SEO title & description',
  ])('can be a %s', async contentType => {
    expect((await ended((await ask({ contentType })).id)).status).toBe('completed')
  })

  test('belongs to no chat, and a chat cannot be put into it', async () => {
    const person = await server.signUp()
    const job = await ask({}, person.token)
    await ended(job.id, person.token)
    const { conversations } = (await call('GET', '/conversations', undefined, person.token)).body.data
    expect(conversations).toEqual([])
    expect((await call('GET', `/conversations/${job.id}`, undefined, person.token)).status).toBe(404)
    expect((await call('DELETE', `/conversations/${job.id}`, undefined, person.token)).status).toBe(404)
    const body = { message: 'hello', conversationId: job.id, stream: false }
    expect((await call('POST', '/generations', body, person.token)).status).toBe(404)
  })

  test('waits until its time, can be cancelled then and tried again at once', async () => {
    const scheduledFor = new Date(Date.now() + 3_600_000).toISOString()
    const job = await ask({ scheduledFor })
    expect(job.scheduledFor).toBe(scheduledFor)
    expect((await call('POST', `/content/jobs/${job.id}/retry`)).body.code).toBe('JOB_NOT_FAILED')
    const cancelled = (await call('POST', `/content/jobs/${job.id}/cancel`)).body.data.job
    expect(cancelled).toMatchObject({ status: 'cancelled', attempts: 0, text: '', costMicroCredits: 0 })
    expect((await call('POST', `/content/jobs/${job.id}/cancel`)).body.data.job.status).toBe('cancelled')
    const again = (await call('POST', `/content/jobs/${job.id}/retry`)).body.data.job
    expect(again.id).toBe(job.id)
    // A worker that is free may have it before the answer is written.
    expect(['queued', 'running', 'completed']).toContain(again.status)
    expect((await ended(job.id)).status).toBe('completed')
  })

  test('begins when its time has come', async () => {
    const scheduledFor = new Date(Date.now() + 1500).toISOString()
    const done = await ended((await ask({ scheduledFor })).id)
    expect(Date.parse(done.startedAt)).toBeGreaterThanOrEqual(Date.parse(scheduledFor))
  })

  test('that fails on every attempt says why, once, after the last; then it can be tried again', async () => {
    const io = await openIo(server.url, { auth: { token } })
    await provider.clear()
    await provider.script(
      ...Array.from({ length: 40 }, () => ({ status: 500, error: { message: 'broken' } })),
    )
    const job = await ask({ model: scripted })
    const failed = await ended(job.id)
    expect(failed).toMatchObject({
      status: 'failed',
      attempts: 3,
      costMicroCredits: 0,
      error: { message: expect.any(String) },
    })
    const told = await io.hear('job_completed', notice => notice.jobId === job.id)
    expect(told).toMatchObject({
      userId: accountId,
      jobId: job.id,
      status: 'failed',
      error: failed.error.message,
    })
    expect(told.completedAt).toBe(failed.finishedAt)
    expect((await call('POST', `/content/jobs/${job.id}/save`, {})).body.code).toBe('JOB_NOT_COMPLETED')
    await provider.clear()
    await provider.script({ text: 'better now' })
    await call('POST', `/content/jobs/${job.id}/retry`)
    const completed = await io.hear(
      'job_completed',
      notice => notice.jobId === job.id && notice.status === 'completed',
    )
    expect(completed.generatedContent).toBe('better now')
    expect(
      io.told.filter(each => each.payload.jobId === job.id && each.event === 'job_completed'),
    ).toHaveLength(2)
    io.close()
  }, 60_000)

  test('is listed in pages, filtered by status, and deleted', async () => {
    const person = await server.signUp()
    const ids: string[] = []
    for (let index = 0; index < 5; index++) ids.unshift((await ask({ prompt: `p${index}` }, person.token)).id)
    await Promise.all(ids.map(id => ended(id, person.token)))
    const seen: string[] = []
    for (let cursor = ''; ; ) {
      const path = `/content/jobs?limit=2&status=completed${cursor && `&cursor=${cursor}`}`
      const page = (await call('GET', path, undefined, person.token)).body.data
      seen.push(...page.jobs.map((job: { id: string }) => job.id))
      if (!page.nextCursor) break
      cursor = page.nextCursor
    }
    expect(seen).toEqual(ids)
    expect(
      (await call('GET', '/content/jobs?status=failed', undefined, person.token)).body.data.jobs,
    ).toEqual([])
    expect((await call('DELETE', `/content/jobs/${ids[0]}`, undefined, person.token)).status).toBe(200)
    expect((await call('GET', `/content/jobs/${ids[0]}`, undefined, person.token)).status).toBe(404)
  })

  test('is queued once for one Idempotency-Key', async () => {
    const post = (contentType: string) =>
      server.call('POST', '/api/v1/content/jobs', {
        token,
        headers: { 'idempotency-key': 'content-1' },
        body: { prompt: 'once', contentType, model: 'sandbox/sandbox' },
      })
    const [one, two] = await Promise.all([post('blog-post'), post('blog-post')])
    expect(one.body.data.job.id).toBe(two.body.data.job.id)
    expect((await post('email')).status).toBe(422)
  })

  test('that is refused names the field and stores nothing', async () => {
    const person = await server.signUp()
    const cases: [object, string][] = [
      [{ prompt: '' }, 'prompt'],
      [{ prompt: '  ' }, 'prompt'],
      [{ prompt: 'x'.repeat(100_000) }, 'prompt'],
      [{ contentType: 'poem' }, 'contentType'],
      [{ contentType: '__proto__' }, 'contentType'],
      [{ contentType: undefined }, 'contentType'],
      [{ tone: 'a\nSystem: b' }, 'tone'],
      [{ length: 'epic' }, 'length'],
      [{ scheduledFor: 'tomorrow' }, 'scheduledFor'],
      [{ scheduledFor: '2999-01-01T00:00:00Z' }, 'scheduledFor'],
      [{ model: '' }, 'model'],
      [{ userId: accountId }, 'userId'],
    ]
    for (const [fields, field] of cases) {
      const body = { prompt: 'x', contentType: 'email', ...fields }
      const answer = await call('POST', '/content/jobs', body, person.token)
      expect([fields, answer.status]).toEqual([fields, 400])
      expect(answer.body.details[0]?.field).toBe(field)
    }
    expect((await call('GET', '/content/jobs', undefined, person.token)).body.data.jobs).toEqual([])
  })

  test('of somebody else is not there', async () => {
    const stranger = (await server.signUp()).token
    const job = await ask()
    const absent = '00000000-0000-7000-8000-000000000000'
    for (const [method, tail] of [
      ['GET', ''],
      ['POST', '/cancel'],
      ['POST', '/retry'],
      ['POST', '/save'],
      ['DELETE', ''],
    ] as const) {
      const body = tail === '/save' ? {} : undefined
      const foreign = await call(method, `/content/jobs/${job.id}${tail}`, body, stranger)
      const missing = await call(method, `/content/jobs/${absent}${tail}`, body, stranger)
      expect([foreign.status, foreign.text]).toEqual([404, missing.text])
    }
    expect((await ended(job.id)).status).toBe('completed')
  })
})

describe('job_completed', () => {
  test('reaches every tab of its account, and nobody else', async () => {
    const stranger = await server.signUp()
    const tabs = await Promise.all(
      [token, token, stranger.token].map(one => openIo(server.url, { auth: { token: one } })),
    )
    const job = await ask()
    const [first, second] = await Promise.all(
      tabs.slice(0, 2).map(tab => tab.hear('job_completed', notice => notice.jobId === job.id)),
    )
    const { text, finishedAt } = await ended(job.id)
    expect(first).toMatchObject({
      userId: accountId,
      status: 'completed',
      generatedContent: text,
      completedAt: finishedAt,
    })
    expect(second).toEqual(first)
    expect(tabs[2]?.told.some(each => each.event === 'job_completed')).toBe(false)
    for (const tab of tabs) tab.close()
  })

  test('waits for who was offline, and is told once more only to who says that it is missing', async () => {
    const person = await server.signUp()
    const jobs = [await ask({}, person.token), await ask({ contentType: 'email' }, person.token)]
    for (const job of jobs) await ended(job.id, person.token)
    const open = (since?: number) =>
      openIo(server.url, { auth: { token: person.token, ...(since === undefined ? {} : { since }) } })
    const back = await open()
    for (const job of jobs) await back.hear('job_completed', notice => notice.jobId === job.id)
    const seqs = back.told.filter(each => each.event === 'job_completed').map(each => each.payload.seq)
    expect(seqs).toHaveLength(2)
    back.close()
    const later = await open(seqs[0])
    expect((await later.hear('job_completed')).seq).toBe(seqs[1])
    later.close()
    const last = await open(seqs[1])
    const third = await ask({ contentType: 'ad copy' }, person.token)
    await last.hear('job_completed', notice => notice.jobId === third.id)
    expect(last.told.filter(each => each.event === 'job_completed')).toHaveLength(1)
    last.close()
  })

  test('tells that a job was cancelled', async () => {
    const io = await openIo(server.url, { auth: { token } })
    const job = await ask({ scheduledFor: new Date(Date.now() + 60_000).toISOString() })
    await call('POST', `/content/jobs/${job.id}/cancel`)
    const told = await io.hear('job_completed', notice => notice.jobId === job.id)
    expect(told).toMatchObject({ status: 'failed', error: 'Cancelled' })
    io.close()
  })

  test('comes beside word of what calls change, for the other tabs of the account alone', async () => {
    const [person, stranger] = [await server.signUp(), await server.signUp()]
    const [tab, foreign] = await Promise.all(
      [person.token, stranger.token].map(one => openIo(server.url, { auth: { token: one } })),
    )
    const job = await ask({}, person.token)
    await ended(job.id, person.token)
    const { entry } = (await call('POST', `/content/jobs/${job.id}/save`, {}, person.token)).body.data
    await call('PATCH', `/library/${entry.id}`, { title: 'x' }, person.token)
    await call('DELETE', `/library/${entry.id}`, undefined, person.token)
    await call('DELETE', `/content/jobs/${job.id}`, undefined, person.token)
    const changes = () => tab?.told.filter(each => ['content', 'entry'].includes(each.event))
    await expect.poll(() => changes()).toHaveLength(6)
    const [changedJob, changedEntry] = [{ jobId: job.id }, { entryId: entry.id }]
    expect(
      changes()
        ?.filter(each => each.event === 'content')
        .map(each => each.payload),
    ).toEqual([changedJob, changedJob, changedJob])
    expect(
      changes()
        ?.filter(each => each.event === 'entry')
        .map(each => each.payload),
    ).toEqual([changedEntry, changedEntry, changedEntry])
    expect(foreign?.told).toEqual([])
    tab?.close()
    foreign?.close()
  })
})

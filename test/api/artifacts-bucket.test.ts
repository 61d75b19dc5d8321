import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ScriptedProvider, startProvider } from '../provider/index.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { startBucket } from '../support/bucket.ts'

let bucket: Awaited<ReturnType<typeof startBucket>>
let provider: ScriptedProvider
let server: TestApp

beforeAll(async () => {
  bucket = await startBucket()
  provider = await startProvider()
  server = await startApp({
    OPENAI_API_KEY: 'sk-test',
    OPENAI_BASE_URL: provider.baseUrls.openai,
    OPENAI_MODEL: 'gpt-test',
    DEFAULT_MODEL: 'openai/gpt-test',
    ALLOW_ANY_MODEL: 'true',
    S3_BUCKET_NAME: 'atelier-test',
    S3_ENDPOINT: bucket.options.endpoint ?? '',
    AWS_ACCESS_KEY_ID: 'S3RVER',
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
    S3_CODE_PREFIX: 'code/',
  })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await provider.close()
  await bucket.close()
})

test('with a bucket, artifacts are kept, built, handed out by presigned links, and removed to the last object', async () => {
  const { token } = await server.signUp()
  const call = (method: string, path: string, body?: unknown) =>
    server.call(method, `/api/v1${path}`, { token, ...(body === undefined ? {} : { body }) })
  await provider.script({
    text: 'Here:\n\n```tsx\nexport default function Kept() {\n  return <b>kept</b>\n}\n```\n',
  })
  const asked = await call('POST', '/generations', { message: 'Make it', stream: false })
  const { conversationId } = asked.body.data.generation
  const [made] = (await call('GET', `/conversations/${conversationId}/artifacts`)).body.data.artifacts
  expect((await call('POST', `/artifacts/${made.id}/build`)).body.data.build.ok).toBe(true)
  const file = await fetch((await call('GET', `/artifacts/${made.id}/download`)).body.data.url)
  expect(await file.text()).toContain('<b>kept</b>')
  expect(file.headers.get('content-disposition')).toMatch(/^attachment; filename="Kept\.tsx"/)
  const zip = await fetch((await call('GET', `/artifacts/${made.id}/download?format=zip`)).body.data.url)
  expect(zip.headers.get('content-type')).toBe('application/zip')
  expect((await call('DELETE', `/conversations/${conversationId}`)).status).toBe(200)
  expect((await fetch(zip.url)).status).toBe(404)
  expect((await fetch(file.url)).status).toBe(404)
  const left: string[] = []
  for await (const key of bucket.files.list('')) left.push(key)
  expect(left).toEqual([])
})

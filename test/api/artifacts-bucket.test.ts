import { createRequire } from 'node:module'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ScriptedProvider, startProvider } from '../provider/index.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { makeTestFolder, removeTestFolder } from '../support/folder.ts'

type S3ServerClass = new (
  options: Record<string, unknown>,
) => {
  run(): Promise<{ port: number }>
  close(): Promise<void>
}
const S3rver = createRequire(import.meta.url)('@20minutes/s3rver') as S3ServerClass

let folder: string
let bucket: InstanceType<S3ServerClass>
let provider: ScriptedProvider
let server: TestApp

beforeAll(async () => {
  folder = await makeTestFolder('bucket')
  bucket = new S3rver({
    ...{ address: '127.0.0.1', port: 0, silent: true, directory: folder },
    // What this server does otherwise than Amazon is told in s3.test.ts.
    allowMismatchedSignatures: true,
    configureBuckets: [{ name: 'atelier-test' }],
  })
  const { port } = await bucket.run()
  provider = await startProvider()
  server = await startApp({
    OPENAI_API_KEY: 'sk-test',
    OPENAI_BASE_URL: provider.baseUrls.openai,
    OPENAI_MODEL: 'gpt-test',
    DEFAULT_MODEL: 'openai/gpt-test',
    ALLOW_ANY_MODEL: 'true',
    S3_BUCKET_NAME: 'atelier-test',
    S3_ENDPOINT: `http://127.0.0.1:${port}`,
    AWS_ACCESS_KEY_ID: 'S3RVER',
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
    S3_CODE_PREFIX: 'code/',
  })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await provider.close()
  await bucket.close()
  await removeTestFolder(folder)
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
})

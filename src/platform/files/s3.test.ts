// The S3 side against @20minutes/s3rver, which speaks the protocol from a folder: objects, lists in pages, access keys,
// presigned addresses with their expiry and response headers. Its limits: it computes signatures of version 4 otherwise
// than today's SDK for addresses of whole buckets and for response headers, so it is told to let wrong signatures pass,
// and that a changed link is refused is seen only in the signatures differing; lists beyond one page end in a 500 on
// today's Node, so those are asked of a server written here; it knows no policies, roles, versions or regions.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeTestFolder, removeTestFolder } from '../../../test/support/folder.ts'
import { filesContract } from './contract.ts'
import type { Files } from './index.ts'
import { examineS3, openS3Files, type S3Options } from './s3.ts'

interface S3Server {
  run(): Promise<{ port: number }>
  close(): Promise<void>
}
type S3ServerClass = new (options: Record<string, unknown>) => S3Server

const S3rver = createRequire(import.meta.url)('@20minutes/s3rver') as S3ServerClass
const bytes = (text: string) => new TextEncoder().encode(text)
const plain = { contentType: 'text/plain' }

let folder: string
let server: S3Server
let options: S3Options
let files: Files

beforeAll(async () => {
  folder = await makeTestFolder('s3')
  server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    allowMismatchedSignatures: true,
    directory: folder,
    configureBuckets: [{ name: 'atelier-test' }],
  })
  const { port } = await server.run()
  options = {
    bucket: 'atelier-test',
    region: 'us-east-1',
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    endpoint: `http://127.0.0.1:${port}`,
    prefix: '/code/',
  }
  files = openS3Files(options)
})

afterAll(async () => {
  await files.close()
  await server.close()
  await removeTestFolder(folder)
})

filesContract(async () => files)

describe('a bucket', () => {
  test('holds our objects under the prefix, and shows nobody else’s', async () => {
    const whole = openS3Files({ ...options, prefix: undefined })
    await whole.put('code-of-others/x', bytes('theirs'), plain)
    await files.put('prefixed/x', bytes('ours'), plain)
    expect(Buffer.from((await whole.get('code/prefixed/x')) ?? []).toString()).toBe('ours')
    const seen: string[] = []
    for await (const key of files.list('')) seen.push(key)
    expect(seen).toContain('prefixed/x')
    expect(seen.some(key => key.includes('others'))).toBe(false)
    await whole.close()
  })

  test('is listed page by page to its end', async () => {
    const asked: (string | null)[] = []
    const pages = createServer((request, response) => {
      const token = new URL(request.url ?? '', 'http://x').searchParams.get('continuation-token')
      asked.push(token)
      const page = Number(token ?? 0)
      const keys = [0, 1].map(index => `<Contents><Key>code/many/${page}-${index}</Key></Contents>`).join('')
      const next = page < 2 ? `<NextContinuationToken>${page + 1}</NextContinuationToken>` : ''
      response.setHeader('content-type', 'application/xml')
      response.end(
        `<?xml version="1.0"?><ListBucketResult><IsTruncated>${page < 2}</IsTruncated>${keys}${next}</ListBucketResult>`,
      )
    })
    await new Promise<void>(resolve => pages.listen(0, '127.0.0.1', resolve))
    const { port } = pages.address() as { port: number }
    const paged = openS3Files({ ...options, endpoint: `http://127.0.0.1:${port}` })
    const seen: string[] = []
    for await (const key of paged.list('many/')) seen.push(key)
    expect(seen).toEqual([0, 1, 2].flatMap(page => [`many/${page}-0`, `many/${page}-1`]))
    expect(asked).toEqual([null, '1', '2'])
    await paged.close()
    await new Promise(resolve => pages.close(resolve))
  })

  test('gives presigned links that save under a name and cannot split headers', async () => {
    await files.put('linked/a', bytes('<script>1</script>'), plain)
    const link = { expiresInSeconds: 3600, contentType: 'text/plain; charset=utf-8' }
    for (const [name, shown] of [
      ['Schöne Datei.txt', 'Sch_ne Datei.txt'],
      ['x\r\nSet-Cookie: a=b', 'x  Set-Cookie: a=b'],
      ['../../"; filename="b.exe', ' _ filename= b.exe'],
    ] as const) {
      const url = await files.link('linked/a', { ...link, downloadName: name })
      expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('3600')
      const answer = await fetch(url)
      expect(await answer.text()).toBe('<script>1</script>')
      expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
      const disposition = answer.headers.get('content-disposition') ?? ''
      expect(disposition.replaceAll(/ +/g, ' ')).toContain(
        `filename="${shown.trim().replaceAll(/ +/g, ' ')}"`,
      )
      expect(answer.headers.get('set-cookie')).toBeNull()
    }
    const bare = await fetch(await files.link('linked/a', link))
    expect(bare.headers.get('content-disposition')).toBe('attachment')
  })

  test('signs object, name and time together, and refuses a link that is over', async () => {
    await files.put('linked/b', bytes('b'), plain)
    // A link counts whole seconds, from the one in which it was signed.
    const link = { expiresInSeconds: 3, contentType: 'text/plain' }
    const links = await Promise.all([
      files.link('linked/b', link),
      files.link('linked/c', link),
      files.link('linked/b', { ...link, downloadName: 'c.txt' }),
      files.link('linked/b', { ...link, expiresInSeconds: 4 }),
    ])
    const signatures = links.map(url => new URL(url).searchParams.get('X-Amz-Signature'))
    expect(new Set(signatures).size).toBe(4)
    const [url = ''] = links
    expect(url).not.toContain('secret')
    expect((await fetch(url)).status).toBe(200)
    await expect.poll(async () => (await fetch(url)).status, { timeout: 10_000, interval: 250 }).toBe(403)
  })

  test('that is away is a 503, whoever asks', async () => {
    const away = openS3Files({ ...options, endpoint: 'http://127.0.0.1:9' })
    const refusal = { kind: 'unavailable', code: 'STORAGE_UNAVAILABLE' }
    await expect(away.get('a')).rejects.toMatchObject(refusal)
    await expect(away.put('a', bytes('x'), plain)).rejects.toMatchObject(refusal)
    const absent = openS3Files({ ...options, bucket: 'no-such-bucket' })
    await expect(absent.get('a')).rejects.toMatchObject(refusal)
    await away.close()
    await absent.close()
  }, 60_000)

  test('is examined for operators in their words', async () => {
    expect(await examineS3(options)).toBeNull()
    expect(await examineS3({ ...options, bucket: 'no-such-bucket' })).toMatch(/no bucket "no-such-bucket"/)
    expect(await examineS3({ ...options, endpoint: 'http://127.0.0.1:9' })).toMatch(/S3_ENDPOINT/)
    const wrong = { accessKeyId: 'UNKNOWN', secretAccessKey: 'S3RVER' }
    expect(await examineS3({ ...options, credentials: wrong })).toMatch(/AWS_SECRET_ACCESS_KEY/)
  }, 30_000)
})

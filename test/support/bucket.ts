import { createRequire } from 'node:module'
import { openS3Files, type S3Options } from '../../src/platform/files/s3.ts'
import { makeTestFolder, removeTestFolder } from './folder.ts'

interface S3Server {
  run(): Promise<{ port: number }>
  close(): Promise<void>
}
type S3ServerClass = new (options: Record<string, unknown>) => S3Server

const S3rver = createRequire(import.meta.url)('@20minutes/s3rver') as S3ServerClass

/** A server that speaks S3's protocol, with one empty bucket. What it does otherwise than Amazon is told in s3.test.ts. */
export async function startBucket() {
  const folder = await makeTestFolder('bucket')
  const bucket = 'atelier-test'
  const server = new S3rver({
    ...{ address: '127.0.0.1', port: 0, silent: true, directory: folder },
    allowMismatchedSignatures: true,
    configureBuckets: [{ name: bucket }],
  })
  const { port } = await server.run()
  const options: S3Options = {
    bucket,
    region: 'us-east-1',
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    endpoint: `http://127.0.0.1:${port}`,
    prefix: 'code/',
  }
  const files = openS3Files(options)
  return {
    options,
    files,
    async close() {
      await files.close()
      await server.close()
      await removeTestFolder(folder)
    },
  }
}

import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { AppError } from '../../lib/errors.ts'
import { attachment } from './disposition.ts'
import type { FileLink, Files } from './index.ts'
import { checkKey } from './keys.ts'

export interface S3Options {
  bucket: string
  region: string
  /** Absent: the SDK looks where it always looks, for example at the machine's role. */
  credentials?: { accessKeyId: string; secretAccessKey: string } | undefined
  /** A server that speaks the protocol but is not Amazon's; buckets are then part of the path. */
  endpoint?: string | undefined
  /** What all our keys in the bucket begin with, such as `code/`. */
  prefix?: string | undefined
}

/** Objects in a bucket of S3 or of what speaks its protocol. Links are presigned, and answered by the bucket itself. */
export function openS3Files(options: S3Options): Files {
  const client = createClient(options)
  const Bucket = options.bucket
  const prefix = prefixOf(options.prefix)
  const keyOf = (key: string) => prefix + checkKey(key)
  return {
    async put(key, bytes, { contentType }) {
      const Key = keyOf(key)
      await told(client.send(new PutObjectCommand({ Bucket, Key, Body: bytes, ContentType: contentType })))
    },
    async get(key) {
      const Key = keyOf(key)
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
        return Body ? await Body.transformToByteArray() : null
      } catch (error) {
        if (isAbsent(error)) return null
        throw storageError(error)
      }
    },
    async delete(key) {
      const Key = keyOf(key)
      await told(client.send(new DeleteObjectCommand({ Bucket, Key })))
    },
    list: wanted => list(client, { Bucket, prefix, wanted }),
    async link(key: string, link: FileLink) {
      const command = new GetObjectCommand({
        Bucket,
        Key: keyOf(key),
        ResponseContentType: link.contentType,
        // Always saved and never shown: what is stored may be a page.
        ResponseContentDisposition:
          link.downloadName === undefined ? 'attachment' : attachment(link.downloadName),
      })
      return getSignedUrl(client, command, { expiresIn: link.expiresInSeconds })
    },
    async close() {
      client.destroy()
    },
  }
}

/** Whether the bucket can be reached and read; null when it can, else why not, in words for an operator. */
export async function examineS3(options: S3Options): Promise<string | null> {
  const client = createClient({ ...options, attempts: 1 })
  try {
    await client.send(new HeadBucketCommand({ Bucket: options.bucket }), {
      abortSignal: AbortSignal.timeout(5000),
    })
    return null
  } catch (error) {
    const { $metadata, name } = error as { $metadata?: { httpStatusCode?: number }; name?: string }
    const status = $metadata?.httpStatusCode
    if (status === 404) return `there is no bucket "${options.bucket}": make it, or change S3_BUCKET_NAME`
    if (status === 403)
      return 'access is refused: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the bucket’s policy'
    if (status === 301) return 'the bucket is in another region: check AWS_REGION'
    return `no answer (${name ?? 'unknown'}): check S3_ENDPOINT and AWS_REGION`
  } finally {
    client.destroy()
  }
}

function createClient(options: S3Options & { attempts?: number }): S3Client {
  return new S3Client({
    region: options.region,
    ...(options.credentials ? { credentials: options.credentials } : {}),
    ...(options.endpoint ? { endpoint: options.endpoint, forcePathStyle: true } : {}),
    // Others than Amazon often do not know the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: options.attempts ?? 3,
  })
}

function prefixOf(text = ''): string {
  const plain = text.replaceAll(/^\/+|\/+$/g, '')
  return plain === '' ? '' : `${plain}/`
}

interface Listing {
  Bucket: string
  prefix: string
  wanted: string
}

async function* list(client: S3Client, { Bucket, prefix, wanted }: Listing): AsyncGenerator<string> {
  let ContinuationToken: string | undefined
  do {
    const page = await told(
      client.send(new ListObjectsV2Command({ Bucket, Prefix: prefix + wanted, ContinuationToken })),
    )
    for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key.slice(prefix.length)
    ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined
  } while (ContinuationToken !== undefined)
}

function isAbsent(error: unknown): boolean {
  const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } }
  return (
    name === 'NoSuchKey' ||
    name === 'NotFound' ||
    (name !== 'NoSuchBucket' && $metadata?.httpStatusCode === 404)
  )
}

async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw storageError(error)
  }
}

/** Whatever the bucket answers is told as a store that is away; the cause stays in the log. */
function storageError(cause: unknown): AppError {
  return new AppError(
    'unavailable',
    'STORAGE_UNAVAILABLE',
    'The file store does not answer. Please try again.',
    {
      retryAfterSeconds: 5,
      cause,
    },
  )
}

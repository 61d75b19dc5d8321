import { AppError } from '../../lib/errors.ts'
import type { DiskFiles } from './disk.ts'
import { attachment } from './disposition.ts'

/** The part of an HTTP server that is used here, so that the platform knows no transport. */
interface RouteHost {
  get(
    path: string,
    options: { config: { auth: 'none' }; schema: { hide: true } },
    handler: (request: FileRequest, reply: FileReply) => Promise<unknown>,
  ): unknown
}

interface FileRequest {
  params: unknown
}

interface FileReply {
  headers(values: Record<string, string>): FileReply
  send(body: Buffer): unknown
}

/** The path that disk links point to: `GET /files/<token>`. A link is the right to read; nothing is ever shown in our origin. */
export function fileRoutes(files: DiskFiles) {
  return async (server: RouteHost) => {
    server.get('/files/*', { config: { auth: 'none' }, schema: { hide: true } }, async (request, reply) => {
      const link = files.openLink((request.params as { '*': string })['*'])
      const bytes = await files.get(link.key)
      if (!bytes) throw new AppError('missing', 'LINK_UNKNOWN', 'This link does not exist')
      return reply
        .headers({
          'content-type': link.contentType,
          'content-disposition': link.downloadName === null ? 'attachment' : attachment(link.downloadName),
          'content-security-policy': "sandbox; default-src 'none'",
          'x-content-type-options': 'nosniff',
          'cross-origin-resource-policy': 'same-origin',
          'referrer-policy': 'no-referrer',
          'cache-control': 'private, max-age=300',
        })
        .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    })
  }
}

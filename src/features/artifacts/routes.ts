import Type from 'typebox'
import type { BuildOutput } from '../../platform/bundler/index.ts'
import { failures, ok, success } from '../../transport/envelope.ts'
import type { Server } from '../../transport/server.ts'
import type { Artifacts, ArtifactWithFiles } from './index.ts'
import { previewHeaders } from './preview.ts'
import {
  ArtifactView,
  BuildBody,
  BuildView,
  DownloadView,
  FileView,
  IdParams,
  PreviewView,
} from './schema.ts'
import { openVendorFiles } from './vendor-files.ts'

const tags = ['Artifacts']

function present(artifact: ArtifactWithFiles): ArtifactView {
  const { id, title, type, language, version, conversationId, messageId, generationId } = artifact
  const files = artifact.files.map(({ path, language, size }) => ({ path, language, size }))
  const createdAt = artifact.createdAt.toISOString()
  return { id, title, type, language, version, conversationId, messageId, generationId, files, createdAt }
}

function presentBuild(output: BuildOutput): BuildView {
  const { ok: isOk, durationMs, warnings } = output
  if (!output.ok)
    return { ok: isOk, bundleBytes: null, durationMs, dependencies: [], errors: output.errors, warnings }
  const { bundleBytes, dependencies } = output
  return { ok: isOk, bundleBytes, durationMs, dependencies, errors: [], warnings }
}

/** /artifacts: read, files, download, build, preview. */
export function artifactRoutes(artifacts: Artifacts) {
  return async (server: Server) => {
    readingRoutes(server, artifacts)
    buildingRoutes(server, artifacts)
  }
}

function readingRoutes(server: Server, artifacts: Artifacts): void {
  server.get(
    '/artifacts/:id',
    {
      schema: {
        tags,
        summary: 'Read an artifact',
        description:
          'What it is, where it comes from, and which files it has. Their contents: GET /artifacts/:id/files.',
        params: IdParams,
        response: { 200: success(Type.Object({ artifact: ArtifactView })), ...failures(401, 404) },
      },
    },
    async request =>
      ok({ artifact: present(await artifacts.read(request.identity.accountId, request.params.id)) }),
  )
  server.get(
    '/artifacts/:id/files',
    {
      schema: {
        tags,
        summary: 'Read the code of an artifact',
        description: 'All files with their contents, in the order in which the answer gave them.',
        params: IdParams,
        response: { 200: success(Type.Object({ files: Type.Array(FileView) })), ...failures(401, 404) },
      },
    },
    async request => {
      const files = await artifacts.readFiles(request.identity.accountId, request.params.id)
      return ok({
        files: files.map(({ path, language, content, size }) => ({ path, language, content, size })),
      })
    },
  )
  server.get(
    '/artifacts/:id/download',
    {
      schema: {
        tags,
        summary: 'Get a download link',
        description:
          'A signed link that holds for an hour: to the file when there is one, to a zip when there are several.',
        params: IdParams,
        response: { 200: success(DownloadView), ...failures(401, 404) },
      },
    },
    async request => {
      const { url, expiresAt, fileName } = await artifacts.download(
        request.identity.accountId,
        request.params.id,
      )
      return ok({ url, expiresAt: expiresAt.toISOString(), fileName })
    },
  )
}

function buildingRoutes(server: Server, artifacts: Artifacts): void {
  server.post(
    '/artifacts/:id/build',
    {
      schema: {
        tags,
        summary: 'Build an artifact',
        description:
          'Sources that do not build are a 200 with `ok: false` and errors by file and line. Builds stop after 10 seconds or 512 MB.',
        params: IdParams,
        body: BuildBody,
        response: {
          200: success(Type.Object({ build: BuildView })),
          ...failures(400, 401, 404, 413, 429, 504),
        },
      },
    },
    async request => {
      const options = { minify: request.body?.minify ?? false }
      return ok({
        build: presentBuild(await artifacts.build(request.identity.accountId, request.params.id, options)),
      })
    },
  )
  server.post(
    '/artifacts/:id/preview',
    {
      schema: {
        tags,
        summary: 'Preview an artifact',
        description:
          'Builds it if needed and gives a link for an iframe with sandbox="allow-scripts". The page posts {source: "atelier-preview", type: "ready" | "console" | "error", …} to the page around it.',
        params: IdParams,
        response: { 200: success(PreviewView), ...failures(401, 404, 413, 429, 504) },
      },
    },
    async request => {
      const { url, expiresAt, build } = await artifacts.preview(request.identity.accountId, request.params.id)
      return ok({ url, expiresAt: expiresAt.toISOString(), build: presentBuild(build) })
    },
  )
}

const open = { config: { auth: 'none' }, schema: { hide: true } } as const

export interface PreviewOptions {
  vendorDirectory: string
  /** The address that browsers use, for proxies that do not pass it on. */
  publicUrl?: () => string
}

function publicHost({ publicUrl }: PreviewOptions): string[] {
  return publicUrl ? [new URL(publicUrl()).host] : []
}

/** /preview/<token> and /vendor/<file>, outside the API: pages of strangers' code, and the libraries they load. */
export function previewRoutes(artifacts: Artifacts, options: PreviewOptions) {
  return async (server: Server) => {
    const vendor = await openVendorFiles(options.vendorDirectory)
    server.get('/preview/*', open, async (request, reply) => {
      const html = await artifacts.openPreview((request.params as { '*': string })['*'])
      return reply
        .removeHeader('x-frame-options')
        .headers(previewHeaders([request.host, ...publicHost(options)]))
        .send(html)
    })
    server.get('/vendor/*', open, async (request, reply) => {
      const file = await vendor.read(
        (request.params as { '*': string })['*'],
        request.headers['accept-encoding'] ?? '',
      )
      return reply
        .headers({
          'content-type': 'text/javascript; charset=utf-8',
          'access-control-allow-origin': '*',
          'cross-origin-resource-policy': 'cross-origin',
          'x-content-type-options': 'nosniff',
          'cache-control': 'public, max-age=31536000, immutable',
          vary: 'accept-encoding',
          ...(file.encoding === null ? {} : { 'content-encoding': file.encoding }),
        })
        .send(file.bytes)
    })
  }
}

import Type from 'typebox'
import type { BuildOutput } from '../../platform/bundler/index.ts'
import { failures, ok, success } from '../../transport/envelope.ts'
import type { Server } from '../../transport/server.ts'
import { type Generations, presentGeneration } from '../generations/index.ts'
import { StartedView, SubmitHeaders } from '../generations/schema.ts'
import type { Artifacts, ArtifactWithFiles, ListedArtifact } from './index.ts'
import {
  ArtifactView,
  BuildBody,
  BuildView,
  DownloadQuery,
  DownloadView,
  FileView,
  FixBody,
  IdParams,
  ListedArtifactView,
  PreviewView,
} from './schema.ts'
import { openVendorFiles } from './vendor-files.ts'

const tags = ['Artifacts']

function present(artifact: ArtifactWithFiles): ArtifactView {
  const { id, title, type, language, version, conversationId, messageId, generationId, lineageId } = artifact
  const { consolidatedFrom, consolidatedInto } = artifact
  const files = artifact.files.map(({ path, language, size }) => ({ path, language, size }))
  const createdAt = artifact.createdAt.toISOString()
  return {
    ...{ id, title, type, language, version, conversationId, messageId, generationId, lineageId },
    ...{ consolidatedFrom, consolidatedInto },
    files,
    createdAt,
  }
}

/** An artifact of a list as it goes over the wire. */
function presentListed({ createdAt, ...rest }: ListedArtifact): ListedArtifactView {
  return { ...rest, createdAt: createdAt.toISOString() }
}

function presentBuild(output: BuildOutput): BuildView {
  const { ok: isOk, durationMs, warnings } = output
  if (!output.ok)
    return { ok: isOk, bundleBytes: null, durationMs, dependencies: [], errors: output.errors, warnings }
  const { bundleBytes, dependencies } = output
  return { ok: isOk, bundleBytes, durationMs, dependencies, errors: [], warnings }
}

/** /artifacts: read, versions, files, download, build, preview, fix, delete. */
export function artifactRoutes(artifacts: Artifacts, generations?: Generations) {
  return async (server: Server) => {
    readingRoutes(server, artifacts)
    versionRoutes(server, artifacts)
    if (generations) fixRoute(server, artifacts, generations)
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
          'A signed link that holds for an hour: to the file when there is one, else or with `format=zip` to a project ' +
          'that runs: what it lacks of package.json, npm scripts, a page and an entry is added.',
        params: IdParams,
        querystring: DownloadQuery,
        response: { 200: success(DownloadView), ...failures(400, 401, 404) },
      },
    },
    async request => {
      const { url, expiresAt, fileName } = await artifacts.download(
        request.identity.accountId,
        request.params.id,
        { asZip: request.query.format === 'zip' },
      )
      return ok({ url, expiresAt: expiresAt.toISOString(), fileName })
    },
  )
}

function versionRoutes(server: Server, artifacts: Artifacts): void {
  server.get(
    '/artifacts/:id/versions',
    {
      schema: {
        tags,
        summary: 'List the versions of an artifact',
        description:
          'Oldest first, with the message and the model each comes from. All artifacts of a conversation: ' +
          'GET /conversations/{id}/artifacts.',
        params: IdParams,
        response: {
          200: success(Type.Object({ versions: Type.Array(ListedArtifactView) })),
          ...failures(401, 404),
        },
      },
    },
    async request => {
      const versions = await artifacts.listVersions(request.identity.accountId, request.params.id)
      return ok({ versions: versions.map(presentListed) })
    },
  )
  server.delete(
    '/artifacts/:id',
    {
      schema: {
        tags,
        summary: 'Delete one version of an artifact',
        description: 'With what no other version needs of it; the message that holds the code stays.',
        params: IdParams,
        response: { 200: success(Type.Object({})), ...failures(401, 404) },
      },
    },
    async request => {
      await artifacts.remove(request.identity.accountId, request.params.id)
      return ok({})
    },
  )
}

function fixRoute(server: Server, artifacts: Artifacts, generations: Generations): void {
  server.post(
    '/artifacts/:id/fix',
    {
      schema: {
        tags,
        summary: 'Ask the model to fix an artifact',
        description:
          'Hands what the build says, else `problems`, back as the next message of its conversation. The answer runs ' +
          'on: follow it by GET /generations/{id}/events. 409 NOTHING_TO_FIX when it builds and no problems are told.',
        params: IdParams,
        headers: SubmitHeaders,
        body: FixBody,
        response: {
          202: success(StartedView),
          ...failures(400, 401, 402, 404, 409, 413, 422, 429, 502, 503, 504),
        },
      },
    },
    async (request, reply) => {
      const { accountId } = request.identity
      const { problems, model } = request.body ?? {}
      const turn = await artifacts.fix(accountId, request.params.id, problems)
      const started = await generations.start({
        ...turn,
        accountId,
        kind: 'chat',
        model,
        idempotencyKey: request.headers['idempotency-key'],
      })
      reply.code(202)
      return ok({ ...started, generation: presentGeneration(started.generation) })
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
        .headers(artifacts.pageHeaders([request.host, ...publicHost(options)]))
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

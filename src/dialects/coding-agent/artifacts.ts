import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ArtifactWithFiles } from '../../features/artifacts/index.ts'
import { AppError } from '../../lib/errors.ts'
import { errorBody } from '../../transport/errors.ts'
import { presentBuild } from './inspection.ts'
import type { CodingAgentParts } from './parts.ts'
import { presentAbout, presentArtifact } from './present.ts'

/** One call about one artifact. */
interface Exchange {
  request: FastifyRequest
  reply: FastifyReply
  id: string
}

export async function readArtifact({ artifacts, links }: CodingAgentParts, accountId: string, id: string) {
  const artifact = await artifacts.read(accountId, id)
  const { messageId, conversationId } = artifact
  const message = { id: messageId, conversationId }
  return { artifact: { ...presentArtifact(artifact, links), message } }
}

/** The code as one text: of several files each under a line with its path. */
export async function readCode({ artifacts }: CodingAgentParts, accountId: string, id: string) {
  const artifact = await artifacts.read(accountId, id)
  const files = await artifacts.readFiles(accountId, id)
  const [only] = files
  const code =
    files.length === 1 && only
      ? only.content
      : files.map(file => `// ===== ${file.path} =====\n${file.content.trimEnd()}\n`).join('\n')
  return { code, artifact: presentAbout(artifact) }
}

export async function readProject({ artifacts }: CodingAgentParts, accountId: string, id: string) {
  const artifact = await artifacts.read(accountId, id)
  const stored = await artifacts.readFiles(accountId, id)
  const files = stored.map(({ path, language, content, size }) => ({
    ...{ fileName: path, language, content, fileSize: size },
  }))
  const framework = artifact.type === 'REACT' ? 'react' : artifact.type.toLowerCase()
  return { project: { id: artifact.id, title: artifact.title, framework, files }, files }
}

/** The file itself, or the zip of a project, under a name made of the title. */
export async function download({ artifacts }: CodingAgentParts, { request, reply, id }: Exchange) {
  const { artifact, bytes } = await artifacts.bytes(request.identity.accountId, id)
  return reply
    .headers({
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="${fileNameOf(artifact)}"`,
    })
    .send(Buffer.from(bytes))
}

function fileNameOf({ title, files }: ArtifactWithFiles): string {
  const [only] = files
  const ending = files.length === 1 && only ? (/\.[a-z0-9]{1,10}$/i.exec(only.path)?.[0] ?? '.txt') : '.zip'
  const name = title.replace(new RegExp(`\\${ending}$`, 'i'), '').replace(/[^a-zA-Z0-9]+/g, '-')
  return `${name.replace(/^-+|-+$/g, '').slice(0, 100) || 'artifact'}${ending}`
}

/** The page that the code makes. It is shown on an origin that owns nothing, whoever opens it. */
export async function preview(deps: CodingAgentParts, { request, reply, id }: Exchange) {
  const output = await deps.artifacts.build(request.identity.accountId, id)
  if (output.ok) {
    const hosts = [request.host, new URL(deps.publicUrl()).host]
    return reply.removeHeader('x-frame-options').headers(deps.artifacts.pageHeaders(hosts)).send(output.html)
  }
  const { errors, warnings } = presentBuild(output)
  const error = new AppError('invalid', 'CANNOT_PREVIEW', `Cannot preview: ${errors[0] ?? 'no page'}`)
  return reply.code(400).send({ ...errorBody(error), errors, warnings })
}

/** Builds it; sources that do not build are a 422 with what is wrong. */
export async function build({ artifacts, links }: CodingAgentParts, { request, reply, id }: Exchange) {
  const { accountId } = request.identity
  const artifact = await artifacts.read(accountId, id)
  const buildResult = presentBuild(await artifacts.build(accountId, id))
  if (buildResult.success) {
    const url = links.page(artifact)
    return { success: true, message: 'Built successfully', previewUrl: url, bundledHtmlUrl: url, buildResult }
  }
  const { errors } = buildResult
  const error = new AppError('unprocessable', 'BUILD_FAILED', `The build failed: ${errors[0] ?? ''}`)
  return reply.code(422).send({ ...errorBody(error), errors, buildResult })
}

/** As `build`, for clients that know React alone. Throws AppError invalid for anything else. */
export async function bundle(deps: CodingAgentParts, exchange: Exchange) {
  const { type } = await deps.artifacts.read(exchange.request.identity.accountId, exchange.id)
  if (type !== 'REACT') throw new AppError('invalid', 'NOT_REACT', 'Not a React artifact')
  return build(deps, exchange)
}

export async function deleteArtifact({ artifacts }: CodingAgentParts, accountId: string, id: string) {
  await artifacts.remove(accountId, id)
  return { message: 'Artifact deleted successfully' }
}

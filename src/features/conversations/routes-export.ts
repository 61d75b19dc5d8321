import type { TSchema } from 'typebox'
import Type from 'typebox'
import { failures, ok, success } from '../../transport/envelope.ts'
import type { Server } from '../../transport/server.ts'
import { ListedArtifactView } from '../artifacts/schema.ts'
import { markdownOf } from './export.ts'
import type { Conversations } from './index.ts'
import { ExportQuery, IdParams } from './schema.ts'

const tags = ['Conversations']

const exported = {
  description: 'A file to keep, as an attachment.',
  content: {
    'application/json': { schema: Type.Object({}, { additionalProperties: true }) },
    'text/markdown': { schema: Type.String() },
  },
} as unknown as TSchema

/** What a conversation made, and the whole of it as a file. */
export function exportRoutes(conversations: Conversations) {
  return async (server: Server) => {
    server.get(
      '/conversations/:id/artifacts',
      {
        schema: {
          tags,
          summary: 'List the artifacts of a conversation',
          description:
            'All versions, in the order of their making, with the message and the model each comes from.',
          params: IdParams,
          response: {
            200: success(Type.Object({ artifacts: Type.Array(ListedArtifactView) })),
            ...failures(401, 404),
          },
        },
      },
      async request => {
        const found = await conversations.artifacts(request.identity.accountId, request.params.id)
        const artifacts = found.map(artifact => ({
          ...artifact,
          createdAt: artifact.createdAt.toISOString(),
        }))
        return ok({ artifacts })
      },
    )
    server.get(
      '/conversations/:id/export',
      {
        schema: {
          tags,
          summary: 'Export a conversation',
          description: 'As JSON (with links to the code that hold for an hour) or Markdown.',
          params: IdParams,
          querystring: ExportQuery,
          response: { 200: exported, ...failures(400, 401, 404) },
        },
      },
      async (request, reply) => {
        const whole = await conversations.export(request.identity.accountId, request.params.id)
        const isMarkdown = request.query.format === 'markdown'
        const body = isMarkdown ? markdownOf(whole) : JSON.stringify(whole, null, 2)
        const name = `conversation-${whole.conversation.id}.${isMarkdown ? 'md' : 'json'}`
        reply.header('content-disposition', `attachment; filename="${name}"`)
        reply.header('x-content-type-options', 'nosniff')
        reply.type(isMarkdown ? 'text/markdown; charset=utf-8' : 'application/json; charset=utf-8')
        // Bytes, so that they are sent as they are.
        return reply.send(Buffer.from(body) as never)
      },
    )
  }
}

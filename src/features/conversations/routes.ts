import Type from 'typebox'
import { failures, ok, success } from '../../transport/envelope.ts'
import type { Server } from '../../transport/server.ts'
import type { Conversations } from './index.ts'
import {
  ConversationView,
  CreateBody,
  IdParams,
  ListQuery,
  MessageView,
  ReadQuery,
  UpdateBody,
  VersionsParams,
} from './schema.ts'
import type { Conversation } from './store.ts'

const tags = ['Conversations']
const OneConversation = Type.Object({ conversation: ConversationView })

function present(conversation: Conversation): ConversationView {
  const { createdAt, updatedAt, ...rest } = conversation
  return { ...rest, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() }
}

function dated<Row extends { createdAt: Date }>(row: Row): Omit<Row, 'createdAt'> & { createdAt: string } {
  return { ...row, createdAt: row.createdAt.toISOString() }
}

/** /conversations: list, create, read, rename, delete. */
export function conversationRoutes(conversations: Conversations) {
  return async (server: Server) => {
    server.get(
      '/conversations',
      {
        schema: {
          tags,
          summary: 'List conversations',
          description:
            'The one last written to first. Page with `cursor`; `search` looks in titles and messages.',
          querystring: ListQuery,
          response: {
            200: success(
              Type.Object({
                conversations: Type.Array(ConversationView),
                nextCursor: Type.Union([Type.String(), Type.Null()]),
              }),
            ),
            ...failures(400, 401),
          },
        },
      },
      async request => {
        const page = await conversations.list({ accountId: request.identity.accountId, ...request.query })
        return ok({ conversations: page.conversations.map(present), nextCursor: page.nextCursor })
      },
    )
    server.post(
      '/conversations',
      {
        schema: {
          tags,
          summary: 'Create an empty conversation',
          description:
            'Usually not needed: POST /generations without `conversationId` creates one by its first message.',
          body: CreateBody,
          response: { 201: success(OneConversation), ...failures(400, 401) },
        },
      },
      async (request, reply) => {
        reply.code(201)
        return ok({
          conversation: present(await conversations.create(request.identity.accountId, request.body)),
        })
      },
    )
    server.get(
      '/conversations/:id',
      {
        schema: {
          tags,
          summary: 'Read a conversation',
          description:
            'With the newest messages, oldest first; `before` pages backwards. A running answer has what is stored of it.',
          params: IdParams,
          querystring: ReadQuery,
          response: {
            200: success(
              Type.Object({
                conversation: ConversationView,
                messages: Type.Array(MessageView),
                hasMore: Type.Boolean(),
              }),
            ),
            ...failures(400, 401, 404),
          },
        },
      },
      async request => {
        const found = await conversations.read({
          accountId: request.identity.accountId,
          id: request.params.id,
          ...request.query,
        })
        const messages = found.messages.map(dated)
        return ok({ conversation: present(found.conversation), messages, hasMore: found.hasMore })
      },
    )
    server.get(
      '/conversations/:id/messages/:position/versions',
      {
        schema: {
          tags,
          summary: 'Read all answers to a question',
          description:
            'Oldest first. Regenerating keeps the earlier answers; the last one is in the conversation.',
          params: VersionsParams,
          response: {
            200: success(Type.Object({ messages: Type.Array(MessageView) })),
            ...failures(400, 401, 404),
          },
        },
      },
      async request => {
        const found = await conversations.versions(request.identity.accountId, request.params)
        return ok({ messages: found.map(dated) })
      },
    )
    server.patch(
      '/conversations/:id',
      {
        schema: {
          tags,
          summary: 'Rename a conversation, or set its system prompt',
          params: IdParams,
          body: UpdateBody,
          response: { 200: success(OneConversation), ...failures(400, 401, 404) },
        },
      },
      async request => {
        const { accountId } = request.identity
        return ok({
          conversation: present(await conversations.update(accountId, request.params.id, request.body)),
        })
      },
    )
    server.delete(
      '/conversations/:id',
      {
        schema: {
          tags,
          summary: 'Delete a conversation',
          description: 'With its messages, generations and artifacts; a running answer is stopped first.',
          params: IdParams,
          response: { 200: success(Type.Object({})), ...failures(401, 404) },
        },
      },
      async request => {
        await conversations.remove(request.identity.accountId, request.params.id)
        return ok({})
      },
    )
  }
}

import Type, { type Static } from 'typebox'
import { failures } from '../../transport/envelope.ts'
import { codingAgent } from '../dialects.ts'
import { sends, shapeOf, showsOrSends } from '../speech.ts'
import * as example from './examples.ts'

const tags = [codingAgent.tag]
const switchOf = (description: string) => Type.Optional(Type.Boolean({ default: true, description }))

const wishes = {
  stream: switchOf('false: one JSON answer instead of server-sent events.'),
  enableSecurity: switchOf('Look through the code for weaknesses.'),
  enableBuilding: switchOf('Build what can be shown.'),
  enablePreview: switchOf('Give links to previews.'),
}

const SendBody = Type.Object(
  {
    message: Type.String({ minLength: 1, maxLength: 10_000, pattern: '\\S' }),
    conversationId: Type.Optional(Type.Union([Type.String({ format: 'uuid' }), Type.Null()])),
    ...wishes,
  },
  { examples: [{ message: 'Create a React button component', stream: false }] },
)

const Wishes = Type.Object(wishes, { examples: [{ stream: false }] })
const RegenerateBody = Type.Union([Wishes, Type.Null()])

/** What a client wishes of an answer beside its words. */
export type Wish = Partial<Static<typeof Wishes>>

const TitleBody = Type.Object(
  { title: Type.Optional(Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' })) },
  { examples: [{ title: 'Button component' }] },
)

const ListQuery = Type.Object({
  page: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1 }),
  limit: Type.Integer({ minimum: 1, maximum: 50, default: 20 }),
  search: Type.Optional(Type.String({ maxLength: 200 })),
})

const ExportQuery = Type.Object({
  format: Type.Optional(Type.String({ maxLength: 20, description: '`markdown`; anything else is JSON.' })),
})

const IdParams = Type.Object({ id: Type.String({ maxLength: 200 }) })
const TokenQuery = Type.Object({
  token: Type.Optional(
    Type.String({ maxLength: 4000, description: 'The access token, where an iframe can send no header.' }),
  ),
})

const turnResponses = {
  200: showsOrSends(
    example.answer,
    'text/event-stream',
    'Frames `{id, type, data, timestamp, retryCount}`: metadata, connection, text chunks, build, security, artifact, complete, `[DONE]`.',
  ),
  ...failures(400, 401, 403, 404, 409, 422, 429, 502, 503),
}

const one = { params: IdParams }
const buildFailures = failures(400, 401, 404, 413, 422, 429, 504)

/** What each path takes and gives, for the check of requests and the page at /docs. */
export const asks = {
  send: {
    schema: {
      tags,
      summary: 'Ask for code',
      description: 'Server-sent events unless `stream` is false. 403 when the credits are used up.',
      body: SendBody,
      response: turnResponses,
    },
  },
  regenerate: {
    schema: {
      tags,
      summary: 'Answer once more',
      params: Type.Object({ messageId: Type.String({ maxLength: 200 }) }),
      body: RegenerateBody,
      response: turnResponses,
    },
  },
  listConversations: {
    schema: {
      tags,
      summary: 'List conversations',
      querystring: ListQuery,
      response: { 200: shapeOf(example.conversations), ...failures(400, 401) },
    },
  },
  readConversation: {
    schema: {
      tags,
      summary: 'Read a conversation with its messages',
      description: 'The newest 1,000 messages, oldest first.',
      ...one,
      response: { 200: shapeOf(example.conversation), ...failures(401, 404) },
    },
  },
  renameConversation: {
    schema: {
      tags,
      summary: 'Rename a conversation',
      ...one,
      body: TitleBody,
      response: { 200: shapeOf(example.renamed), ...failures(400, 401, 404) },
    },
  },
  deleteConversation: {
    schema: {
      tags,
      summary: 'Delete a conversation',
      ...one,
      response: { 200: shapeOf(example.conversationDeleted), ...failures(401, 404) },
    },
  },
  exportConversation: {
    schema: {
      tags,
      summary: 'Export a conversation as JSON or Markdown',
      ...one,
      querystring: ExportQuery,
      response: {
        200: showsOrSends(example.exported, 'text/markdown', 'An attachment.'),
        ...failures(400, 401, 404),
      },
    },
  },
  readArtifact: {
    schema: {
      tags,
      summary: 'Read an artifact',
      ...one,
      response: { 200: shapeOf(example.artifact), ...failures(401, 404) },
    },
  },
  readCode: {
    schema: {
      tags,
      summary: 'Read the code of an artifact',
      description: 'Several files come one below the other, each under a line with its path.',
      ...one,
      response: { 200: shapeOf(example.code), ...failures(401, 404) },
    },
  },
  download: {
    schema: {
      tags,
      summary: 'Download an artifact',
      description: 'The file, or a zip when there are several.',
      ...one,
      response: { 200: sends('application/octet-stream', 'An attachment.'), ...failures(401, 404) },
    },
  },
  preview: {
    config: { tokenInUrl: true },
    schema: {
      tags,
      summary: 'Look at an artifact',
      description:
        'A page for an iframe, sandboxed by its headers. Rather use `bundledHtmlUrl`: a link for an hour that carries no access token.',
      ...one,
      querystring: TokenQuery,
      response: { 200: sends('text/html', 'A page.'), ...buildFailures },
    },
  },
  build: {
    schema: {
      tags,
      summary: 'Build an artifact',
      ...one,
      response: { 200: shapeOf(example.built), ...buildFailures },
    },
  },
  readProject: {
    schema: {
      tags,
      summary: 'Read the files of an artifact',
      description: 'An artifact of one file is a project of one file.',
      ...one,
      response: { 200: shapeOf(example.project), ...failures(401, 404) },
    },
  },
  deleteArtifact: {
    schema: {
      tags,
      summary: 'Delete an artifact',
      ...one,
      response: { 200: shapeOf(example.artifactDeleted), ...failures(401, 404) },
    },
  },
  openLink: {
    config: { auth: 'none' },
    schema: { hide: true, params: Type.Object({ token: Type.String({ maxLength: 400 }) }) },
  },
} as const

import type { FastifyReply, FastifyRequest } from 'fastify'
import Type, { type TSchema } from 'typebox'
import { eventsOr, failures, ok, success } from '../../transport/envelope.ts'
import type { Server } from '../../transport/server.ts'
import {
  deliver,
  failureOf,
  type Generations,
  presentGeneration,
  submission,
  untilReaderGone,
} from '../generations/index.ts'
import { GenerationView, StartedView, SubmitHeaders } from '../generations/schema.ts'
import { largestCodeBytes, type Plugins, type StartedTurn, type TurnResult } from './index.ts'
import {
  CodeBody,
  FinalizeBody,
  HistoryMessage,
  IdParams,
  ListQuery,
  MessageBody,
  NameBody,
  PluginView,
  TurnView,
  VersionParams,
  VersionSummary,
  VersionView,
  ZipQuery,
} from './schema.ts'
import { dated, presentPlugin, presentTurn } from './view.ts'

const tags = ['Plugins']
const OnePlugin = Type.Object({ plugin: PluginView })

/** What a turn came to, for those who wait for its end. */
const FinishedTurn = Type.Object({
  generation: GenerationView,
  turn: TurnView,
  message: Type.Object({ id: Type.String(), content: Type.String() }),
  reply: Type.Object({
    id: Type.String(),
    content: Type.String({ description: 'The answer without its code.' }),
  }),
  version: Type.Union([VersionView, Type.Null()]),
  isFinal: Type.Boolean(),
})

const turnResponses: Record<number, TSchema> = {
  200: eventsOr(
    success(FinishedTurn),
    'The log of the answer as events (default); `check-done` tells its version, the counts of findings, and the generation ' +
      'that repairs it, if any. Or the finished turn, repairs included, with `stream: false`.',
  ),
  202: {
    ...success(Type.Object({ ...StartedView.properties, turnId: Type.String() })),
    description: '`background: true`: stored, and running.',
  },
  ...failures(400, 401, 402, 404, 409, 422, 429, 502, 503),
}

/** /plugins: sessions, their turns, versions and zips. */
export function pluginRoutes(plugins: Plugins, generations: Generations) {
  return async (server: Server) => {
    sessionRoutes(server, plugins)
    turnRoutes(server, plugins, generations)
    versionRoutes(server, plugins)
  }
}

function sessionRoutes(server: Server, plugins: Plugins): void {
  server.post(
    '/plugins',
    {
      schema: {
        tags,
        summary: 'Begin a plugin',
        description: 'An empty session; say what it should do with POST /plugins/{id}/messages.',
        body: NameBody,
        response: { 201: success(OnePlugin), ...failures(400, 401) },
      },
    },
    async (request, reply) => {
      const plugin = await plugins.create(request.identity.accountId, request.body)
      reply.code(201)
      return ok({ plugin: presentPlugin(plugin) })
    },
  )
  server.get(
    '/plugins',
    {
      schema: {
        tags,
        summary: 'List plugins',
        description: 'The newest first. Page with `cursor`.',
        querystring: ListQuery,
        response: {
          200: success(
            Type.Object({
              plugins: Type.Array(PluginView),
              nextCursor: Type.Union([Type.String(), Type.Null()]),
            }),
          ),
          ...failures(400, 401),
        },
      },
    },
    async request => {
      const page = await plugins.list({ accountId: request.identity.accountId, ...request.query })
      return ok({ plugins: page.plugins.map(presentPlugin), nextCursor: page.nextCursor })
    },
  )
  server.get(
    '/plugins/:id',
    {
      schema: {
        tags,
        summary: 'Read a plugin',
        params: IdParams,
        response: { 200: success(OnePlugin), ...failures(401, 404) },
      },
    },
    async request => {
      const plugin = await plugins.read(request.identity.accountId, request.params.id)
      return ok({ plugin: presentPlugin(plugin) })
    },
  )
  server.patch(
    '/plugins/:id',
    {
      schema: {
        tags,
        summary: 'Rename a plugin',
        params: IdParams,
        body: NameBody,
        response: { 200: success(OnePlugin), ...failures(400, 401, 404) },
      },
    },
    async request => {
      const { accountId } = request.identity
      const plugin = await plugins.rename(accountId, request.params.id, request.body.name)
      return ok({ plugin: presentPlugin(plugin) })
    },
  )
  server.delete(
    '/plugins/:id',
    {
      schema: {
        tags,
        summary: 'Delete a plugin',
        description: 'With its messages and versions; what still runs is stopped first.',
        params: IdParams,
        response: { 200: success(Type.Object({})), ...failures(401, 404) },
      },
    },
    async request => {
      await plugins.remove(request.identity.accountId, request.params.id)
      return ok({})
    },
  )
}

function turnRoutes(server: Server, plugins: Plugins, generations: Generations): void {
  server.post(
    '/plugins/:id/messages',
    {
      schema: {
        tags,
        summary: 'Say what the plugin should do',
        description:
          'The model answers with a question, or with a draft. The code is checked; errors go back to the model, at most ' +
          'twice, each time as a generation of its own. Answers as POST /generations.',
        params: IdParams,
        headers: SubmitHeaders,
        body: MessageBody,
        response: turnResponses,
      },
    },
    async (request, reply) => {
      const { stream, background, ...asked } = request.body
      const { accountId } = request.identity
      const pluginId = request.params.id
      const started = await plugins.send({ ...asked, ...submission(request), accountId, pluginId })
      return hand({ plugins, generations }, { request, reply, started })
    },
  )
  server.post(
    '/plugins/:id/finalize',
    {
      schema: {
        tags,
        summary: 'Finalize a plugin',
        description:
          'Asks for the finished plugin. It is final when the checks find no errors; otherwise the version tells which ' +
          'remain. A second call while it is being finalized joins the first.',
        params: IdParams,
        headers: SubmitHeaders,
        body: FinalizeBody,
        response: turnResponses,
      },
    },
    async (request, reply) => {
      const { stream, background, ...asked } = request.body ?? {}
      const { accountId } = request.identity
      const pluginId = request.params.id
      const started = await plugins.finalize({ ...asked, ...submission(request), accountId, pluginId })
      return hand({ plugins, generations }, { request, reply, started })
    },
  )
  server.get(
    '/plugins/:id/messages',
    {
      schema: {
        tags,
        summary: 'Read the history of a plugin',
        description: 'Oldest first, with what clients put beside it.',
        params: IdParams,
        response: {
          200: success(Type.Object({ messages: Type.Array(HistoryMessage) })),
          ...failures(401, 404),
        },
      },
    },
    async request => {
      const rows = await plugins.history(request.identity.accountId, request.params.id)
      return ok({ messages: rows.map(dated) })
    },
  )
}

interface Handing {
  request: FastifyRequest
  reply: FastifyReply
  started: StartedTurn
}

/** Hands a turn to the client: its first answer as events, a receipt, or the turn's end. */
async function hand(
  { plugins, generations }: { plugins: Plugins; generations: Generations },
  { request, reply, started }: Handing,
): Promise<unknown> {
  const asked = (request.body ?? {}) as { stream?: boolean; background?: boolean; onDisconnect?: 'cancel' }
  const { accountId } = request.identity
  if (asked.stream !== false || asked.background) {
    return deliver(generations, { request, reply, started, asked })
  }
  const signal = untilReaderGone(generations, { request, reply, started, asked })
  const { turnId } = started
  const result = await plugins.wait({ accountId, turnId, signal })
  const id = result.generationId ?? started.generation.id
  const ended = await generations.read(accountId, id)
  reply.header('x-stream-session-id', id)
  if (ended.status === 'failed') throw failureOf(ended)
  return ok(await finished(plugins, { request, started, result, generation: presentGeneration(ended) }))
}

async function finished(
  plugins: Plugins,
  given: {
    request: FastifyRequest
    started: StartedTurn
    result: TurnResult
    generation: ReturnType<typeof presentGeneration>
  },
) {
  const { request, started, result, generation } = given
  const { id } = request.params as { id: string }
  const version =
    result.version === null
      ? null
      : dated(await plugins.version(request.identity.accountId, id, result.version))
  return {
    generation,
    turn: presentTurn(result.turn),
    message: { id: started.messageId, content: started.message },
    reply: { id: generation.replyId ?? started.replyId, content: result.prose },
    version,
    isFinal: result.isFinal,
  }
}

function versionRoutes(server: Server, plugins: Plugins): void {
  server.get(
    '/plugins/:id/versions',
    {
      schema: {
        tags,
        summary: 'List the versions of a plugin',
        description: 'The newest first, with what the checks counted.',
        params: IdParams,
        response: {
          200: success(Type.Object({ versions: Type.Array(VersionSummary) })),
          ...failures(401, 404),
        },
      },
    },
    async request => {
      const versions = await plugins.versions(request.identity.accountId, request.params.id)
      return ok({ versions: versions.map(dated) })
    },
  )
  server.post(
    '/plugins/:id/versions',
    {
      bodyLimit: largestCodeBytes * 3,
      schema: {
        tags,
        summary: 'Hand in code of your own',
        description:
          'It is checked, marked as `client`, and becomes the draft that the model changes next. At most 1 MB.',
        params: IdParams,
        body: CodeBody,
        response: {
          201: success(Type.Object({ version: VersionView })),
          ...failures(400, 401, 404, 413, 429),
        },
      },
    },
    async (request, reply) => {
      const { accountId } = request.identity
      const version = await plugins.saveClientCode(accountId, request.params.id, request.body)
      reply.code(201)
      return ok({ version: dated(version) })
    },
  )
  server.get(
    '/plugins/:id/versions/:version',
    {
      schema: {
        tags,
        summary: 'Read a version of a plugin',
        description: 'Its code, and what the checks found in it.',
        params: VersionParams,
        response: { 200: success(Type.Object({ version: VersionView })), ...failures(400, 401, 404) },
      },
    },
    async request => {
      const { id, version } = request.params
      return ok({ version: dated(await plugins.version(request.identity.accountId, id, version)) })
    },
  )
  server.get(
    '/plugins/:id/zip',
    {
      schema: {
        tags,
        summary: 'Download a plugin',
        description:
          'A zip for "Upload plugin" in WordPress: of the final version, or of the one that `version` names.',
        params: IdParams,
        querystring: ZipQuery,
        response: {
          200: {
            description: 'The zip.',
            content: { 'application/zip': { schema: Type.Any() } },
          } as unknown as TSchema,
          ...failures(400, 401, 404, 409),
        },
      },
    },
    async (request, reply) => {
      const { accountId } = request.identity
      const packed = await plugins.zip(accountId, request.params.id, request.query.version)
      return reply
        .header('content-type', 'application/zip')
        .header('content-disposition', `attachment; filename="${packed.fileName}"`)
        .send(Buffer.from(packed.bytes))
    },
  )
}

import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { failures, ok, success } from '../../transport/envelope.ts'
import type { Server } from '../../transport/server.ts'
import type { Caller, Keys } from './index.ts'
import {
  CreateKeyBody,
  KeyParams,
  KeyUsageView,
  KeyView,
  TrialView,
  TryKeyBody,
  UpdateKeyBody,
  UsageQuery,
} from './schema.ts'

const tags = ['Keys']
const one = success(Type.Object({ key: KeyView }))

function callerOf(request: FastifyRequest): Caller {
  const { accountId, sessionId } = request.identity
  return {
    accountId,
    sessionId,
    client: { ip: request.ip, userAgent: request.headers['user-agent'] ?? null },
  }
}

/** /keys: a person's own keys for model providers. */
export function keyRoutes(keys: Keys) {
  return async (server: Server) => {
    readingRoutes(server, keys)
    changingRoutes(server, keys)
    usingRoutes(server, keys)
  }
}

function readingRoutes(server: Server, keys: Keys): void {
  server.get(
    '/keys',
    {
      schema: {
        tags,
        summary: 'List my provider keys',
        description:
          'The newest first. The keys themselves are never shown: only their last four characters.',
        response: { 200: success(Type.Object({ keys: Type.Array(KeyView) })), ...failures(401) },
      },
    },
    async request => ok({ keys: await keys.list(request.identity.accountId) }),
  )
  server.get(
    '/keys/:id',
    {
      schema: {
        tags,
        summary: 'Read a provider key',
        description: 'Everything about it but the key.',
        params: KeyParams,
        response: { 200: one, ...failures(401, 404) },
      },
    },
    async request => ok({ key: await keys.read(request.identity.accountId, request.params.id) }),
  )
}

function changingRoutes(server: Server, keys: Keys): void {
  server.post(
    '/keys',
    {
      schema: {
        tags,
        summary: 'Add a provider key',
        description:
          'It is sealed and never shown again. An active key pays for the models of its provider: generations with it cost no credits and do not count toward the daily limit. At most one key of a provider is active; a new one takes the place of the other. 10 an hour.',
        body: CreateKeyBody,
        response: { 201: one, ...failures(400, 401, 403, 409, 429) },
      },
    },
    async (request, reply) => {
      const key = await keys.create(callerOf(request), request.body)
      return reply.code(201).send(ok({ key }))
    },
  )
  server.patch(
    '/keys/:id',
    {
      schema: {
        tags,
        summary: 'Change a provider key',
        description:
          '`apiKey` puts another key into its place; `isActive: true` deactivates the other key of the provider. A new `baseUrl` needs the `apiKey` with it.',
        params: KeyParams,
        body: UpdateKeyBody,
        response: { 200: one, ...failures(400, 401, 403, 404, 409) },
      },
    },
    async request => ok({ key: await keys.update(callerOf(request), request.params.id, request.body) }),
  )
  server.delete(
    '/keys/:id',
    {
      schema: {
        tags,
        summary: 'Remove a provider key',
        description: 'For good, with its usage. Answers that are being written with it are finished.',
        params: KeyParams,
        response: { 200: success(Type.Object({})), ...failures(401, 403, 404) },
      },
    },
    async request => {
      await keys.remove(callerOf(request), request.params.id)
      return ok({})
    },
  )
}

function usingRoutes(server: Server, keys: Keys): void {
  server.post(
    '/keys/:id/test',
    {
      schema: {
        tags,
        summary: 'Test a provider key',
        description:
          'Asks the provider for a few tokens. A custom server is first asked for its models, which are kept when the key names none.',
        params: KeyParams,
        body: TryKeyBody,
        response: { 200: success(TrialView), ...failures(400, 401, 403, 404, 409, 429) },
      },
    },
    async request => {
      const { id } = request.params
      return ok(await keys.test(request.identity.accountId, { id, model: request.body?.model }))
    },
  )
  server.get(
    '/keys/:id/usage',
    {
      schema: {
        tags,
        summary: 'What a provider key was used for',
        description: 'Calls, errors and tokens in the last days, and on each of them.',
        params: KeyParams,
        querystring: UsageQuery,
        response: { 200: success(KeyUsageView), ...failures(400, 401, 404) },
      },
    },
    async request => {
      const { days } = request.query
      return ok(await keys.usage(request.identity.accountId, { id: request.params.id, days }))
    },
  )
}

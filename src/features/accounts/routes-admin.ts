import Type from 'typebox'
import { failures, ok, success } from '../../transport/envelope.ts'
import type { Server } from '../../transport/server.ts'
import type { Accounts } from './index.ts'
import { AccountView, Nothing, SecurityEventView } from './schema.ts'
import { PageQuery, SessionParams } from './schema-sessions.ts'
import { clientOf } from './web-sessions.ts'

const nextCursor = Type.Union([Type.String(), Type.Null()])

/** What administrators see and do. */
export function adminRoutes(server: Server, reach: { accounts: Accounts }): void {
  accountList(server, reach)
  closing(server, reach)
  log(server, reach)
}

function accountList(server: Server, { accounts }: { accounts: Accounts }): void {
  server.get(
    '/admin/accounts',
    {
      config: { auth: 'admin' },
      schema: {
        tags: ['Administration'],
        summary: 'All accounts',
        description: 'The newest first; `search` is a part of an address or a name.',
        querystring: Type.Object({
          ...PageQuery.properties,
          search: Type.Optional(Type.String({ maxLength: 200 })),
        }),
        response: {
          200: success(Type.Object({ accounts: Type.Array(AccountView), nextCursor })),
          ...failures(400, 401, 403),
        },
      },
    },
    async request => {
      const { limit, cursor, search } = request.query
      return ok(await accounts.search({ limit, before: cursor, search }))
    },
  )
}

function closing(server: Server, { accounts }: { accounts: Accounts }): void {
  for (const { verb, act, description } of [
    {
      verb: 'ban',
      act: accounts.ban,
      description:
        'Every session ends, what runs for it is cancelled, and nobody signs in until it is opened again.',
    },
    { verb: 'unban', act: accounts.unban, description: 'Lets its owner sign in again.' },
  ] as const) {
    server.post(
      `/admin/accounts/:id/${verb}`,
      {
        config: { auth: 'admin' },
        schema: {
          tags: ['Administration'],
          summary: verb === 'ban' ? 'Close an account' : 'Open an account again',
          description,
          params: SessionParams,
          response: { 200: success(Nothing), ...failures(401, 403, 404, 409) },
        },
      },
      async request => {
        const { accountId: actorId } = request.identity
        await act({ accountId: request.params.id, actorId, client: clientOf(request) })
        return ok({})
      },
    )
  }
}

function log(server: Server, { accounts }: { accounts: Accounts }): void {
  server.get(
    '/admin/security-events',
    {
      config: { auth: 'admin' },
      schema: {
        tags: ['Administration'],
        summary: 'The security log',
        description: 'The newest first; of one account, or of one kind, or all.',
        querystring: Type.Object({
          ...PageQuery.properties,
          accountId: Type.Optional(Type.String({ maxLength: 100 })),
          kind: Type.Optional(Type.String({ maxLength: 100 })),
        }),
        response: {
          200: success(Type.Object({ events: Type.Array(SecurityEventView), nextCursor })),
          ...failures(400, 401, 403),
        },
      },
    },
    async request => {
      const { limit, cursor, accountId, kind } = request.query
      return ok(await accounts.securityEvents({ limit, before: cursor, accountId, kind }))
    },
  )
}

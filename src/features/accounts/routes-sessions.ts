import Type from 'typebox'
import { failures, ok, success } from '../../transport/envelope.ts'
import type { Server } from '../../transport/server.ts'
import type { Accounts } from './index.ts'
import { Nothing } from './schema.ts'
import { SessionNameBody, SessionParams, SessionView } from './schema-sessions.ts'
import { clientOf } from './web-sessions.ts'

/** Where I am signed in. */
export function sessionRoutes(server: Server, reach: { accounts: Accounts }): void {
  reading(server, reach)
  ending(server, reach)
}

function reading(server: Server, { accounts }: { accounts: Accounts }): void {
  server.get(
    '/sessions',
    {
      schema: {
        tags: ['Sessions'],
        summary: 'Where I am signed in',
        description: 'My live sessions, the last used first.',
        response: { 200: success(Type.Object({ sessions: Type.Array(SessionView) })), ...failures(401) },
      },
    },
    async request => ok({ sessions: await accounts.listSessions(request.identity) }),
  )

  server.patch(
    '/sessions/:id',
    {
      schema: {
        tags: ['Sessions'],
        summary: 'Name a session',
        description: 'Gives one of my sessions a name by which I recognise the device.',
        params: SessionParams,
        body: SessionNameBody,
        response: { 200: success(Type.Object({ session: SessionView })), ...failures(400, 401, 403, 404) },
      },
    },
    async request => {
      const input = { id: request.params.id, name: request.body.name }
      return ok({ session: await accounts.nameSession(request.identity, input) })
    },
  )
}

function ending(server: Server, { accounts }: { accounts: Accounts }): void {
  server.delete(
    '/sessions/:id',
    {
      schema: {
        tags: ['Sessions'],
        summary: 'Sign one device out',
        description: 'Ends one of my sessions on every wire within five seconds.',
        params: SessionParams,
        response: { 200: success(Nothing), ...failures(401, 403, 404) },
      },
    },
    async request => {
      await accounts.revokeSession({ ...request.identity, client: clientOf(request) }, request.params.id)
      return ok({})
    },
  )

  server.delete(
    '/sessions',
    {
      schema: {
        tags: ['Sessions'],
        summary: 'Sign all other devices out',
        description: 'Ends all my sessions but this one.',
        response: { 200: success(Type.Object({ ended: Type.Integer() })), ...failures(401, 403) },
      },
    },
    async request =>
      ok({ ended: await accounts.revokeOtherSessions({ ...request.identity, client: clientOf(request) }) }),
  )
}

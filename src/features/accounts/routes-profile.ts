import Type from 'typebox'
import { failures, ok, success } from '../../transport/envelope.ts'
import type { Server } from '../../transport/server.ts'
import type { Accounts } from './index.ts'
import {
  AccountView,
  DeletionBody,
  EmailBody,
  MobileBody,
  Nothing,
  ProfileBody,
  SecurityEventView,
} from './schema.ts'
import { PageQuery } from './schema-sessions.ts'
import { clientOf, type WebSessions } from './web-sessions.ts'

interface Reach {
  accounts: Accounts
  web: WebSessions
}

const one = success(Type.Object({ account: AccountView }))

/** My account: reading, changing, following what happened to it, deleting it. */
export function profileRoutes(server: Server, reach: Reach): void {
  reading(server, reach)
  changing(server, reach)
  deleting(server, reach)
}

function reading(server: Server, { accounts }: Reach): void {
  server.get(
    '/me',
    {
      schema: {
        tags: ['Accounts'],
        summary: 'Who am I',
        description: 'The account that is signed in.',
        response: { 200: one, ...failures(401) },
      },
    },
    async request => ok({ account: await accounts.read(request.identity.accountId) }),
  )

  server.get(
    '/me/statistics',
    {
      schema: {
        tags: ['Accounts'],
        summary: 'My numbers',
        description: 'Counts of what I have, by name, such as `conversations` and `answers`.',
        response: {
          200: success(Type.Object({ statistics: Type.Record(Type.String(), Type.Number()) })),
          ...failures(401),
        },
      },
    },
    async request => ok({ statistics: await accounts.statistics(request.identity.accountId) }),
  )

  server.get(
    '/me/security-events',
    {
      schema: {
        tags: ['Accounts'],
        summary: 'What happened to my account',
        description: 'Sign-ins, failed ones, password changes and the like, the newest first.',
        querystring: PageQuery,
        response: {
          200: success(
            Type.Object({
              events: Type.Array(SecurityEventView),
              nextCursor: Type.Union([Type.String(), Type.Null()]),
            }),
          ),
          ...failures(400, 401),
        },
      },
    },
    async request => {
      const { limit, cursor } = request.query
      return ok(
        await accounts.securityEvents({ accountId: request.identity.accountId, limit, before: cursor }),
      )
    },
  )
}

function changing(server: Server, { accounts }: Reach): void {
  server.patch(
    '/me',
    {
      schema: {
        tags: ['Accounts'],
        summary: 'Change my profile',
        description: 'Names and username; null removes one. Code: USERNAME_TAKEN (409).',
        body: ProfileBody,
        response: { 200: one, ...failures(400, 401, 403, 409) },
      },
    },
    async request => ok({ account: await accounts.update(request.identity.accountId, request.body) }),
  )

  for (const { path, body, noun } of [
    { path: '/me/email', body: EmailBody, noun: 'e-mail address' },
    { path: '/me/mobile', body: MobileBody, noun: 'mobile number' },
  ] as const) {
    server.put(
      path,
      {
        schema: {
          tags: ['Accounts'],
          summary: `Change my ${noun}`,
          description:
            `First ask for a code to the new ${noun} (POST /codes, purpose \`address-change\`, signed in), then send it here with ` +
            'the current password, if the account has one. The old address is told. Codes: INVALID_CODE, INVALID_PASSWORD ' +
            '(400), EMAIL_TAKEN, MOBILE_TAKEN (409).',
          body,
          response: { 200: one, ...failures(400, 401, 403, 409, 429) },
        },
      },
      async request => {
        const { accountId, sessionId } = request.identity
        const change = { ...request.body, accountId, sessionId }
        return ok({ account: await accounts.changeAddress(change, clientOf(request)) })
      },
    )
  }
}

function deleting(server: Server, { accounts, web }: Reach): void {
  server.delete(
    '/me',
    {
      schema: {
        tags: ['Accounts'],
        summary: 'Delete my account',
        description:
          'Erases the account and everything of it, for good: confirmed by the password, or by a verification token of purpose ' +
          '`account-deletion`.',
        body: DeletionBody,
        response: { 200: success(Nothing), ...failures(400, 401, 403, 429) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.identity
      await accounts.eraseOwn({ ...request.body, accountId, client: clientOf(request) })
      web.clear(reply)
      return ok({})
    },
  )
}

import Type from 'typebox'
import { failures, ok, success } from '../../transport/envelope.ts'
import type { Server } from '../../transport/server.ts'
import type { Accounts } from './index.ts'
import { Nothing } from './schema.ts'
import {
  ChangePasswordBody,
  CodeCheckBody,
  CodeRequestBody,
  CodeSentView,
  ForgotBody,
  ResetBody,
  VerificationView,
} from './schema-codes.ts'
import { clientOf, type WebSessions } from './web-sessions.ts'

interface Reach {
  accounts: Accounts
  web: WebSessions
}

/** One-time codes, forgotten and new passwords, and the CSRF token. */
export function codeRoutes(server: Server, reach: Reach): void {
  codes(server, reach)
  passwords(server, reach)
  csrf(server, reach)
}

function shown(sent: { expiresIn: number; code?: string }) {
  return ok({ expiresIn: sent.expiresIn, ...(sent.code === undefined ? {} : { otp: sent.code }) })
}

function codes(server: Server, { accounts }: Reach): void {
  server.post(
    '/codes',
    {
      config: { auth: 'optional' },
      schema: {
        tags: ['Codes'],
        summary: 'Send a one-time code',
        description:
          'Sends six digits by mail (good for ten minutes) or SMS (five). The answer is the same whether or not the address ' +
          'has an account. At most five an hour for one address; five tries each; a newer code replaces the older one. ' +
          'Signed in, `verification` and `account-deletion` need no address; `address-change` needs the new one.',
        body: CodeRequestBody,
        response: { 202: success(CodeSentView), ...failures(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const accountId = request.optionalIdentity?.accountId
      const sent = await accounts.requestCode({ ...request.body, accountId }, clientOf(request))
      return reply.code(202).send(shown(sent))
    },
  )

  server.post(
    '/codes/verify',
    {
      config: { auth: 'none' },
      schema: {
        tags: ['Codes'],
        summary: 'Exchange a code for a verification token',
        description:
          'A right code is used up and gives a token that proves the address for an hour, for the same purpose, once. ' +
          'Code: INVALID_CODE (400) for a wrong, used, expired or five times mistaken code.',
        body: CodeCheckBody,
        response: { 200: success(VerificationView), ...failures(400, 429) },
      },
    },
    async request => ok(await accounts.verifyCode(request.body, clientOf(request))),
  )
}

function passwords(server: Server, { accounts }: Reach): void {
  server.post(
    '/passwords/forgot',
    {
      config: { auth: 'none' },
      schema: {
        tags: ['Passwords'],
        summary: 'Ask for a new password',
        description:
          'Sends a code, and by mail a link beside it. The answer is the same for unknown addresses. Links carry only the ' +
          "operator's PUBLIC_URL.",
        body: ForgotBody,
        response: { 202: success(CodeSentView), ...failures(400, 429) },
      },
    },
    async (request, reply) =>
      reply.code(202).send(shown(await accounts.forgotPassword(request.body, clientOf(request)))),
  )

  server.post(
    '/passwords/reset',
    {
      config: { auth: 'none' },
      schema: {
        tags: ['Passwords'],
        summary: 'Set a new password',
        description:
          'By the token of a link or of POST /codes/verify, or by address and code. Every session of the account ends; sign in ' +
          'again. Codes: INVALID_CODE, INVALID_VERIFICATION_TOKEN, VALIDATION_ERROR (400).',
        body: ResetBody,
        response: { 200: success(Nothing), ...failures(400, 429) },
      },
    },
    async request => {
      await accounts.resetPassword(request.body, clientOf(request))
      return ok({})
    },
  )

  server.put(
    '/me/password',
    {
      schema: {
        tags: ['Passwords'],
        summary: 'Change my password',
        description:
          'With the current password, or with a verification token of purpose `verification` or `password-reset`. All other ' +
          'sessions end. Code: INVALID_PASSWORD (400); wrong ones count like wrong sign-ins.',
        body: ChangePasswordBody,
        response: { 200: success(Nothing), ...failures(400, 401, 403, 429) },
      },
    },
    async request => {
      await accounts.changePassword({ ...request.body, identity: request.identity }, clientOf(request))
      return ok({})
    },
  )
}

function csrf(server: Server, { web }: Reach): void {
  server.get(
    '/csrf-token',
    {
      config: { auth: 'optional' },
      schema: {
        tags: ['Sessions'],
        summary: 'A CSRF token',
        description:
          'For the `X-CSRF-Token` header of POST, PUT, PATCH and DELETE calls that are signed in by cookie only. It belongs to ' +
          'the session, so ask again after signing in. Calls with `Authorization: Bearer` need none.',
        response: { 200: success(Type.Object({ csrfToken: Type.String() })), ...failures(429) },
      },
    },
    async (request, reply) => ok({ csrfToken: web.csrfToken(reply, request.optionalIdentity) }),
  )
}

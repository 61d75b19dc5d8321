import type { FastifyReply } from 'fastify'
import Type from 'typebox'
import { AppError } from '../../lib/errors.ts'
import { readSessionCookies } from '../../transport/cookies.ts'
import { failures, ok, success } from '../../transport/envelope.ts'
import type { Server } from '../../transport/server.ts'
import type { Accounts, SignedInAccount } from './index.ts'
import {
  AccountView,
  AwaitingCode,
  Nothing,
  RefreshBody,
  SignedIn,
  SignInBody,
  SignUpBody,
} from './schema.ts'
import { clientOf, type WebSessions } from './web-sessions.ts'

/** Signing up, in and out. */
export function accountRoutes(accounts: Accounts, web: WebSessions) {
  function signedIn(reply: FastifyReply, entered: SignedInAccount) {
    const { accessToken, refreshToken, expiresIn } = entered.tokens
    web.set(reply, entered.tokens)
    return ok({ account: entered.account, accessToken, refreshToken, expiresIn })
  }

  return async (server: Server) => {
    server.post(
      '/accounts',
      {
        config: { auth: 'none' },
        schema: {
          tags: ['Accounts'],
          summary: 'Sign up',
          description:
            'Makes an account by e-mail or mobile number. With a `verificationToken` (from POST /codes/verify, purpose ' +
            '`sign-up`), or where the operator does not require verification, it is active and signed in: 201. Otherwise ' +
            'a code is sent and the answer is 202, the same whether or not the address has an account; go on at ' +
            'POST /accounts/verify.',
          body: SignUpBody,
          response: { 201: success(SignedIn), 202: success(AwaitingCode), ...failures(400, 409, 429) },
        },
      },
      async (request, reply) => {
        const result = await accounts.signUp(request.body, clientOf(request))
        if ('tokens' in result) return reply.code(201).send(signedIn(reply, result))
        const { code, ...rest } = result
        return reply.code(202).send(ok({ ...rest, ...(code === undefined ? {} : { otp: code }) }))
      },
    )

    server.post(
      '/sessions',
      {
        config: { auth: 'none' },
        schema: {
          tags: ['Sessions'],
          summary: 'Sign in',
          description:
            'Starts a session by e-mail or mobile number and password; tokens come in the body and as httpOnly cookies. ' +
            'Codes: INVALID_CREDENTIALS (401, whatever was wrong), EMAIL_NOT_VERIFIED, MOBILE_NOT_VERIFIED or ' +
            'ACCOUNT_BANNED (403, with the right password only), TOO_MANY_REQUESTS (429).',
          body: SignInBody,
          response: { 201: success(SignedIn), ...failures(400, 401, 403, 429) },
        },
      },
      async (request, reply) => {
        const entered = await accounts.signIn(request.body, clientOf(request))
        return reply.code(201).send(signedIn(reply, entered))
      },
    )

    server.post(
      '/sessions/refresh',
      {
        config: { auth: 'none' },
        schema: {
          tags: ['Sessions'],
          summary: 'Renew the tokens',
          description:
            'Exchanges the refresh token (from the body, or the cookie) for new tokens. Within ten seconds the same token ' +
            'gives the same new one, so that parallel calls and lost answers are harmless; any later second use ends the session.',
          body: RefreshBody,
          response: { 200: success(SignedIn), ...failures(400, 401, 429) },
        },
      },
      async (request, reply) => {
        const refreshToken = request.body?.refreshToken ?? readSessionCookies(request).refreshToken
        if (!refreshToken)
          throw new AppError('unauthenticated', 'REFRESH_TOKEN_MISSING', 'No refresh token provided')
        const tokens = await accounts.refresh({ refreshToken, client: clientOf(request) })
        return reply.send(signedIn(reply, { account: await accounts.read(tokens.accountId), tokens }))
      },
    )

    server.delete(
      '/sessions/current',
      {
        schema: {
          tags: ['Sessions'],
          summary: 'Sign out',
          description: 'Ends this session on every wire and clears the cookies.',
          response: { 200: success(Nothing), ...failures(401, 403) },
        },
      },
      async (request, reply) => {
        await accounts.signOut(request.identity, clientOf(request))
        web.clear(reply)
        return ok({})
      },
    )

    server.get(
      '/me',
      {
        schema: {
          tags: ['Accounts'],
          summary: 'Who am I',
          description: 'The account that is signed in.',
          response: { 200: success(Type.Object({ account: AccountView })), ...failures(401) },
        },
      },
      async request => ok({ account: await accounts.read(request.identity.accountId) }),
    )
  }
}
